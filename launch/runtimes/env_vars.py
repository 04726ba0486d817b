"""Environment variables for a run's processes."""

import contextlib
import os
from collections.abc import Iterator
from importlib import metadata

from adaland.launch.run import cores

# XLA takes its number of threads on a processor from here.
_XLA_THREADS = "NPROC"
# An actor is one of several processes on the machine's cores and its network
# is small: a second thread costs more than it gains.
_ENVIRONMENT = {
  "OMP_NUM_THREADS": "1",
  _XLA_THREADS: "1",
  # Its programs take a fraction of a millisecond: they run on the calling
  # thread, as a busy machine is slow to wake another.
  "JAX_CPU_ENABLE_ASYNC_DISPATCH": "0",
}
NO_ACCELERATOR = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
# JAX 0.4's default runtime does not vectorise the softmax of attention: without
# it, an update of the laptop preset takes 70 % of the time. It compiles for
# four times as long.
_RUNTIME = "--xla_cpu_use_thunk_runtime"


def learner() -> dict[str, str]:
  """Returns the environment variables of a process that is a learner's alone.

  It has one malloc arena, as by `heap.share`, which comes too late where an
  engine starts threads before the role.
  """
  return {"MALLOC_ARENA_MAX": "1", **_xla_flags()}


@contextlib.contextmanager
def learner_here(num_actors: int) -> Iterator[None]:
  """Sets this process's environment variables for a learner among actors.

  JAX reads them when it starts its devices, so they do nothing in a process
  that has used it before. Actors keep a core each: two threads of a learner,
  of which one waits for an actor's core, take half as much processor time
  again as one.

  Args:
    num_actors: Number of actors on this machine.
  """
  threads = max(1, cores.num_cores() - num_actors)
  ours = {_XLA_THREADS: str(threads), **_xla_flags()}
  # Whoever has set the number of threads has chosen.
  ours.update({k: os.environ[k] for k in (_XLA_THREADS,) if k in os.environ})
  before = {name: os.environ.get(name) for name in ours}
  os.environ.update(ours)
  try:
    yield
  finally:
    for name, value in before.items():
      if value is None:
        del os.environ[name]
      else:
        os.environ[name] = value


def actor() -> dict[str, str]:
  """Returns the environment variables of an actor's process.

  Accelerators are the learner's.
  """
  return {**_ENVIRONMENT, **NO_ACCELERATOR, **_xla_flags(_ONE_THREAD)}


def _xla_flags(*flags: str) -> dict[str, str]:
  """Returns XLA's flags: the user's, those given and those for this JAX."""
  every = [*os.environ.get("XLA_FLAGS", "").split(), *flags]
  chosen = any(flag.startswith(_RUNTIME) for flag in every)
  if metadata.version("jax").startswith("0.4.") and not chosen:
    every.append(f"{_RUNTIME}=false")
  every = list(dict.fromkeys(every))
  return {"XLA_FLAGS": " ".join(every)} if every else {}
