"""Features derived from the entities in view; nothing here is learned.

The environment gives an entity's position in units of ten metres, and its shape
and colour separately. Most predicates are about entities within a metre, and
rules refer to types, so the network gets both in the form in which they matter.

Shape letters: E entities, F columns of an entity, K types of objects.
"""

from typing import Final

import jax
import jax.numpy as jnp

from adaland.agent import types
from adaland.agent.config import NetworkConfig

# Columns of the position: ahead, left and up from the eye, in the view's frame.
_POSITION: Final = slice(1, 4)
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


def _metres(entities: types.Array) -> jax.Array:
  return METRES * jnp.asarray(entities)[..., _POSITION]
