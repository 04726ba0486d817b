"""Checks that a task is valid in its world.

`tasks.task.Task` checks everything that can be checked without the world. Here
the world is built: there must be room, no bodies may overlap, and no goal may
be impossible because of frozen objects or ground that is out of reach.
"""

import numpy as np

from adaland.envs import constants
from adaland.envs.physics import base
from adaland.envs.tasks import feasibility
from adaland.envs.tasks.literals import ObjectType
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import regions, scene

_SLACK = 0.05  # Metres; only points clearly out of reach are rejected.


def check(task: Task) -> None:
  """Checks a task.

  Raises:
    ValueError: If its world has no room for its objects, bodies at given
      positions overlap or are on an inner wall, or a player's goal can never
      hold; the error says why.
  """
  start = scene.build_scene(task, constants.MAX_OBJECTS, len(task.players))
  verdict = feasibility.judge(task, instances(start))
  for number, (player, reason) in enumerate(
    zip(task.players, verdict.goals, strict=True)
  ):
    if reason is not None:
      raise ValueError(
        f"players[{number}].goal is '{player.goal}', which can never hold: "
        f"{reason}"
      )


def instances(start: base.Scene) -> list[feasibility.Instance]:
  """Returns the objects of a scene, and whether players can reach them."""
  used = np.flatnonzero(start.slot_types)
  at = start.slot_at[used]
  eye = _distance(start, at, constants.EYE_HEIGHT)
  body = _distance(start, at, constants.AVATAR_HEIGHT / 2)
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


def _distance(start: base.Scene, at: np.ndarray, height: float) -> np.ndarray:
  """Returns how close a player can get a part of its body to points.

  Args:
    start: The scene.
    at: The points, float [n, 3].
    height: Height of the part above the feet, metres.

  Returns:
    Metres, float [n].
  """
  heights, ramps = start.heights, start.ramps
  reach = regions.reachable(heights, ramps, start.player_at[:, :2])
  tiles = np.argwhere(reach)  # [k, 2]
  low = (tiles - np.array(heights.shape) / 2) * constants.TILE_METRES
  over = at[:, None, :2]
  gap = over - np.clip(over, low, low + constants.TILE_METRES)  # [n, k, 2]
  foot = heights[reach] * constants.LEVEL_METRES
  top = foot + (ramps[reach] > 0) * constants.LEVEL_METRES
  rise = at[:, None, 2] - height
  rise = rise - np.clip(rise, foot, top)  # [n, k]
  return np.sqrt((gap**2).sum(-1) + rise**2).min(axis=1)
