"""Lines of sight between players and objects.

A player sees nodes that are in its view frustum and not hidden; an object
"sees" another if nothing is between their centres. The lines to test are
packed, so that rays are cast only for lines that are needed and not obviously
free.
"""

from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.game import avatar, predicates
from adaland.envs.physics import base

Array = jax.Array

_CLEAR_METRES = 1e-3  # A hit this close to a line's end counts as its end.
_MARGIN_METRES: Final = 0.01  # Added to the radius of nodes near a line.


def _radii() -> np.ndarray:
  """Returns the radii of nodes' bounding spheres by type id, float32."""
  kinds = range(1, constants.NUM_OBJECT_TYPES + 1)
  player = np.hypot(constants.AVATAR_HEIGHT / 2, constants.AVATAR_RADIUS)
  players = [player] * len(constants.PLAYER_TYPE_IDS)
  objects = [shapes.shape_of_type(kind).bounding_radius for kind in kinds]
  return np.asarray([0.0, *objects, *players], np.float32)


_RADII: Final = _radii()


def _inside(points: Array, room: Array) -> Array:
  """Returns which points [N, K, 3] are in rooms with half sizes [N, 2]."""
  within = jnp.all(jnp.abs(points[..., :2]) < room[:, None], axis=-1)
  return within & (points[..., 2] > 0)


def _clear(starts: Array, centres: Array, types: Array) -> Array:
  """Returns the lines that no node can block.

  Nodes are replaced by their bounding spheres, so a line that isn't clear may
  still be free.

  Args:
    starts: Start points, those of the first A nodes, float32 [N, A, 3].
    centres: Centres of all nodes, float32 [N, M, 3].
    types: Their type ids, int32 [N, M].

  Returns:
    Bool [N, A, M].
  """
  along = centres[:, None] - starts[:, :, None]  # [N, A, M, 3]
  # XLA is slow at sums over such a short axis.
  x, y, z = (along[..., axis] for axis in range(3))
  squared = x * x + y * y + z * z
  across = sum(a[:, :, :, None] * a[:, :, None] for a in (x, y, z))
  share = across / jnp.maximum(squared, 1e-6)[..., None]
  share = jnp.clip(share, 0, 1)
  # Distance of node b from the nearest point of the line to node m.
  distance = squared[:, :, None] - 2 * share * across
  distance += share**2 * squared[..., None]
  reach = (jnp.asarray(_RADII)[types] + _MARGIN_METRES) ** 2
  node = jnp.arange(types.shape[1])
  blocks = (types > 0)[:, None, None] & (distance < reach[:, None, None])
  blocks &= (node[:, None] != node[None])[None, None]  # Its own end.
  start = node[: starts.shape[1], None, None] == node[None, None]
  return ~jnp.any(blocks & ~start[None], axis=-1)


def wanted(
  slot_types: Array,
  poses: avatar.Poses,
  pitch: Array,
  see_literals: Array,
  room: Array,
) -> tuple[Array, Array, Array, Array]:
  """Returns the lines of sight that are needed.

  These are the lines from each player to all nodes in its view frustum, and the
  lines between objects that the tasks' `see` literals name. On flat ground only
  nodes can block a line, and for most of a player's lines none is near: such a
  line needs no ray.

  Args:
    slot_types: Type ids in the slots, int32 [N, S].
    poses: Poses of objects and players.
    pitch: Pitch of the views, radians, float32 [N, P].
    see_literals: Both type ids of each `see` literal, 0 for none, int32
      [N, L, 2].
    room: Half the size of the room along x and y if its ground is flat, else
      zero, metres, float32 [N, 2].

  Returns:
    The nodes' start points (players' eyes, objects' centres), float32
    [N, P+S, 3]; their centres, of the same shape; the pairs that certainly see
    each other; and the pairs to test, bool [N, P+S, P+S].
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
  # Bit l of `looks` or `seen`: the node may be argument a or b of literal l.
  same = see_literals[:, None] == types[:, :, None, None]  # [N, M, L, 2]
  looks, seen = predicates.bits(same[..., 0]), predicates.bits(same[..., 1])
  named = looks[:, :, None] & seen[:, None] != 0
  pairs = jnp.concatenate([in_view, named[:, num_players:]], axis=1)
  live = types > 0
  pairs &= live[:, :, None] & live[:, None]
  pairs &= ~jnp.eye(types.shape[1], dtype=bool)[None]
  sources = jnp.concatenate([eyes, centres[:, num_players:]], axis=1)
  # Between two points of a flat room there is no terrain.
  inside = _inside(eyes, room)[:, :, None] & _inside(centres, room)[:, None]
  clear = inside & _clear(eyes, centres, types)
  sure = jnp.zeros_like(pairs).at[:, :num_players].set(clear) & pairs
  return sources, centres, sure, pairs & ~sure


class Segments(NamedTuple):
  """Lines of sight of a batch, in rows padded to the largest number of them.

  Attributes:
    env, source, target: Environment and nodes of each segment, int [L].
    row, column: Indices of each segment's ray among the rays, int [L].
    length: Length of each segment, metres, float32 [L].
    env_ids: Environments that have segments, one per row, int [C].
    origins, directions, exclude: The rays, as `physics.base.Physics.rays`
      takes them, [C, K, ...]; padding points at the sky.
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
    sources: Start points of the first A nodes, float32 [N, A, 3].
    targets: Centres of all nodes, float32 [N, M, 3].
    pairs: The pairs to test, at least one, bool [N, A, M].
  """
  # Few of many pairs are wanted: numbering all of them is the fastest search.
  found = np.flatnonzero(pairs)
  env, source, target = np.unravel_index(found, pairs.shape)
  column = np.arange(found.size) - np.searchsorted(env, env)
  begins = column == 0
  row = np.cumsum(begins) - 1
  shape = (int(row[-1]) + 1, int(column.max()) + 1)
  start = sources[env, source]
  along = targets[env, target] - start
  length = np.sqrt((along * along).sum(axis=-1))
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


def unblocked(lines: Segments, hits: base.RayHits) -> np.ndarray:
  """Returns which lines of sight are free, bool [L].

  A line is blocked by terrain or by a node that is not one of its ends.
  """
  distance = hits.distance[lines.row, lines.column]
  node = hits.node[lines.row, lines.column]
  blocked = (distance >= 0) & (distance < lines.length - _CLEAR_METRES)
  return ~blocked | (node == lines.target)


class AllLines(NamedTuple):
  """Lines of sight between all nodes, which is cheapest on some devices.

  Attributes:
    origins, directions, exclude: The rays, as `physics.base.Physics.rays`
      takes them, [N, A * M, ...]; node a to node m at a * M + m.
    length: Length of each line, metres, float32 [N, A * M].
  """

  origins: Array
  directions: Array
  exclude: Array
  length: Array


def all_lines(sources: Array, targets: Array) -> AllLines:
  """Returns the lines from all sources [N, A, 3] to all targets [N, M, 3]."""
  n, a, m = sources.shape[0], sources.shape[1], targets.shape[1]
  shape = (n, a, m)
  along = targets[:, None] - sources[:, :, None]
  length = jnp.linalg.norm(along, axis=-1)
  apart = (length > 1e-6)[..., None]
  up = jnp.asarray([0.0, 0.0, 1.0])[None, None, None]
  directions = jnp.where(
    apart, along / jnp.maximum(length, 1e-6)[..., None], up
  )
  origins = jnp.broadcast_to(sources[:, :, None], (*shape, 3))
  exclude = jnp.broadcast_to(jnp.arange(a)[None, :, None], shape)
  return AllLines(
    origins=origins.reshape(n, a * m, 3),
    directions=directions.reshape(n, a * m, 3),
    exclude=exclude.reshape(n, a * m).astype(jnp.int32),
    length=length.reshape(n, a * m),
  )


def free(lines: AllLines, distance: Array, node: Array, pairs: Array) -> Array:
  """Returns the wanted pairs with a free line of sight, bool [N, A, M].

  Args:
    lines: All lines of sight.
    distance: Distances of their rays' hits, as in `RayHits`, float32
      [N, A * M].
    node: Nodes that they hit, int32 [N, A * M].
    pairs: The wanted pairs, bool [N, A, M].
  """
  blocked = distance >= 0
  blocked &= distance < lines.length - _CLEAR_METRES
  target = jnp.arange(pairs.shape[2])[None, None]
  ends = node.reshape(pairs.shape) == target
  return pairs & (~blocked.reshape(pairs.shape) | ends)
