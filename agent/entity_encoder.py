"""From a set of entities to a vector: what is near me, and what is it for?

Whether an entity is what the goal or a rule speaks of is computed exactly, by
comparing types, not left to be learned. Each entity is told which argument of
the goal it is, and is given the embeddings of the rules that use it or make
it. Then entities look at each other once, and are read out as a maximum, a
mean and, for each argument of the goal, the mean over entities of its type.
"""

from collections.abc import Mapping

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from agent import config as config_lib
from agent import types

_GOAL_ARGUMENTS = 2


class EntityEncoder(hk.Module):
  """Set encoder that relates each entity to the goal and the rules.

  Shape letters: E entities, F features, R rules, G arguments of a rule (two of
  its condition, then its spawns), D entity size.
  """

  def __init__(self, config: config_lib.NetworkConfig, name: str = "entities"):
    super().__init__(name=name)
    self._config = config

  def __call__(
    self,
    observation: types.Observation,
    goal: jax.Array,
    rule_elements: jax.Array,
  ) -> jax.Array:
    """Encodes sets of entities.

    Args:
      observation: With `entities` float32 [B, E, F], `goal` int32 [B, 6] and
        `rules` int32 [B, R, 6 + 2 * spawns].
      goal: Embedded goal [B, n].
      rule_elements: Embedded ids of the rules [B, R, 6 + 2 * spawns, n].

    Returns:
      [B, 4 * entity_size].
    """
    config = self._config
    dtype = goal.dtype
    size = config.entity_size
    entities = jnp.asarray(observation["entities"]).astype(dtype)
    visible = entities[:, :, :1]
    of_goal = self._matches(entities, observation["goal"][:, 2:])  # [B, E, 2]
    of_goal = of_goal * visible

    rules = self._rules(observation, goal, rule_elements)
    inputs = jnp.concatenate([entities, of_goal, *rules(entities)], axis=-1)
    h = hk.Linear(size, name="in")(inputs)
    h = h + hk.Linear(size, with_bias=False, name="goal")(goal)[:, None, :]
    h = jax.nn.relu(h)
    h = jax.nn.relu(hk.Linear(size, name="hidden")(h))
    h = jax.nn.relu(h + self._attend(h, visible[:, :, 0]))
    h = h * visible  # Not below zero, so that a maximum ignores the unseen.

    count = jnp.maximum(jnp.sum(visible, axis=1), 1)
    matching = jnp.maximum(jnp.sum(of_goal, axis=1), 1)[:, :, None]
    arguments = jnp.einsum("beg,bed->bgd", of_goal, h) / matching
    return jnp.concatenate(
      [
        jnp.max(h, axis=1),
        jnp.sum(h, axis=1) / count,
        arguments.reshape(h.shape[0], -1),
      ],
      axis=-1,
    )

  def _rules(
    self,
    observation: types.Observation,
    goal: jax.Array,
    rule_elements: jax.Array,
  ):
    """Returns a function from entities to what the rules say about them."""
    ids = observation["rules"]
    batch_size, num_rules, _ = ids.shape
    arguments = self._type_codes(ids[:, :, 2:], goal.dtype)  # [B, R, G, types]
    goal_types = self._type_codes(observation["goal"][:, 2:], goal.dtype)
    # Which of a rule's arguments the goal speaks of.
    for_goal = jnp.einsum("brgt,bat->brga", arguments, goal_types)
    inputs = jnp.concatenate(
      [
        rule_elements.reshape(batch_size, num_rules, -1),
        for_goal.reshape(batch_size, num_rules, -1),
      ],
      axis=-1,
    )
    h = hk.Linear(self._config.entity_size // 2, name="rules")(inputs)
    h = jax.nn.relu(h)
    used, made = arguments[:, :, :2], arguments[:, :, 2:]

    def about(entities: jax.Array) -> list[jax.Array]:
      codes = self._entity_codes(entities)
      return [
        jnp.einsum("bet,brt,brd->bed", codes, jnp.sum(part, axis=2), h)
        for part in (used, made)
      ]

    return about

  def _matches(self, entities: jax.Array, ids: types.Array) -> jax.Array:
    """Whether each entity is of each type, [B, E, types in `ids`]."""
    codes = self._type_codes(ids, entities.dtype)
    return jnp.einsum("bet,bgt->beg", self._entity_codes(entities), codes)

  def _entity_codes(self, entities: jax.Array) -> jax.Array:
    """One-hot types of entities, [B, E, shapes * colours]."""
    config = self._config
    start = config.entity_type_offset
    middle = start + config.entity_shapes
    shape = entities[:, :, start:middle]
    colour = entities[:, :, middle : middle + config.entity_colours]
    return _outer(shape, colour)

  def _type_codes(self, ids: types.Array, dtype: jnp.dtype) -> jax.Array:
    """One-hot types of pairs of ids, [..., pairs, shapes * colours].

    Zero where an id is zero (nothing there) or stands for a hidden type.
    """
    config = self._config
    pairs = jnp.asarray(ids).reshape(*ids.shape[:-1], -1, 2)
    shape = jax.nn.one_hot(pairs[..., 0] - 1, config.entity_shapes, dtype=dtype)
    colour = jax.nn.one_hot(
      pairs[..., 1] - 1, config.entity_colours, dtype=dtype
    )
    return _outer(shape, colour)

  def _attend(self, h: jax.Array, visible: jax.Array) -> jax.Array:
    """One layer of self-attention among visible entities, [B, E, D]."""
    heads = self._config.entity_heads
    batch_size, num_entities, size = h.shape
    qkv = hk.Linear(3 * size, with_bias=False, name="attention_qkv")(h)
    qkv = qkv.reshape(batch_size, num_entities, 3, heads, size // heads)
    query, key, value = (qkv[:, :, i] for i in range(3))
    logits = jnp.einsum("behd,bfhd->bhef", query, key).astype(jnp.float32)
    logits = logits / np.sqrt(size // heads)
    logits = jnp.where(visible[:, None, None, :] > 0, logits, -1e30)
    weights = jax.nn.softmax(logits, axis=-1).astype(h.dtype)
    mixed = jnp.einsum("bhef,bfhd->behd", weights, value)
    mixed = mixed.reshape(batch_size, num_entities, size)
    return hk.Linear(size, with_bias=False, name="attention_out")(mixed)


def check_spec(
  config: config_lib.NetworkConfig,
  spec: Mapping[str, tuple[tuple[int, ...], np.dtype]],
) -> None:
  """Checks the shape of `entities`, if there are any.

  Raises:
    ValueError: If the features are too few to hold the types.
  """
  if "entities" not in spec:
    return
  shape = tuple(spec["entities"][0])
  needed = (
    config.entity_type_offset + config.entity_shapes + config.entity_colours
  )
  if len(shape) != 2 or shape[1] < needed:
    raise ValueError(
      f"observation 'entities' must be [entities, at least {needed} features], "
      f"got {shape}"
    )


def _outer(shape: jax.Array, colour: jax.Array) -> jax.Array:
  """One-hot of pairs from two one-hots."""
  product = shape[..., :, None] * colour[..., None, :]
  return product.reshape(*shape.shape[:-1], -1)
