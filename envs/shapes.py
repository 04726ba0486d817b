"""Geometry of the object shapes, for physics and for world generation."""

from typing import Final

from adaland.envs import constants, tables

WALL, CUBE, SPHERE, PYRAMID = tables.SHAPES[:4]
# In the order of constants.SHAPES.
SHAPE_TABLE: Final = tables.SHAPES


def shape_of_type(type_id: int) -> tables.Shape:
  """Returns the geometry of an object type id (see `constants`)."""
  last = constants.NUM_OBJECT_TYPES
  if not 1 <= type_id <= last:
    raise ValueError(f"type_id is {type_id}, allowed: 1 to {last}")
  return SHAPE_TABLE[(type_id - 1) // constants.NUM_COLOURS]
