"""Starts the actors' processes and keeps them alive."""

from collections.abc import Iterable

from launch import rundir
from launch.local import children, control
from launch.roles import process_env

KEY_VARIABLE = "ADALAND_CONTROL_KEY"


def start(
  run: rundir.RunDir,
  server: control.Server,
  replay_address: str,
  indices: Iterable[int],
  first_seed: int,
  inference: str,
) -> list[children.Child]:
  """Starts the actors.

  Args:
    run: The run's directory; its config says what they play.
    server: What they connect to.
    replay_address: Of the replay server, or empty: then unrolls go through
      the control channel.
    indices: Their numbers.
    first_seed: Differs between starts of the same run, so that an actor does
      not replay its random numbers.
    inference: Where their network runs, as `ActorConfig.inference`.
  """
  env = {**process_env.actor(inference), KEY_VARIABLE: server.key.hex()}
  return [
    children.Child(
      f"actor {index}",
      "launch.local.actor_main",
      [
        f"--workdir={run.path}",
        f"--control={server.address}",
        f"--replay={replay_address}",
        f"--index={index}",
        f"--seed={first_seed}",
      ],
      env,
      str(run.logs / f"actor_{index}.log"),
    )
    for index in indices
  ]
