"""Attention sinks: an episode's first steps, which always stay visible.

Softmax must put its weight somewhere, and models learn to put the weight they
have no use for on the first positions; a window that slides past those breaks
them. Keeping N of them visible fixes this (Xiao et al. 2023, arXiv 2309.17453).
A step acts as a sink once the window has passed it. As in that paper, its
distance is then measured within the memory, so it stays in the range seen in
training:

    min(a - j, W + N - j) for the step of age j, seen from age a

Shape letters: H heads, D key size, N sinks, W window.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from adaland.agent.memory import base


class Sinks(NamedTuple):
  """The sinks of each step of an unroll.

  Attributes:
    keys: [H, B, T, N, D].
    values: [H, B, T, N, D].
    age: int32 [B, T].
  """

  keys: jax.Array
  values: jax.Array
  age: jax.Array

  def latest(self) -> base.LayerState:
    """Returns the sinks of the last step, as a state: [B, H, N, D]."""
    return {
      f"sink_{name}": jax.lax.stop_gradient(jnp.swapaxes(x[:, :, -1], 0, 1))
      for name, x in (("keys", self.keys), ("values", self.values))
    }


def seen(
  age: jax.Array, num_sinks: int, window: int
) -> tuple[jax.Array, jax.Array]:
  """Returns the distance of each sink, and whether it is seen as one.

  Args:
    age: int32 [...].
    num_sinks: N.
    window: Past steps that a step sees, W.

  Returns:
    int32 and bool [..., N].
  """
  sink = jnp.arange(num_sinks, dtype=jnp.int32)
  sink = sink.reshape((1,) * age.ndim + (num_sinks,))
  since = age[..., None] - sink
  distance = jnp.clip(since, 0, window + num_sinks - sink)
  return distance, since > window


def written(
  state: base.LayerState, key: jax.Array, value: jax.Array, age: jax.Array
) -> base.LayerState:
  """Returns the sinks, including the current step if it is one.

  Args:
    state: Has `sink_keys` and `sink_values`, [B, H, N, D].
    key: Key of the step, [B, H, D].
    value: Value of the step, [B, H, D].
    age: int32 [B].
  """
  num_sinks = state["sink_keys"].shape[2]
  here = age[:, None] == jnp.arange(num_sinks)[None, :]
  here = here[:, None, :, None]
  return {
    "sink_keys": jnp.where(here, key[:, :, None], state["sink_keys"]),
    "sink_values": jnp.where(here, value[:, :, None], state["sink_values"]),
  }


def of_steps(
  state: base.LayerState | None,
  keys: jax.Array,
  values: jax.Array,
  age: jax.Array,
  num_sinks: int,
) -> Sinks:
  """Returns the sinks that each step of an unroll sees.

  Args:
    state: From the previous step; None if every row starts an episode.
    keys: Keys of the steps, [H, B, T, D].
    values: Values of the steps, [H, B, T, D].
    age: int32 [B, T].
    num_sinks: N.
  """
  length = age.shape[1]
  start = jnp.arange(length)[None, :] - age  # Where the episode started.
  position = start[:, :, None] + jnp.arange(num_sinks)[None, None, :]
  # Indices into the past sinks and the steps after them, [B, T, N].
  index = jnp.where(
    position >= 0,
    num_sinks + jnp.minimum(position, length - 1),
    jnp.arange(num_sinks)[None, None, :],
  )
  flat = index.reshape(index.shape[0], -1)[None, :, :, None]

  def pick(name: str, steps: jax.Array) -> jax.Array:
    if state is None:
      shape = (*steps.shape[:2], num_sinks, steps.shape[3])
      past = jnp.zeros(shape, steps.dtype)
    else:
      past = jnp.swapaxes(state[f"sink_{name}"], 0, 1)
    joined = jnp.concatenate([past, steps], axis=2)
    picked = jnp.take_along_axis(joined, flat, axis=2)
    return picked.reshape(*steps.shape[:3], num_sinks, steps.shape[3])

  return Sinks(pick("keys", keys), pick("values", values), age)
