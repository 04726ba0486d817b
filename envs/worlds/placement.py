"""Start positions of a task's players and objects."""

import bisect
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from adaland.envs.tasks.task import Literal, Task
from adaland.envs.worlds import passages
from adaland.envs.worlds.bodies import Body, bodies_of, is_player, reach
from adaland.envs.worlds.level_ground import (
  CANDIDATES,
  CLEARANCE,
  TOGETHER,
  LevelGround,
)
from adaland.envs.worlds.terrain import Terrain, tile_of

# Distance, where there is room, between the arguments of a rule's condition or
# of a goal, and between the player and every object, so that no relation within
# NEAR_METRES holds at the start.
_APART = 1.6
# Metres between bodies in contact: enough that they don't push each other, but
# less than TOUCHING_METRES.
_GAP = 0.0004
_PARTED = ("near", "touching")
_ATTEMPTS = 6
_ROUNDING = 1e-9  # Metres, so that bodies that exactly touch fit.
# What dividing the ground counts as, metres: more than all distances together.
_DIVIDED = 1e6


def _type_pairs(literals: Iterable[Literal]) -> set[frozenset[int]]:
  return {frozenset((x.a.type_id, x.b.type_id)) for x in literals}


class _Preferences:
  """Preferred distances between bodies, and pairs preferred together.

  Attributes:
    least: Minimum distances, metres, float [n, n].
    most: Maximum distances, metres, float [n, n].
    partner: For the bodies to place together, in placing order, the index of
      the earlier body to place each one next to, or -1.
    contact: The bodies with a partner that should be in contact with it.
  """

  def __init__(self, task: Task, bodies: list[Body]):
    goals = [player.goal for player in task.players]
    conditions = [rule.condition for rule in task.rules]
    literals = goals + conditions
    apart = _type_pairs(x for x in literals if not x.negated)
    parted = [x for x in literals if x.negated and x.means in _PARTED]
    # Two objects next to each other see each other.
    parted += [x for x in goals if x.negated and len(x.object_types) == 2]
    together = _type_pairs(x for x in parted) - apart
    touching = _type_pairs(x for x in parted if x.means == "touching")
    count, players = len(bodies), len(task.players)
    self.least = np.zeros((count, count))
    pairs: dict[frozenset[int], list[tuple[int, int]]] = {}
    for i, j in itertools.combinations(range(count), 2):
      types = frozenset((bodies[i].type_id, bodies[j].type_id))
      if types in together:
        if bodies[i].at is None or bodies[j].at is None:
          pairs.setdefault(types, []).append((i, j))
      elif types in apart or i < players:
        self.least[i, j] = self.least[j, i] = _APART
    # One pair for each two types, whose second body is drawn if possible.
    chosen = {
      min(some, key=lambda pair: bodies[pair[1]].at is not None): types
      for types, some in pairs.items()
    }
    self.partner: dict[int, int] = {}
    neighbours: dict[int, list[int]] = {}
    for i, j in sorted(chosen):
      neighbours.setdefault(i, []).append(j)
      neighbours.setdefault(j, []).append(i)
    for root in sorted(neighbours):
      if root not in self.partner:
        group = _walk([root], neighbours)
        given = [i for i in group if bodies[i].at is not None]
        self.partner |= _walk(given or [root], neighbours)
    self.most = np.full((count, count), np.inf)
    self.contact: set[int] = set()
    for (i, j), types in chosen.items():
      first, second = (j, i) if self.partner[i] == j else (i, j)
      if self.partner[second] != first:
        # Both are placed next to other bodies.
        self.most[i, j] = self.most[j, i] = TOGETHER
      elif types in touching:
        self.contact.add(second)


def _walk(
  starts: Sequence[int], neighbours: Mapping[int, Sequence[int]]
) -> dict[int, int]:
  """Returns the bodies reached, in order, with the body each is reached from.

  Args:
    starts: The bodies to start from, whose entry is -1.
    neighbours: The neighbours of each body.
  """
  source = dict.fromkeys(starts, -1)
  queue = list(starts)
  for i in queue:
    for j in neighbours[i]:
      if j not in source:
        source[j] = i
        queue.append(j)
  return source


def _contact(
  bodies: list[Body],
  pair: tuple[int, int],
  centre: np.ndarray,
  facing: dict[int, float],
  rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
  """Returns positions at which two bodies touch along their own x axes.

  Args:
    bodies: Players, then objects.
    pair: Index of the body that is already placed, and of the other.
    centre: Position of the first.
    facing: Yaws that are already determined.
    rng: Source of randomness.

  Returns:
    Positions of the second, [n, 2], and the yaws that both must have, [n].
  """
  first, second = (bodies[i] for i in pair)
  between = reach(first.type_id, second.type_id) + _GAP
  if is_player(first):
    yaw = rng.uniform(-np.pi, np.pi, CANDIDATES)
  elif pair[0] in facing or first.at is not None:
    yaw = facing.get(pair[0], 0.0) + np.array([0.0, np.pi])
  else:
    yaw = rng.uniform(-np.pi, np.pi, CANDIDATES)
  ahead = np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
  return centre + between * ahead, yaw


def _place(
  bodies: list[Body],
  preferences: _Preferences,
  ground: LevelGround,
  rng: np.random.Generator,
  tight: bool,
) -> tuple[np.ndarray, dict[int, float], float]:
  """Places all bodies once.

  Args:
    bodies: Players, then objects.
    preferences: Preferred distances.
    ground: The ground to place them on.
    rng: Source of randomness.
    tight: If true, uses only the centres of tiles, which packs best.

  Returns:
    Positions [n, 2], yaws of the bodies for which they matter, and the total
    metres by which preferences are missed.

  Raises:
    ValueError: If there is no room for a body.
  """
  radii = np.array([body.radius for body in bodies])
  xy = np.zeros((len(bodies), 2))
  facing: dict[int, float] = {}
  # Bodies that touch each other along one axis, by body.
  lines: dict[int, list[int]] = {}
  missed = 0.0
  placed = [i for i, body in enumerate(bodies) if body.at is not None]
  for i in placed:
    xy[i] = bodies[i].at
  # A body that goes next to another comes soon after it, while there is space,
  # so the order is: given positions, bodies to place together, the rest.
  for i in dict.fromkeys([*preferences.partner, *range(len(bodies))]):
    if i in placed:
      continue
    taken = xy[placed]
    least = radii[i] + radii[placed] + (2 * CLEARANCE - _ROUNDING)
    wanted = preferences.least[i, placed]
    most = preferences.most[i, placed]
    groups = [ground.centres(rng) if tight else ground.anywhere(rng, radii[i])]
    yaws = np.zeros(0)
    partner = preferences.partner.get(i, -1)
    if i in preferences.contact:
      group, yaws = _contact(bodies, (partner, i), xy[partner], facing, rng)
      level = ground.on_level_of(group, xy[partner], radii[i])
      groups.insert(0, group[level])
      yaws = yaws[level]
      # In a line, only depths matter, not bounding circles.
      for other in lines.get(partner, ()):
        depth = bodies[i].half_depth + bodies[other].half_depth
        least[placed.index(other)] = depth + 2 * CLEARANCE - _ROUNDING
      least[placed.index(partner)] = 0.0
    elif partner >= 0 and not tight:
      nearest = radii[i] + radii[partner] + 2 * CLEARANCE
      groups.insert(0, ground.around(rng, radii[i], xy[partner], nearest))
    for group, positions in enumerate(groups):
      gaps = positions[:, None] - taken
      gaps *= gaps
      gaps = np.sqrt(gaps[..., 0] + gaps[..., 1])
      free = (gaps >= least).all(-1)
      short = np.maximum(wanted - gaps, 0).sum(-1)
      short += np.maximum(gaps - most, 0).sum(-1)
      short[~free] = np.inf
      if not len(short):
        continue
      best = short.argmin()
      if short[best] < np.inf:
        xy[i] = positions[best]
        if group == 0 and len(yaws):
          facing[i] = facing[partner] = float(yaws[best])
          # Bodies touch a player from any side, so its lines have one each.
          line = [partner]
          if not is_player(bodies[partner]):
            line = lines.setdefault(partner, line)
          line.append(i)
          lines[i] = line
        bisect.insort(placed, i)
        missed += short[best] + group
        break
    else:
      raise ValueError(
        f"no room for {bodies[i].name}, number {len(placed) + 1} of "
        f"{len(bodies)} players and objects, allowed: fewer objects or a "
        "larger arena"
      )
  return xy, facing, missed


def place_all(
  task: Task, terrain: Terrain, rng: np.random.Generator
) -> tuple[np.ndarray, dict[int, float]]:
  """Places players and objects so that preferences hold where possible.

  Where possible, no frozen object closes a passage, either.

  Args:
    task: The task.
    terrain: The terrain of its world.
    rng: Source of randomness.

  Returns:
    Positions, players first, [n, 2], and the yaws of the bodies for which they
    matter, by index.
  """
  bodies = bodies_of(task)
  if all(body.at is not None for body in bodies):
    return np.array([body.at for body in bodies]), {}
  region = terrain.main_region()
  if bodies[0].at is not None:
    x, y = tile_of(terrain.heights, np.array(bodies[0].at))
    region = terrain.regions == terrain.regions[x, y]
  preferences, ground = (
    _Preferences(task, bodies),
    LevelGround(terrain, region),
  )
  frozen = [i for i, x in enumerate(bodies) if x.frozen and x.at is None]
  radii = np.array([bodies[i].radius for i in frozen])
  best, least_missed, failure = None, np.inf, None
  for attempt in range(_ATTEMPTS):
    # The last attempt is only for crowded rooms.
    tight = attempt == _ATTEMPTS - 1
    if tight and best is not None:
      break
    try:
      xy, facing, missed = _place(bodies, preferences, ground, rng, tight)
    except ValueError as error:
      failure = error
      continue
    if frozen and passages.divides(terrain, xy[0], xy[frozen], radii):
      missed += _DIVIDED
    if missed < least_missed:
      best, least_missed = (xy, facing), missed
    if least_missed == 0:
      break
  if best is None:
    assert failure is not None
    raise failure
  return best
