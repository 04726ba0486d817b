"""Checks that a task is valid in its world.

`tasks.task.Task` checks everything that can be checked without the world. Here
the world is built: there must be room, no bodies may overlap, and no goal may
be impossible because of frozen objects, ground that is out of reach, or frozen
objects that block the way to it.
"""

from collections.abc import Sequence

import numpy as np

from adaland.envs import constants
from adaland.envs.physics import base
from adaland.envs.tasks import feasibility
from adaland.envs.tasks.literals import ObjectType
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import barriers, regions, scene

_SLACK = 0.05  # Metres; only points clearly out of reach are rejected.


def check(task: Task) -> None:
  """Checks a task.

  Raises:
    ValueError: If its world has no room for its objects, bodies at given
      positions overlap or are on an inner wall, or a player's goal can never
      hold; the error says why.
  """
  start = scene.build_scene(task, constants.MAX_OBJECTS, len(task.players))
  _refuse(task, feasibility.judge(task, instances(start)))
  floor = barriers.Floor(start)
  needed = floor.obstacles
  if not needed or (blocked := _blocked(task, start, floor, needed)) is None:
    return
  if _blocked(task, start, floor, []) is not None:
    return  # It is not because of the obstacles.
  for slot in floor.obstacles:
    fewer = [other for other in needed if other != slot]
    if (without := _blocked(task, start, floor, fewer)) is not None:
      needed, blocked = fewer, without
  verdict, found = blocked
  names = " and ".join(_name(start, slot) for slot in needed)
  verb = "blocks" if len(needed) == 1 else "block"
  away = _cut_off(task, instances(start, floor.reached([], True)), found)
  _refuse(task, verdict, f"{names} {verb} the way to {away}, and ")


def _refuse(task: Task, verdict: feasibility.Verdict, cause: str = "") -> None:
  """Raises ValueError if a goal can never hold."""
  for number, (player, reason) in enumerate(
    zip(task.players, verdict.goals, strict=True)
  ):
    if reason is not None:
      raise ValueError(
        f"players[{number}].goal is '{player.goal}', which can never hold: "
        f"{cause}{reason}"
      )


def _name(start: base.Scene, slot: int) -> str:
  kind = ObjectType.from_type_id(int(start.slot_types[slot])).name
  x, y = start.slot_at[slot, :2]
  return f"the frozen {kind} at ({x:.2f}, {y:.2f})"


def _cut_off(
  task: Task,
  before: Sequence[feasibility.Instance],
  after: Sequence[feasibility.Instance],
) -> str:
  """Returns the names of the objects in literals that have got out of reach."""
  literals = [player.goal for player in task.players]
  literals += [rule.condition for rule in task.rules]
  needed = {kind for literal in literals for kind in literal.object_types}
  away = {
    f"the {now.type.name}"
    for then, now in zip(before, after, strict=True)
    if then != now and now.type in needed
  }
  return " and ".join(sorted(away))


def _blocked(
  task: Task,
  start: base.Scene,
  floor: barriers.Floor,
  obstacles: Sequence[int],
) -> tuple[feasibility.Verdict, list[feasibility.Instance]] | None:
  """Returns a verdict in which a goal is impossible; None if all are possible.

  Args:
    task: The task.
    start: Its scene.
    floor: The ground.
    obstacles: The obstacles to consider, slots.

  Returns:
    The verdict, and the objects on which it is based.
  """
  standing, loose = list(obstacles), False
  while True:
    found = instances(start, floor.reached(standing, loose))
    verdict = feasibility.judge(task, found)
    if all(reason is None for reason in verdict.goals):
      return None
    fired = [
      rule
      for index, rule in enumerate(task.rules)
      if index not in verdict.rules
    ]
    movable = {kind for rule in fired for kind in rule.spawns}
    movable |= {
      each.type for each in found if each.in_reach and not each.frozen
    }
    if any(barriers.is_step(kind.type_id) for kind in movable):
      return None
    # A rule may make them vanish.
    gone = {kind for rule in fired for kind in rule.condition.object_types}
    left = [
      slot
      for slot in standing
      if ObjectType.from_type_id(int(start.slot_types[slot])) not in gone
    ]
    if (left, bool(movable)) == (standing, loose):
      return verdict, found
    standing, loose = left, bool(movable)


def instances(
  start: base.Scene, ground: barriers.Cells | None = None
) -> list[feasibility.Instance]:
  """Returns the objects of a scene, and whether players can reach them.

  Args:
    start: The scene.
    ground: The ground that some player may reach; None if no object is in the
      way.
  """
  if ground is None:
    ground = _tiles(start)
  used = np.flatnonzero(start.slot_types)
  at = start.slot_at[used]
  eye = _distance(ground, at, constants.EYE_HEIGHT)
  body = _distance(ground, at, constants.AVATAR_HEIGHT / 2)
  return [
    feasibility.Instance(
      type=ObjectType.from_type_id(int(start.slot_types[slot])),
      frozen=bool(start.slot_frozen[slot]),
      at=tuple(at[row].tolist()),
      near=bool(body[row] <= constants.NEAR_METRES + _SLACK),
      in_reach=bool(eye[row] <= constants.REACH_METRES + _SLACK),
    )
    for row, slot in enumerate(used)
  ]


def _tiles(start: base.Scene) -> barriers.Cells:
  """Returns the tiles that some player can reach."""
  heights, ramps = start.heights, start.ramps
  reach = regions.reachable(heights, ramps, start.player_at[:, :2])
  foot = heights[reach] * constants.LEVEL_METRES
  return barriers.Cells(
    (np.argwhere(reach) - np.array(heights.shape) / 2) * constants.TILE_METRES,
    constants.TILE_METRES,
    foot,
    foot + (ramps[reach] > 0) * constants.LEVEL_METRES,
  )


def _distance(
  ground: barriers.Cells, at: np.ndarray, height: float
) -> np.ndarray:
  """Returns how close a player can get a part of its body to points.

  Args:
    ground: The ground that some player may reach.
    at: The points, float [n, 3].
    height: Height of the part above the feet, metres.

  Returns:
    Metres, float [n].
  """
  found = np.empty(len(at))
  for row, point in enumerate(at):
    gap = point[:2] - np.clip(
      point[:2], ground.low, ground.low + ground.side
    )  # [k, 2]
    rise = point[2] - height
    rise = rise - np.clip(rise, ground.foot, ground.top)
    found[row] = np.sqrt((gap**2).sum(-1) + rise**2).min()
  return found
