"""Geometry of the object shapes, for physics and for world generation."""

import itertools
from typing import Final

import numpy as np

from adaland.envs import constants, tables

_ROUNDING = 1e-9  # So that both ends of an edge count.

WALL, CUBE, SPHERE, PYRAMID = tables.SHAPES[:4]
# In the order of constants.SHAPES.
SHAPE_TABLE: Final = tables.SHAPES


def shape_of_type(type_id: int) -> tables.Shape:
  """Returns the geometry of an object type id (see `constants`)."""
  last = constants.NUM_OBJECT_TYPES
  if not 1 <= type_id <= last:
    raise ValueError(f"type_id is {type_id}, allowed: 1 to {last}")
  return SHAPE_TABLE[(type_id - 1) // constants.NUM_COLOURS]


def top(shape: tables.Shape) -> float:
  """Returns the height of a shape that stands on its base, in metres."""
  above = max((z for _, _, z in shape.corners), default=shape.half_extents[2])
  return shape.centre_height + above


def half_depths(shape: tables.Shape, heights: np.ndarray) -> np.ndarray:
  """Returns how far a shape reaches to either side along its own x axis.

  Args:
    shape: A shape that stands on its base.
    heights: Heights above the ground, from 0 to the shape's top [n].

  Returns:
    The largest |x| of its points at these heights, metres [n].
  """
  z = heights - shape.centre_height
  if shape.form == "box":
    return np.full(z.shape, shape.half_extents[0])
  if shape.form == "ball":
    return np.sqrt(np.maximum(shape.half_extents[0] ** 2 - z**2, 0.0))
  # On a hull, the largest |x| at a height is on an edge between two corners.
  found = np.full(z.shape, -np.inf)
  for (x1, _, z1), (x2, _, z2) in itertools.permutations(shape.corners, 2):
    if z1 < z2:
      share = (z - z1) / (z2 - z1)
      on_edge = (share > -_ROUNDING) & (share < 1 + _ROUNDING)
      at = np.abs(x1 + share * (x2 - x1))
      found = np.where(on_edge, np.maximum(found, at), found)
  return found
