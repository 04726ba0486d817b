"""Environment variables for a run's processes."""

import contextlib
import os
from collections.abc import Iterator
from importlib import metadata

from adaland.launch.run import cores

# XLA reads its number of threads on a processor from here.
_XLA_THREADS = "NPROC"
# An actor is one of several processes on the machine's cores and its network
# is small: a second thread costs more than it gains.
_ENVIRONMENT = {
  "OMP_NUM_THREADS": "1",
  _XLA_THREADS: "1",
}
NO_ACCELERATOR = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
# JAX 0.4's default runtime does not vectorise the softmax of attention. With
# the other runtime, an update of the laptop preset takes 70 % of the time, but
# compiling takes four times as long.
_RUNTIME = "--xla_cpu_use_thunk_runtime"


def learner() -> dict[str, str]:
  """Returns the environment variables of a process with only a learner.

  It has one malloc arena, as set by `heap.share`, which comes too late if the
  runtime starts threads before the role.
  """
  return {"MALLOC_ARENA_MAX": "1", **_xla_flags()}


@contextlib.contextmanager
def learner_here(num_actors: int) -> Iterator[None]:
  """Sets this process's environment variables for a learner among actors.

  JAX reads them when it starts its devices, so they have no effect in a process
  that has used JAX before. Each actor keeps a core: two threads of a learner,
  one of which waits for an actor's core, take half as much processor time again
  as one.

  Args:
    num_actors: Number of actors on this machine.
  """
  threads = max(1, cores.num_cores() - num_actors)
  ours = {_XLA_THREADS: str(threads), **_xla_flags()}
  # The user's own number of threads takes precedence.
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
  """Returns the environment variables of an actor process.

  Accelerators are the learner's.
  """
  return {**_ENVIRONMENT, **NO_ACCELERATOR, **_xla_flags(_ONE_THREAD)}


def _xla_flags(*flags: str) -> dict[str, str]:
  """Returns XLA's flags: the user's, the given ones and those for this JAX."""
  every = [*os.environ.get("XLA_FLAGS", "").split(), *flags]
  chosen = any(flag.startswith(_RUNTIME) for flag in every)
  if metadata.version("jax").startswith("0.4.") and not chosen:
    every.append(f"{_RUNTIME}=false")
  every = list(dict.fromkeys(every))
  return {"XLA_FLAGS": " ".join(every)} if every else {}
