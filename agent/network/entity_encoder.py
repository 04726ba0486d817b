"""The set encoder, from the entities in view to one vector.

Comparing types shows exactly which entities the goal and the rules refer to, so
this need not be learned. Each entity's input states which argument of the goal
it is, and includes the embeddings of the rules that use or make it. The set is
then pooled (maximum, mean, the nearest, and for each argument of the goal the
mean over entities of its type), the pooled set is added to each entity, and the
set is pooled again.

Entities interact through pools, not pairwise attention: for a handful of
entities attention consists of many tiny products, which took most of the time
of the whole network's update on a CPU.
"""

from collections.abc import Mapping

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import layers, types
from adaland.agent.config import NetworkConfig
from adaland.agent.network import entity_features

# Columns of a literal before its arguments. A rule's first two arguments are
# its condition's, the others are its spawns.
_BEFORE_ARGUMENTS = 2
_CONDITION_ARGUMENTS = 2
# Numbers of no type, all different, so that they are never equal.
_NO_ENTITY_TYPE, _NO_ARGUMENT_TYPE, _NO_GOAL_TYPE = -1, -2, -3
# Column of an entity's distance from the eye.
_DISTANCE = 4
# Inverse temperature, per metre, of the pool of the nearest entity: most
# predicates are about close entities.
_NEARNESS = 4.0


class EntityEncoder(hk.Module):
  """Set encoder that relates each entity to the goal and the rules.

  Shape letters: E entities, N = T * E entities of a whole sequence, F features,
  R rules, G arguments (of a goal, or of a rule with its spawns), D entity size.
  """

  def __init__(self, config: NetworkConfig, name: str = "entities"):
    super().__init__(name=name)
    self._config = config

  def __call__(
    self,
    observation: types.Observation,
    goal: jax.Array,
    rule_elements: jax.Array,
  ) -> tuple[jax.Array, jax.Array]:
    """Encodes the sets of entities of a batch of sequences.

    Args:
      observation: With `entities` float32 [B, T, E, F], `goal` int32 [B, 6] and
        `rules` int32 [B, R, 6 + 2 * spawns]; with a pair memory also `pairs`.
      goal: Embedded goal [B, n].
      rule_elements: Embedded ids of the rules [B, R, 6 + 2 * spawns, n].

    Returns:
      The sets, [B, T, 5 * entity_size], and the entities, zero for those not in
      view, [B, T, E, entity_size].
    """
    dtype = goal.dtype
    size = self._config.entity_size
    raw = jnp.asarray(observation["entities"])
    batch_size, length, num_entities, _ = raw.shape
    # Goal and rules belong to the whole sequence, so the entities of all its
    # steps are one long list until the sets are pooled.
    raw = raw.reshape(batch_size, length * num_entities, -1)
    entities = raw.astype(dtype)
    visible = entities[:, :, :1]
    kinds = entity_types(raw, self._config)  # [B, N]
    goal_types = argument_types(observation["goal"], self._config)  # [B, 2]
    # An empty argument of the goal is not the empty one of a rule.
    goal_types = jnp.where(goal_types < 0, _NO_GOAL_TYPE, goal_types)
    rule_types = argument_types(observation["rules"], self._config)  # [B, R, G]
    of_goal = _same(kinds, goal_types, dtype) * visible  # [B, N, 2]

    _, num_rules, num_arguments = rule_types.shape
    for_goal = _same(rule_types.reshape(batch_size, -1), goal_types, dtype)
    rules = jnp.concatenate(
      [
        rule_elements.reshape(batch_size, num_rules, -1),
        # Which of a rule's arguments the goal mentions.
        for_goal.reshape(batch_size, num_rules, -1),
      ],
      axis=-1,
    )
    rules = jax.nn.relu(layers.Linear(size, name="rules")(rules))
    # A rule's messages to the types it uses and the types it makes,
    # [B, 2 * R, D].
    rules = layers.Linear(2 * size, name="of_rules")(rules)
    rules = jnp.concatenate(jnp.split(rules, 2, axis=-1), axis=1)
    of_rule = _same(kinds, rule_types.reshape(batch_size, -1), dtype)
    of_rule = of_rule.reshape(batch_size, -1, num_rules, num_arguments)
    uses, makes = jnp.split(of_rule, [_CONDITION_ARGUMENTS], axis=3)
    of_rule = [jnp.sum(part, axis=3) for part in (uses, makes)]
    of_rule = jnp.concatenate(of_rule, axis=2)  # [B, N, 2 * R]

    # Maps of the parts are added: equal to a map of their concatenation, but
    # faster on a CPU.
    derived = [
      entity_features.geometry(raw),
      entity_features.object_types(raw, self._config),
    ]
    derived = [part.astype(dtype) for part in derived]
    features = jnp.concatenate([entities, of_goal, *derived], axis=-1)
    h = layers.Linear(size, name="in")(features)
    h = h + jnp.einsum("bnr,brd->bnd", of_rule, rules)
    h = h + layers.Linear(size, with_bias=False, name="goal")(goal)[:, None, :]
    if self._config.pair_memory:
      known = entity_features.known_pairs(
        observation["entities"], observation["pairs"], self._config
      )
      known = known.reshape(batch_size, length * num_entities, -1).astype(dtype)
      h = h + layers.Linear(size, with_bias=False, name="pairs")(known)
    h = jax.nn.relu(h) * visible

    def sets(x: jax.Array) -> jax.Array:
      return x.reshape(batch_size * length, num_entities, -1)

    h, visible, of_goal = (sets(x) for x in (h, visible, of_goal))
    nearest = _nearest(sets(raw)).astype(dtype)
    pooled = _pool(h, visible, of_goal, nearest)
    h = layers.Linear(size, name="hidden")(h)
    h = h + layers.Linear(size, with_bias=False, name="set")(pooled)[:, None, :]
    h = jax.nn.relu(h) * visible
    pooled = _pool(h, visible, of_goal, nearest)
    return (
      pooled.reshape(batch_size, length, -1),
      h.reshape(batch_size, length, num_entities, -1),
    )


def entity_types(entities: jax.Array, config: NetworkConfig) -> jax.Array:
  """Returns type numbers of entities, int32 [B, N]; -1 for no type."""
  start = config.entity_type_offset
  middle = start + config.entity_shapes
  # An unseen entity is all zeros.
  place = _id(entities[:, :, start:middle])
  shape = jnp.asarray((0, *config.entity_shape_ids), jnp.int32)[place]
  colour = _id(entities[:, :, middle : middle + config.entity_colours])
  return jnp.where(
    shape > 0, shape * config.num_colour_ids + colour, _NO_ENTITY_TYPE
  )


def argument_types(ids: types.Array, config: NetworkConfig) -> jax.Array:
  """Returns type numbers of arguments, int32 [..., G]; -2 for no type.

  Placeholders of hidden objects have numbers that no entity has.
  """
  pairs = jnp.asarray(ids)[..., _BEFORE_ARGUMENTS:]
  pairs = pairs.reshape(*pairs.shape[:-1], -1, 2)
  shape, colour = pairs[..., 0], pairs[..., 1]
  return jnp.where(
    shape > 0, shape * config.num_colour_ids + colour, _NO_ARGUMENT_TYPE
  )


def check_spec(
  config: NetworkConfig,
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
      f"observation 'entities' is {shape}, allowed: [entities, at least "
      f"{needed} features]"
    )


def _id(one_hot: jax.Array) -> jax.Array:
  """Returns the id, from 1, that a one-hot stands for; 0 if it is all zeros."""
  index = jnp.argmax(one_hot, axis=-1).astype(jnp.int32) + 1
  return jnp.where(jnp.max(one_hot, axis=-1) > 0, index, 0)


def _same(a: jax.Array, b: jax.Array, dtype: jnp.dtype) -> jax.Array:
  """Returns 1 where types are equal: [B, m] and [B, n] to [B, m, n]."""
  return (a[:, :, None] == b[:, None, :]).astype(dtype)


def _nearest(entities: jax.Array) -> jax.Array:
  """Returns weights of the nearest entity in view, [B, E, F] to [B, E].

  A softmax of negative distance; all zero where nothing is in view.
  """
  visible = entities[:, :, 0]
  closeness = -_NEARNESS * entity_features.METRES * entities[:, :, _DISTANCE]
  weights = jax.nn.softmax(jnp.where(visible > 0, closeness, -1e9), axis=1)
  return weights * visible


def _pool(
  h: jax.Array, visible: jax.Array, of_goal: jax.Array, nearest: jax.Array
) -> jax.Array:
  """Pools a set of entities.

  Args:
    h: Nonnegative, zero for entities that are not visible [B, E, D].
    visible: [B, E, 1].
    of_goal: Whether the entity has the type of each of the goal's arguments
      [B, E, 2].
    nearest: Weights of the nearest entity [B, E].

  Returns:
    Maximum, mean, the means for the two arguments and the nearest, [B, 5 * D].
  """
  weights = jnp.concatenate([visible, of_goal], axis=-1)
  count = jnp.maximum(jnp.sum(weights, axis=1, keepdims=True), 1)
  weights = jnp.concatenate([weights / count, nearest[..., None]], axis=-1)
  means = _weighted_sums(jnp.swapaxes(weights, 1, 2), h)
  means = means.reshape(h.shape[0], -1)
  return jnp.concatenate([_max(h), means], axis=-1)


@jax.custom_vjp
def _weighted_sums(weights: jax.Array, h: jax.Array) -> jax.Array:
  """Returns sums over entities, [B, G, E] and [B, E, D] to [B, G, D].

  No gradient flows into the weights. On a CPU, products of small matrices take
  ten times as long if the contracted axis is not the last axis of the first
  one. That would happen in either the product or its gradient, so both are
  written out.
  """
  return jnp.einsum("bge,bed->bgd", weights, h)


def _weighted_sums_forward(
  weights: jax.Array, h: jax.Array
) -> tuple[jax.Array, jax.Array]:
  return _weighted_sums(weights, h), weights


def _weighted_sums_backward(
  weights: jax.Array, gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
  transposed = jnp.swapaxes(weights, 1, 2)
  return (
    jnp.zeros_like(weights),
    jnp.einsum("beg,bgd->bed", transposed, gradient),
  )


_weighted_sums.defvjp(_weighted_sums_forward, _weighted_sums_backward)


def _max(h: jax.Array) -> jax.Array:
  """Returns the maximum over entities, [B, E, D] to [B, D], by halving.

  On a CPU the gradient of `jnp.max` over a middle axis takes four times as
  long.
  """
  while h.shape[1] > 1:
    half = h.shape[1] // 2
    larger = jnp.maximum(h[:, :half], h[:, half : 2 * half])
    odd = h[:, 2 * half :]
    h = jnp.concatenate([larger, odd], axis=1) if odd.shape[1] else larger
  return h[:, 0]
