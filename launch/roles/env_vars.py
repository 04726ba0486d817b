"""Environment variables of a run's processes."""

import os
from importlib import metadata

# An actor is one of several processes on the machine's cores and its network
# is small: more threads than one cost it more than they give.
_ENVIRONMENT = {
  "OMP_NUM_THREADS": "1",
  # Its programs take a fraction of a millisecond: run them where they are
  # called, for a busy machine is slow to wake another thread.
  "JAX_CPU_ENABLE_ASYNC_DISPATCH": "0",
  # Accelerators are the learner's.
  "JAX_PLATFORMS": "cpu",
  "CUDA_VISIBLE_DEVICES": "",
}
_XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false"
# The way JAX 0.4 runs programs by default spreads them over threads all the
# same: without it, an actor of the laptop preset took a seventh more steps.
_JAX_0_4_FLAGS = "--xla_cpu_use_thunk_runtime=false"


def learner() -> dict[str, str]:
  """Environment variables of a learner's process, if that is started for it.

  One heap, as by `heap.share`, which comes too late where an engine's threads
  are there before a role is.
  """
  return {"MALLOC_ARENA_MAX": "1"}


def actor() -> dict[str, str]:
  """Returns environment variables of an actor's process."""
  flags = [os.environ.get("XLA_FLAGS", ""), _XLA_FLAGS]
  if metadata.version("jax").startswith("0.4."):
    flags.append(_JAX_0_4_FLAGS)
  return {**_ENVIRONMENT, "XLA_FLAGS": " ".join(flags).strip()}
