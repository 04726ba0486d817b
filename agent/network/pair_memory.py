"""A memory of the types of objects that have been close to each other.

Rules act on objects that come close, so what has been tried is a set of pairs
of types. Attention finds a pair that was rewarded, but learns with difficulty
which pairs have failed. This part has no parameters: for each two types it
keeps how close objects of them have been since the episode began, the maximum
over the steps, which depends on no order and fades with no time, like the
aggregators of AMRL (Beck et al., ICLR 2020). AdA (arXiv 2301.07608) has no
such part.
"""

from typing import Final

import jax
import jax.numpy as jnp

from adaland.agent import types
from adaland.agent.config import NetworkConfig
from adaland.agent.network import entity_features

# The name of its state among the memory's.
_STATE: Final = "closest_pairs"
# The last part of the names of the modules that read its output.
_READERS: Final = ("pairs", "in_pairs")


def initial_state(config: NetworkConfig, batch_size: int) -> types.MemoryState:
  """Returns the state before any step, [B, K * K]; empty if it is not used."""
  if not config.pair_memory:
    return {}
  return {_STATE: jnp.zeros([batch_size, config.num_types**2], jnp.float32)}


def unroll(
  config: NetworkConfig,
  observation: types.Observation,
  first: types.Array,
  state: types.MemoryState,
) -> tuple[types.Observation, types.MemoryState, types.MemoryState]:
  """Adds the pairs to a sequence of observations.

  Args:
    config: Sizes, and whether there is a pair memory.
    observation: With `entities` float32 [B, T, E, F].
    first: Nonzero where an episode starts [B, T].
    state: The state of the whole memory before the first step; empty if the
      sequence starts episodes.

  Returns:
    A tuple of three: the observations with `pairs`, which holds the pairs now
    (see `entity_features.pairs_in_view`) and the closest so far, float32 [B, T,
    2 * K * K]; the rest of the state; and the pair memory's state after the
    last step.
  """
  if not config.pair_memory:
    return observation, state, {}
  rest = {name: value for name, value in state.items() if name != _STATE}
  now = entity_features.pairs_in_view(observation["entities"], config)
  starts = jnp.asarray(first)[:, :, None] != 0  # [B, T, 1]
  before = state.get(_STATE, jnp.zeros_like(now[:, 0]))
  before = jnp.where(starts[:, 0], 0.0, before)

  def combine(earlier, later):
    value, start = earlier
    next_value, next_start = later
    value = jnp.where(next_start, next_value, jnp.maximum(value, next_value))
    return value, start | next_start

  closest, _ = jax.lax.associative_scan(
    combine, (now.at[:, 0].max(before), starts), axis=1
  )
  pairs = jnp.concatenate([now, closest], axis=-1)
  return {**observation, "pairs": pairs}, rest, {_STATE: closest[:, -1]}


def with_zeros(params: types.Params, shapes: types.Params) -> types.Params:
  """Gives an agent without a pair memory one that it does not heed yet.

  Args:
    params: The agent's parameters.
    shapes: Shapes and dtypes of those of a network with a pair memory.

  Returns:
    The parameters, with zeros for those that read the pair memory.
  """
  added = {
    module: jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), leaves)
    for module, leaves in shapes.items()
    if module.rpartition("/")[2] in _READERS
  }
  return {**added, **params}
