"""Start positions of a task's players and objects."""

import bisect
import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.tasks.task import Literal, Player, Position, Task
from adaland.envs.worlds.terrain import Terrain, tile_of

# Free ground around each body; two bodies stay 10 cm apart.
_CLEARANCE = 0.05
# Distance, where there is room, between the arguments of a rule's condition or
# of a goal, and between the player and every object, so that no relation within
# NEAR_METRES holds at the start.
_APART = 1.6
# Largest distance at which the arguments of a negated goal start.
_TOGETHER = 0.95
_CANDIDATES = 96
_ATTEMPTS = 6
_ROUNDING = 1e-9  # Metres, so that bodies that touch exactly fit.


class _Body(NamedTuple):
  """A player or an object to be placed."""

  name: str
  type_id: int
  radius: float
  at: Position


def _bodies(task: Task) -> list[_Body]:
  """Returns players, then objects in the order of their slots."""
  bodies = [
    _Body(f"player{i + 1}", Player(i + 1).type_id, constants.AVATAR_RADIUS, at)
    for i, at in enumerate(player.at for player in task.players)
  ]
  for spec in task.objects:
    kind = spec.type
    radius = shapes.shape_of_type(kind.type_id).footprint_radius
    bodies += [_Body(kind.name, kind.type_id, radius, at) for at in spec.at]
  return bodies


def _type_pairs(literals: Iterable[Literal]) -> set[frozenset[int]]:
  return {frozenset((x.a.type_id, x.b.type_id)) for x in literals}


class _Preferences:
  """Preferred least distances between bodies, and pairs preferred together.

  Attributes:
    least: Least distances, metres, float [n, n].
    partner: For bodies to be placed beside another, the index of the other.
  """

  def __init__(self, task: Task, bodies: list[_Body]):
    goals = [player.goal for player in task.players]
    conditions = [rule.condition for rule in task.rules]
    apart = _type_pairs(x for x in goals + conditions if not x.negated)
    together = _type_pairs(x for x in goals if x.negated) - apart
    count, players = len(bodies), len(task.players)
    self.least = np.zeros((count, count))
    self.partner: dict[int, int] = {}
    for i, j in itertools.combinations(range(count), 2):
      pair = frozenset((bodies[i].type_id, bodies[j].type_id))
      if pair in together and bodies[j].at is None:
        if pair not in {
          frozenset((bodies[a].type_id, bodies[b].type_id))
          for a, b in self.partner.items()
        }:
          self.partner[j] = i
      elif pair in apart or i < players:
        self.least[i, j] = self.least[j, i] = _APART


class _LevelGround:
  """The level ground of a region of the terrain."""

  def __init__(self, terrain: Terrain, region: np.ndarray):
    self._terrain = terrain
    self._size = np.array(terrain.heights.shape)
    tiles = np.argwhere(region & (terrain.ramps == 0))
    self._centres = (tiles + 0.5 - self._size / 2) * constants.TILE_METRES
    self._flat = terrain.is_flat()

  def _is_level(self, xy: np.ndarray, radius: float) -> np.ndarray:
    """Returns which discs lie on flat tiles of one level, bool [n].

    A disc is smaller than a tile, so that the corners of its box suffice.
    """
    heights, ramps, _ = self._terrain
    reach = radius + _CLEARANCE
    limit_x, limit_y = self._size / 2 * constants.TILE_METRES - reach
    within = np.abs(xy)
    inside = (within[:, 0] <= limit_x) & (within[:, 1] <= limit_y)
    if self._flat:
      return inside
    corners = reach * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    tiles = tile_of(heights, xy[:, None] + corners)
    levels = heights[tiles[..., 0], tiles[..., 1]]
    flat = ramps[tiles[..., 0], tiles[..., 1]] == 0
    return inside & flat.all(-1) & (levels == levels[:, :1]).all(-1)

  def centres(self, rng: np.random.Generator) -> np.ndarray:
    """Returns the centres of all tiles in random order, [n, 2]."""
    return rng.permutation(self._centres)

  def anywhere(self, rng: np.random.Generator, radius: float) -> np.ndarray:
    """Draws positions on level ground, then all tiles' centres, [n, 2]."""
    which = rng.integers(len(self._centres), size=_CANDIDATES)
    drawn = rng.uniform(-0.5, 0.5, (_CANDIDATES, 2))
    drawn *= constants.TILE_METRES
    drawn += self._centres[which]
    drawn = drawn[self._is_level(drawn, radius)]
    return np.concatenate([drawn, self.centres(rng)])

  def around(
    self,
    rng: np.random.Generator,
    radius: float,
    centre: np.ndarray,
    nearest: float,
  ) -> np.ndarray:
    """Draws positions from `nearest` to _TOGETHER from a centre, [n, 2]."""
    angle = rng.uniform(-np.pi, np.pi, _CANDIDATES)
    distance = rng.uniform(nearest, _TOGETHER, _CANDIDATES)
    xy = centre + distance[:, None] * np.stack(
      [np.cos(angle), np.sin(angle)], 1
    )
    tiles = tile_of(self._terrain.heights, xy)
    home = tile_of(self._terrain.heights, centre)
    heights = self._terrain.heights
    same = heights[tiles[:, 0], tiles[:, 1]] == heights[home[0], home[1]]
    return xy[same & self._is_level(xy, radius)]


def _place(
  bodies: list[_Body],
  preferences: _Preferences,
  ground: _LevelGround,
  rng: np.random.Generator,
  tight: bool,
) -> tuple[np.ndarray, float]:
  """Places all bodies once.

  Args:
    bodies: Players, then objects.
    preferences: Distances to try for.
    ground: The ground to place them on.
    rng: Source of randomness.
    tight: If true, uses only the centres of tiles, which packs best.

  Returns:
    Positions [n, 2], and the metres by which preferences are missed in all.

  Raises:
    ValueError: If there is no room for a body.
  """
  radii = np.array([body.radius for body in bodies])
  xy = np.zeros((len(bodies), 2))
  missed = 0.0
  placed = [i for i, body in enumerate(bodies) if body.at is not None]
  for i in placed:
    xy[i] = bodies[i].at
  # A body to be placed beside another comes right after it, before the room is
  # taken, so that the order is: given positions, pairs, the rest.
  paired = [x for j, i in preferences.partner.items() for x in (i, j)]
  for i in dict.fromkeys([*paired, *range(len(bodies))]):
    if i in placed:
      continue
    taken = xy[placed]
    least = radii[i] + radii[placed] + (2 * _CLEARANCE - _ROUNDING)
    wanted = preferences.least[i, placed]
    groups = [ground.centres(rng) if tight else ground.anywhere(rng, radii[i])]
    if i in preferences.partner and not tight:
      partner = preferences.partner[i]
      nearest = radii[i] + radii[partner] + 2 * _CLEARANCE
      groups.insert(0, ground.around(rng, radii[i], xy[partner], nearest))
    for group, positions in enumerate(groups):
      gaps = positions[:, None] - taken
      gaps *= gaps
      gaps = np.sqrt(gaps[..., 0] + gaps[..., 1])
      free = (gaps >= least).all(-1)
      short = np.maximum(wanted - gaps, 0).sum(-1)
      short[~free] = np.inf
      if not len(short):
        continue
      best = short.argmin()
      if short[best] < np.inf:
        xy[i] = positions[best]
        bisect.insort(placed, i)
        missed += short[best] + group
        break
    else:
      raise ValueError(
        f"no room for {bodies[i].name}, number {len(placed) + 1} of "
        f"{len(bodies)} players and objects, allowed: fewer objects or a "
        "larger arena"
      )
  return xy, missed


def place_all(
  task: Task, terrain: Terrain, rng: np.random.Generator
) -> np.ndarray:
  """Places players and objects so that preferences hold where possible.

  Returns:
    Positions, players first, [n, 2].
  """
  bodies = _bodies(task)
  region = terrain.main_region()
  if bodies[0].at is not None:
    x, y = tile_of(terrain.heights, np.array(bodies[0].at))
    region = terrain.regions == terrain.regions[x, y]
  preferences, ground = (
    _Preferences(task, bodies),
    _LevelGround(terrain, region),
  )
  best, least_missed, failure = None, np.inf, None
  for attempt in range(_ATTEMPTS):
    # The last attempt is for crowded rooms only.
    tight = attempt == _ATTEMPTS - 1
    if tight and best is not None:
      break
    try:
      xy, missed = _place(bodies, preferences, ground, rng, tight)
    except ValueError as error:
      failure = error
      continue
    if missed < least_missed:
      best, least_missed = xy, missed
    if least_missed == 0:
      break
  if best is None:
    assert failure is not None
    raise failure
  return best
