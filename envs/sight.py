"""Lines of sight: who sees whom, and what a player has in view.

A player sees what is in its view frustum and not hidden; an object "sees"
another if nothing is between their centres. The lines to test are packed,
so that rays are cast only for what is asked.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from envs import avatar, predicates
from envs.physics import base

Array = jax.Array

_CLEAR_METRES = 1e-3  # A hit this close to the end of a line is its end.


def wanted(
  slot_types: Array,
  poses: avatar.Poses,
  pitch: Array,
  see_literals: Array,
) -> tuple[Array, Array, Array]:
  """Which lines of sight must be tested.

  From each player to all that is in its view frustum, and between the objects
  that the tasks' `see` literals name.

  Args:
    slot_types: Type ids in the slots, int32 [N, S].
    poses: Where everything is.
    pitch: Of the views, radians, float32 [N, P].
    see_literals: Both type ids of each `see` literal, 0 for none, int32
      [N, L, 2].

  Returns:
    Where the nodes look from (players' eyes, objects' centres), float32
    [N, P+S, 3], their centres, of the same shape, and the pairs to test, bool
    [N, P+S, P+S].
  """
  num_players = pitch.shape[1]
  types = jax.vmap(predicates.node_types, in_axes=(0, None))(
    slot_types, num_players
  )
  centres = jax.vmap(predicates.node_centres)(
    poses.player_pos, poses.object_pos
  )
  eyes = avatar.eye(poses.player_pos)
  axes = avatar.view_axes(poses.player_yaw, pitch)
  in_view = avatar.in_frustum(
    avatar.to_view(axes, centres[:, None] - eyes[:, :, None])
  )
  # Bit l of `looks` and of `seen`: the node may be argument a, b of literal l.
  same = see_literals[:, None] == types[:, :, None, None]  # [N, M, L, 2]
  looks, seen = predicates.bits(same[..., 0]), predicates.bits(same[..., 1])
  named = looks[:, :, None] & seen[:, None] != 0
  pairs = jnp.concatenate([in_view, named[:, num_players:]], axis=1)
  live = types > 0
  pairs &= live[:, :, None] & live[:, None]
  pairs &= ~jnp.eye(types.shape[1], dtype=bool)[None]
  sources = jnp.concatenate([eyes, centres[:, num_players:]], axis=1)
  return sources, centres, pairs


class Segments(NamedTuple):
  """Lines of sight of a batch, packed to the largest number a row.

  Attributes:
    env, source, target: Environment and nodes of each segment, int [L].
    row, column: Place of each segment's ray among the rays, int [L].
    length: Metres, float32 [L].
    env_ids: Environments that have any, one a row, int [C].
    origins, directions, exclude: The rays, as `physics.base.Physics.rays`
      takes them, [C, K, ...]; surplus ones point at the sky.
  """

  env: np.ndarray
  source: np.ndarray
  target: np.ndarray
  row: np.ndarray
  column: np.ndarray
  length: np.ndarray
  env_ids: np.ndarray
  origins: np.ndarray
  directions: np.ndarray
  exclude: np.ndarray


def segments(
  sources: np.ndarray, targets: np.ndarray, pairs: np.ndarray
) -> Segments:
  """Packs the wanted lines of sight of the environments that have any.

  Args:
    sources: Where they start: of node a at [:, a], float32 [N, A, 3].
    targets: Centres of all nodes, float32 [N, M, 3].
    pairs: Which to test, one at least, bool [N, A, M].
  """
  env, source, target = np.nonzero(pairs)
  column = np.arange(env.size) - np.searchsorted(env, env)
  begins = column == 0
  row = np.cumsum(begins) - 1
  shape = (int(row[-1]) + 1, int(column.max()) + 1)
  start = sources[env, source]
  along = targets[env, target] - start
  length = np.linalg.norm(along, axis=-1)
  origins = np.full((*shape, 3), 100.0, np.float32)
  directions = np.zeros((*shape, 3), np.float32)
  directions[..., 2] = 1
  exclude = np.full(shape, base.NODE_NONE, np.int32)
  origins[row, column] = start
  apart = length > 1e-6
  directions[row[apart], column[apart]] = along[apart] / length[apart, None]
  exclude[row, column] = source
  return Segments(
    env=env,
    source=source,
    target=target,
    row=row,
    column=column,
    length=length,
    env_ids=env[begins],
    origins=origins,
    directions=directions,
    exclude=exclude,
  )


def unblocked(
  lines: Segments, hits: base.RayHits, shape: tuple[int, ...]
) -> np.ndarray:
  """Which wanted lines of sight are free, bool `shape` = [N, A, M].

  A line is blocked by terrain or by a node that is not one of its ends.
  """
  distance = hits.distance[lines.row, lines.column]
  node = hits.node[lines.row, lines.column]
  blocked = (distance >= 0) & (distance < lines.length - _CLEAR_METRES)
  free = np.zeros(shape, bool)
  free[lines.env, lines.source, lines.target] = ~blocked | (
    node == lines.target
  )
  return free
