"""Attention over past steps, offered to listeners.

A memory that attends to past steps may offer the weights of each layer in its
`step`, in the order of the layers:

    looks.offer(weights, distance)

They are computed anyway; without a listener they are dropped, and compiled
programs do not change. A caller listens while `step` runs, or is traced, and
returns what was offered from the traced function:

    with looks.listening() as found:
      output, state = network.step(params, state, observation, first)
"""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import NamedTuple

import jax


class Look(NamedTuple):
  """A layer's attention at one step.

  Attributes:
    weights: Weight of each position, from 0 to 1, [B, H, S].
    distance: Number of steps since each position, int [B, S]; meaningless where
      the weight is zero.
  """

  weights: jax.Array
  distance: jax.Array


# One for each thread: another thread may trace a step at the same time.
_FOUND: contextvars.ContextVar[list[Look] | None] = contextvars.ContextVar(
  "looks", default=None
)


def offer(weights: jax.Array, distance: jax.Array) -> None:
  """Passes a layer's attention to the listener, if there is one.

  Args:
    weights: See `Look`.
    distance: See `Look`.
  """
  found = _FOUND.get()
  if found is not None:
    found.append(Look(weights, distance))


@contextlib.contextmanager
def listening() -> Iterator[list[Look]]:
  """Collects what the layers offer, in the order of the layers."""
  found: list[Look] = []
  token = _FOUND.set(found)
  try:
    yield found
  finally:
    _FOUND.reset(token)
