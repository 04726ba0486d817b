"""Attention over past steps, offered to listeners.

A memory that attends to past steps may offer the weights of each layer in its
`step`, in the order of the layers:

    looks.offer(weights, distance)

They are computed anyway; without a listener they go nowhere, so that compiled
programs stay what they are. A caller listens while `step` runs, or is
traced, and takes what was offered out of the traced function as a result:

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
    distance: Number of steps since each position, int [B, S]; without meaning
      where the weight is zero.
  """

  weights: jax.Array
  distance: jax.Array


# Of each thread its own: another one may trace a step at the same time.
_FOUND: contextvars.ContextVar[list[Look] | None] = contextvars.ContextVar(
  "looks", default=None
)


def offer(weights: jax.Array, distance: jax.Array) -> None:
  """Tells a layer's attention to a listener, if there is one.

  Args:
    weights: See `Look`.
    distance: See `Look`.
  """
  found = _FOUND.get()
  if found is not None:
    found.append(Look(weights, distance))


@contextlib.contextmanager
def listening() -> Iterator[list[Look]]:
  """Collects what layers offer, in their order."""
  found: list[Look] = []
  token = _FOUND.set(found)
  try:
    yield found
  finally:
    _FOUND.reset(token)
