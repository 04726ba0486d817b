"""Environment variables for a run's processes."""

import os
from importlib import metadata

# An actor is one of several processes on the machine's cores and its network
# is small: a second thread costs more than it gains.
_ENVIRONMENT = {
  "OMP_NUM_THREADS": "1",
  # Its programs take a fraction of a millisecond: they run on the calling
  # thread, as a busy machine is slow to wake another.
  "JAX_CPU_ENABLE_ASYNC_DISPATCH": "0",
}
NO_ACCELERATOR = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
_XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false"
# JAX 0.4's default runtime uses several threads in spite of the flag above:
# without it, an actor of the laptop preset made a seventh more steps.
_JAX_0_4_FLAGS = "--xla_cpu_use_thunk_runtime=false"


def learner() -> dict[str, str]:
  """Returns the environment variables of a process that is a learner's alone.

  It has one malloc arena, as by `heap.share`, which comes too late where an
  engine starts threads before the role.
  """
  return {"MALLOC_ARENA_MAX": "1"}


def actor() -> dict[str, str]:
  """Returns the environment variables of an actor's process.

  Accelerators are the learner's.
  """
  flags = [os.environ.get("XLA_FLAGS", ""), _XLA_FLAGS]
  if metadata.version("jax").startswith("0.4."):
    flags.append(_JAX_0_4_FLAGS)
  return {
    **_ENVIRONMENT,
    **NO_ACCELERATOR,
    "XLA_FLAGS": " ".join(flags).strip(),
  }
