"""A second look at the entities, queried by the memory's output.

The encoder compresses the set of entities into one vector before the memory
runs, so when the memory recalls "the yellow cube made it", it is too late to
ask where the yellow cube is. Here the memory's output is the query of an
attention over the entities now in view, which binds what is remembered to what
is seen. AdA (arXiv 2301.07608) sees only pixels and has no such part.
"""

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import layers
from adaland.agent.config import NetworkConfig

_MASKED = -1e30


class Recall(hk.Module):
  """Multi-head attention from the memory's output to entities in view."""

  def __init__(self, config: NetworkConfig, name: str = "recall"):
    super().__init__(name=name)
    self._num_heads = config.num_heads
    self._size = config.num_heads * config.key_size

  def __call__(
    self, x: jax.Array, entities: jax.Array, visible: jax.Array
  ) -> jax.Array:
    """Adds the result of attending to the entities.

    Args:
      x: The memory's output [B, d_model].
      entities: Encoded entities [B, E, D].
      visible: 1 for those in view, else 0 [B, E].

    Returns:
      [B, d_model]; `x` itself where nothing is in view.
    """
    query = layers.Linear(self._size, with_bias=False, name="query")(x)
    keys = layers.Linear(self._size, with_bias=False, name="keys")(entities)
    values = layers.Linear(self._size, with_bias=False, name="values")(entities)
    # Elementwise products and sums: with a handful of entities, matrix products
    # take many times as long on a CPU.
    logits = self._heads(query[:, None] * keys).sum(axis=-1)  # [B, E, H]
    logits = logits.astype(jnp.float32) * self._heads(keys).shape[-1] ** -0.5
    seen = visible[:, :, None]
    weights = jax.nn.softmax(jnp.where(seen > 0, logits, _MASKED), axis=1)
    weights = (weights * seen).astype(x.dtype)[..., None]
    answer = (weights * self._heads(values)).sum(axis=1)  # [B, H, K]
    out = layers.output_projection(x.shape[-1], 1.0)
    return x + out(answer.reshape(x.shape[0], -1))

  def _heads(self, x: jax.Array) -> jax.Array:
    return x.reshape(*x.shape[:-1], self._num_heads, -1)
