"""Starts the actors' processes and keeps them alive."""

from collections.abc import Iterable

from adaland.launch.roles import env_vars
from adaland.launch.run import rundir
from adaland.launch.runtimes import children, socket_rpc

KEY_VARIABLE = "ADALAND_CONTROL_KEY"


def start(
  run: rundir.RunDir,
  server: socket_rpc.Server,
  replay_address: str,
  indices: Iterable[int],
  first_seed: int,
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
  """
  env = {**env_vars.actor(), KEY_VARIABLE: server.key.hex()}
  return [
    children.Child(
      f"actor {index}",
      "adaland.launch.runtimes.local_main",
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
