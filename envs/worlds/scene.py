"""The scene of a task for physics: terrain and start positions."""

import functools

import numpy as np
from numpy.typing import ArrayLike

from adaland.envs import constants, shapes
from adaland.envs.physics import base, overlap, parts
from adaland.envs.tasks.task import Task
from adaland.envs.worlds.generation import make_terrain
from adaland.envs.worlds.placement import place_all
from adaland.envs.worlds.terrain import Terrain, surface_height, tile_of

# Start of a player that a task does not have: below all parked objects, out of
# sight and reach of everything. It falls.
_ABSENT = (0.0, 0.0, 2 * parts.PARKING[2])
# Bodies at given positions may overlap by this depth, metres.
_ROUNDING = 0.01
# A body is flush with a tile if it reaches at most this far onto it, metres.
_FLUSH = 1e-9
_AVATAR_HALF = (constants.AVATAR_RADIUS,) * 2


def _footprint(xy: ArrayLike, half: ArrayLike) -> np.ndarray:
  """Returns the centres and the corners of boxes.

  A corner on the border of two tiles counts for the box's own tile.

  Args:
    xy: Centres, float [..., 2].
    half: Half sizes, float [..., 2].

  Returns:
    Float [..., 5, 2].
  """
  corners = np.array([[0, 0], [-1, -1], [-1, 1], [1, -1], [1, 1]])
  xy, half = np.asarray(xy), np.asarray(half) - _FLUSH
  return xy[..., None, :] + corners * half[..., None, :]


def _ground_under(
  terrain: Terrain, xy: np.ndarray, half: np.ndarray
) -> np.ndarray:
  """Returns the highest ground under boxes: nothing starts inside a cliff.

  Args:
    terrain: The terrain.
    xy: Centres of the boxes, float [n, 2].
    half: Their half sizes, float [n, 2].

  Returns:
    Metres, float [n].
  """
  if terrain.is_flat():
    return np.zeros(len(xy))
  points = _footprint(xy, half)
  return surface_height(terrain.heights, terrain.ramps, points).max(axis=-1)


def _check_beside_walls(task: Task, terrain: Terrain) -> None:
  """Raises ValueError if a given position is on an inner wall.

  Generated ground is one region, so all tiles outside it are walls.
  """
  bodies = [
    (f"player{i + 1}", player.at, _AVATAR_HALF)
    for i, player in enumerate(task.players)
  ]
  for spec in task.objects:
    half = shapes.shape_of_type(spec.type.type_id).half_extents[:2]
    bodies += [(spec.type.name, at, half) for at in spec.at]
  ground = terrain.main_region()
  for name, at, half in bodies:
    if at is None:
      continue
    tiles = tile_of(terrain.heights, _footprint(at, half))
    if not ground[tiles[:, 0], tiles[:, 1]].all():
      raise ValueError(
        f"{name} at {at} is on an inner wall, allowed: beside it, or another "
        "world.seed"
      )


def _build(task: Task, num_slots: int, num_players: int) -> base.Scene:
  present = len(task.players)
  if present > num_players:
    raise ValueError(
      f"number of players in the task is {present}, allowed: at most "
      f"{num_players}, as the environment has"
    )
  if task.num_objects > num_slots:
    raise ValueError(
      f"number of objects in the task is {task.num_objects}, allowed: at most "
      f"{num_slots}, the object slots of the environment"
    )
  seed = np.random.SeedSequence([task.world.seed, 1])
  rng = np.random.Generator(np.random.PCG64(seed))
  terrain = make_terrain(task.world)
  if task.world.walls:
    _check_beside_walls(task, terrain)
  xy, facing = place_all(task, terrain, rng)
  scene = base.Scene(
    heights=terrain.heights,
    ramps=terrain.ramps,
    slot_types=np.zeros(num_slots, np.int32),
    slot_at=np.zeros((num_slots, 3)),
    slot_yaw=np.zeros(num_slots),
    slot_frozen=np.zeros(num_slots, bool),
    player_at=np.tile(_ABSENT, (num_players, 1)),
  )
  objects = [
    (spec, at, shapes.shape_of_type(spec.type.type_id))
    for spec in task.objects
    for at in spec.at
  ]
  half = [_AVATAR_HALF] * present
  half += [shape.half_extents[:2] for *_, shape in objects]
  ground = _ground_under(terrain, xy, np.array(half))
  scene.player_at[:present] = np.column_stack([xy, ground])[:present]
  for slot, (spec, at, shape) in enumerate(objects):
    body = present + slot
    # Objects at given positions face +x, so that people can align them.
    yaw = rng.uniform(-np.pi, np.pi) if at is None else 0.0
    scene.slot_types[slot] = spec.type.type_id
    scene.slot_at[slot] = *xy[body], ground[body] + shape.centre_height
    scene.slot_yaw[slot] = facing.get(body, yaw)
    scene.slot_frozen[slot] = spec.frozen
  _check_given(task, scene)
  return scene


def _check_given(task: Task, scene: base.Scene) -> None:
  """Raises ValueError if bodies overlap at given positions.

  Frozen objects may overlap: they form one body that never moves.
  """
  bodies = [(f"player{i + 1}", p.at, False) for i, p in enumerate(task.players)]
  bodies += [("", None, False)] * (len(scene.player_at) - len(bodies))
  for spec in task.objects:
    bodies += [(spec.type.name, at, spec.frozen) for at in spec.at]
  if sum(at is not None for _, at, _ in bodies) < 2:
    return
  found = overlap.find(
    overlap.Bodies(
      slot_types=scene.slot_types,
      slot_at=scene.slot_at,
      slot_quat=np.array([parts.yaw_quat(yaw) for yaw in scene.slot_yaw]),
      player_at=scene.player_at,
    ),
    least=_ROUNDING,
  )
  for first, second, depth in found:
    (name, at, frozen), (other, other_at, also_frozen) = (
      bodies[first],
      bodies[second],
    )
    if at is None or other_at is None or (frozen and also_frozen):
      continue
    raise ValueError(
      f"{name} at {at} and {other} at {other_at} are {depth:.2f} m inside each "
      "other, allowed: out of contact"
    )


@functools.lru_cache(maxsize=256)
def build_scene(task: Task, num_slots: int, num_players: int = 1) -> base.Scene:
  """Builds a task's start state, a pure function of its arguments.

  Positions that are not given are drawn from the world's seed: out of contact,
  on level ground of one region, whose tiles can all be reached from each other.
  Where there is room, the arguments of a rule's condition and of a goal, and
  the player and each object, are far enough apart that `near` does not hold.
  The arguments of a negated goal or condition are put together instead, in
  contact for `touching`, so that it does not hold at the start.

  Args:
    task: The task to build.
    num_slots: Number of object slots; objects fill the first slots, in the
      task's order.
    num_players: Number of players in the environment; a task may have fewer.

  Returns:
    The scene; its arrays are shared between calls and read-only. Objects stand
    on the ground; unused slots are zero.

  Raises:
    ValueError: If the objects or players don't fit, or bodies at given
      positions overlap or are on an inner wall.
  """
  scene = _build(task, num_slots, num_players)
  for array in scene:
    array.setflags(write=False)
  return scene
