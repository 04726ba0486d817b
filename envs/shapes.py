"""Geometry of the four object shapes, for physics and for world generation.

Lengths are metres in the object's own frame, whose origin is its centre of
mass and whose z axis points up when the object stands on its base.
"""

import math
from typing import Final, NamedTuple

from adaland.envs import constants

DENSITY: Final = 50.0  # Kilograms per cubic metre: foam, light enough to carry.


class Shape(NamedTuple):
  """Size of one shape.

  Attributes:
    half_extents: Half the size of the bounding box along x, y and z.
    centre_height: Height of the centre of mass above the ground, when the
      object stands on its base.
    footprint_radius: Radius of the smallest upright cylinder about the centre
      of mass that contains the object, at any yaw.
    bounding_radius: Radius of the smallest sphere about the centre of mass that
      contains the object, in any pose.
    volume: Volume in cubic metres.
  """

  half_extents: tuple[float, float, float]
  centre_height: float
  footprint_radius: float
  bounding_radius: float
  volume: float

  @property
  def mass(self) -> float:
    """Mass in kilograms."""
    return self.volume * DENSITY


def _box(x: float, y: float, z: float) -> Shape:
  return Shape(
    half_extents=(x, y, z),
    centre_height=z,
    footprint_radius=math.hypot(x, y),
    bounding_radius=math.hypot(x, y, z),
    volume=8 * x * y * z,
  )


def _ball(radius: float) -> Shape:
  return Shape(
    half_extents=(radius, radius, radius),
    centre_height=radius,
    footprint_radius=radius,
    bounding_radius=radius,
    volume=4 / 3 * math.pi * radius**3,
  )


def _pyramid(half_base: float, height: float) -> Shape:
  centre = height / 4  # A pyramid's centre of mass above its base.
  base_corner = math.hypot(half_base, half_base)
  return Shape(
    half_extents=(half_base, half_base, height / 2),
    centre_height=centre,
    footprint_radius=base_corner,
    bounding_radius=max(height - centre, math.hypot(base_corner, centre)),
    volume=(2 * half_base) ** 2 * height / 3,
  )


WALL: Final = _box(0.08, 0.4, 0.25)
CUBE: Final = _box(0.2, 0.2, 0.2)
SPHERE: Final = _ball(0.22)
PYRAMID: Final = _pyramid(0.25, 0.45)

# Indexed by shape id - 1, in the order of constants.SHAPES.
SHAPE_TABLE: Final = (WALL, CUBE, SPHERE, PYRAMID)


def shape_of_type(type_id: int) -> Shape:
  """Returns the geometry of an object type id (1 to 12, see `constants`)."""
  last = constants.NUM_OBJECT_TYPES
  if not 1 <= type_id <= last:
    raise ValueError(f"type_id is {type_id}, allowed: 1 to {last}")
  return SHAPE_TABLE[(type_id - 1) // constants.NUM_COLOURS]
