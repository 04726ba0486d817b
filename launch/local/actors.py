"""Starts the actors' processes and keeps them alive."""

import os
from importlib import metadata

from launch import rundir
from launch.local import children, control

KEY_VARIABLE = "ADALAND_CONTROL_KEY"

# An actor is one of several processes on the machine's cores and its network
# is small: more threads than one cost it more than they give.
_ENVIRONMENT = {
  "JAX_PLATFORMS": "cpu",
  "CUDA_VISIBLE_DEVICES": "",
  "OMP_NUM_THREADS": "1",
  # Its programs take a fraction of a millisecond: run them where they are
  # called, for a busy machine is slow to wake another thread.
  "JAX_CPU_ENABLE_ASYNC_DISPATCH": "0",
}
_XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false"
# The way JAX 0.4 runs programs by default spreads them over threads all the
# same: without it, an actor of the laptop preset took a seventh more steps.
_JAX_0_4_FLAGS = "--xla_cpu_use_thunk_runtime=false"


def environment() -> dict[str, str]:
  """Environment variables of an actor's process."""
  flags = [os.environ.get("XLA_FLAGS", ""), _XLA_FLAGS]
  if metadata.version("jax").startswith("0.4."):
    flags.append(_JAX_0_4_FLAGS)
  return {**_ENVIRONMENT, "XLA_FLAGS": " ".join(flags).strip()}


def start(
  run: rundir.RunDir,
  server: control.Server,
  replay_address: str,
  num_actors: int,
  first_seed: int,
) -> list[children.Child]:
  """Starts the actors.

  Args:
    run: The run's directory; its config says what they play.
    server: What they connect to.
    replay_address: Of the replay server, or empty: then unrolls go through
      the control channel.
    num_actors: How many.
    first_seed: Differs between starts of the same run, so that an actor does
      not replay its random numbers.
  """
  env = {**environment(), KEY_VARIABLE: server.key.hex()}
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
    for index in range(num_actors)
  ]
