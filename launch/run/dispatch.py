"""The thread in which JAX runs programs on a processor."""

import jax


def run_inline() -> None:
  """Makes JAX run programs on a processor in the thread that calls them.

  Otherwise each call of a program wakes one of JAX's threads, and reading its
  result waits for that thread. An environment's and a small network's programs
  take a fraction of a millisecond, and a busy machine is slow to wake a thread.

  It must be called before JAX starts. JAX reads no environment variable for it.
  """
  jax.config.update("jax_cpu_enable_async_dispatch", False)
