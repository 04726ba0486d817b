"""Features derived from the entities in view; nothing here is learned.

The environment gives an entity's position in units of ten metres, and its shape
and colour separately. Most predicates are about entities within a metre, and
rules refer to types, so the network gets both in the form in which they matter.

Shape letters: E entities, F columns of an entity, K types of objects.
"""

from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types
from adaland.agent.config import NetworkConfig

# Columns of the position: ahead, left and up from the eye, in the view's frame.
_POSITION: Final = slice(1, 4)
# Column of 1 for the entity in the hand.
_HELD: Final = 5
# Metres in a unit of the position.
METRES: Final = 10.0
# The environment measures distance from the centre of the body, which is
# `EYE_ABOVE_CENTRE` metres below the eye; up to `REACH` metres count as near.
EYE_ABOVE_CENTRE: Final = 0.35
REACH: Final = 1.0
# How far an avatar turns in a step, slowly and fast, radians.
_TURN_STEPS: Final = (0.107, 0.4)
# Distance to the limit of reach that one step of walking covers, metres.
_MARGIN: Final = 0.33
# Beyond this distance, metres, an entity is simply far.
_FAR: Final = 10.0
_EPSILON: Final = 1e-6


def object_types(entities: types.Array, config: NetworkConfig) -> jax.Array:
  """Returns the type of each object as a one-hot, float32 [..., E, K].

  A type is a shape and a colour; players, whose shape is the last, have none.

  Args:
    entities: float32 [..., E, F].
    config: Gives the columns of the one-hots of shape and colour.
  """
  entities = jnp.asarray(entities)
  start, shapes = config.entity_type_offset, config.entity_shapes
  shape = entities[..., start : start + shapes - 1]
  middle = start + shapes
  colour = entities[..., middle : middle + config.entity_colours]
  both = shape[..., :, None] * colour[..., None, :]
  return both.reshape(*entities.shape[:-1], -1)


def distance(entities: types.Array) -> jax.Array:
  """Returns distances from the centre of the body, metres [..., E]."""
  position = _metres(entities)
  up = position[..., 2] + EYE_ABOVE_CENTRE
  flat = jnp.sum(jnp.square(position[..., :2]), axis=-1)
  return jnp.sqrt(flat + jnp.square(up))


def geometry(entities: types.Array) -> jax.Array:
  """Returns where each entity is, float32 [..., E, 9].

  The columns are the cosine and sine of the horizontal angle from straight
  ahead to the left; tanh of the angle, in units of a slow and of a fast turn's
  step, since aiming needs small angles; the sine of the elevation seen from the
  eye; the distance in metres, at most 10; exp(-distance), which is steep at the
  distances of predicates; 1 within reach; and tanh of the distance to the limit
  of reach. Zero for entities not in view.

  Args:
    entities: float32 [..., E, F].
  """
  entities = jnp.asarray(entities)
  position = _metres(entities)
  flat = jnp.linalg.norm(position[..., :2], axis=-1, keepdims=True)
  whole = jnp.linalg.norm(position, axis=-1, keepdims=True)
  away = distance(entities)[..., None]
  angle = jnp.arctan2(position[..., 1:2], position[..., :1])
  columns = [
    position[..., :2] / jnp.maximum(flat, _EPSILON),
    *(jnp.tanh(angle / step) for step in _TURN_STEPS),
    position[..., 2:] / jnp.maximum(whole, _EPSILON),
    jnp.minimum(away, _FAR),
    jnp.exp(-away),
    away <= REACH,
    jnp.tanh((away - REACH) / _MARGIN),
  ]
  return jnp.concatenate(columns, axis=-1) * entities[..., :1]


def types_in_view(entities: types.Array, config: NetworkConfig) -> jax.Array:
  """Returns which types of objects are in view, float32 [..., 3 * K].

  For each type: 1 if one is in view; 1 if one is within reach; exp(-distance)
  of the nearest one.

  Args:
    entities: float32 [..., E, F].
    config: Gives the columns of the one-hots of shape and colour.
  """
  kinds = object_types(entities, config)
  away = distance(entities)[..., None]
  pools = [kinds, kinds * (away <= REACH), kinds * jnp.exp(-away)]
  return jnp.max(jnp.concatenate(pools, axis=-1), axis=-2)


def pairs_in_view(entities: types.Array, config: NetworkConfig) -> jax.Array:
  """Returns which types of objects are close to each other, [..., K * K].

  For each two types, summed over objects of these types that are in view:
  1 if their centres are within REACH metres of each other, else
  exp(-(distance - REACH) / _MARGIN), in metres.

  Args:
    entities: float32 [..., E, F].
    config: Gives the columns of the one-hots of shape and colour.
  """
  kinds = object_types(entities, config)
  first, second = np.triu_indices(kinds.shape[-2], 1)
  position = _metres(entities)
  between = position[..., first, :] - position[..., second, :]
  beyond = jnp.linalg.norm(between, axis=-1) - REACH
  close = jnp.exp(-jnp.maximum(beyond, 0.0) / _MARGIN)[..., None, None]
  pairs = kinds[..., first, :, None] * kinds[..., second, None, :] * close
  pairs = jnp.sum(pairs, axis=-3)
  pairs = pairs + jnp.swapaxes(pairs, -1, -2)
  return pairs.reshape(*pairs.shape[:-2], -1)


def known_pairs(
  entities: types.Array, pairs: types.Array, config: NetworkConfig
) -> jax.Array:
  """Returns how close objects of an entity's type have been to others.

  Args:
    entities: float32 [..., E, F].
    pairs: For each two types the pairs now and the closest so far, float32
      [..., 2 * K * K].
    config: Gives the columns of the one-hots of shape and colour.

  Returns:
    The closest so far to objects of the type in the hand, and to objects of
    any type, [..., E, 2].
  """
  kinds = object_types(entities, config)
  num_types = kinds.shape[-1]
  closest = pairs[..., num_types**2 :]
  closest = closest.reshape(*closest.shape[:-1], num_types, num_types)
  held = jnp.max(kinds * jnp.asarray(entities)[..., _HELD, None], axis=-2)
  to_held = jnp.sum(closest * held[..., None, :], axis=-1)
  found = jnp.stack([to_held, jnp.max(closest, axis=-1)], axis=-1)
  return jnp.sum(kinds[..., None] * found[..., None, :, :], axis=-2)


def _metres(entities: types.Array) -> jax.Array:
  return METRES * jnp.asarray(entities)[..., _POSITION]
