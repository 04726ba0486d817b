"""Bodies to place in a world: its players and objects."""

import functools
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.tasks.task import Player, Position, Task

_HEIGHTS = 1001  # Number of heights at which bodies may touch.


class Body(NamedTuple):
  """A player or an object to place.

  Attributes:
    name: Its name in errors.
    type_id: Its type id.
    radius: Radius of the upright cylinder that contains it at any yaw, metres.
    at: Its given position, metres; None if it is to be drawn.
    half_depth: Half its size along its own x axis, metres.
    frozen: Whether it never moves.
  """

  name: str
  type_id: int
  radius: float
  at: Position
  half_depth: float
  frozen: bool = False


def bodies_of(task: Task) -> list[Body]:
  """Returns players, then objects in the order of their slots."""
  bodies = [
    Body(
      f"player{i + 1}",
      Player(i + 1).type_id,
      constants.AVATAR_RADIUS,
      at,
      constants.AVATAR_RADIUS,
    )
    for i, at in enumerate(player.at for player in task.players)
  ]
  for spec in task.objects:
    kind = spec.type
    shape = shapes.shape_of_type(kind.type_id)
    bodies += [
      Body(
        kind.name,
        kind.type_id,
        shape.footprint_radius,
        at,
        shape.half_extents[0],
        spec.frozen,
      )
      for at in spec.at
    ]
  return bodies


def is_player(body: Body) -> bool:
  """Returns True for a player."""
  return body.type_id > constants.NUM_OBJECT_TYPES


def _top(type_id: int) -> float:
  """Returns a body's height, in metres."""
  if type_id > constants.NUM_OBJECT_TYPES:
    return constants.AVATAR_HEIGHT
  return shapes.top(shapes.shape_of_type(type_id))


def _half_depths(type_id: int, heights: np.ndarray) -> np.ndarray:
  """Returns how far a body reaches along its x axis at heights [n], metres."""
  if type_id <= constants.NUM_OBJECT_TYPES:
    return shapes.half_depths(shapes.shape_of_type(type_id), heights)
  radius = constants.AVATAR_RADIUS  # A capsule's.
  straight = np.clip(heights, radius, constants.AVATAR_HEIGHT - radius)
  return np.sqrt(np.maximum(radius**2 - (heights - straight) ** 2, 0.0))


@functools.cache
def reach(type_id: int, other_id: int) -> float:
  """Returns the distance at which two bodies touch along their x axes.

  It is the largest sum of their half depths at any height: a sphere touches a
  pyramid above its base.

  Args:
    type_id: Type of a body on level ground, an object or a player.
    other_id: Type of the other.

  Returns:
    Metres between their centres along the ground.
  """
  heights = np.linspace(0.0, min(_top(type_id), _top(other_id)), _HEIGHTS)
  both = _half_depths(type_id, heights) + _half_depths(other_id, heights)
  return float(both.max())
