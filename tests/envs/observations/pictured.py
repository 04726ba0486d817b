"""A scene with everything that pictures can show."""

import numpy as np

from adaland.envs.physics import base
from tests.envs.physics import fakes

NUM_SLOTS = 12


def scene() -> base.Scene:
  """Returns all object types on hills with ramps, every other one frozen.

  Two players face each other across them, and a wall of terrain is behind.
  """
  heights, ramps = np.zeros((10, 10), int), np.zeros((10, 10), int)
  heights[7:, 2:5], heights[8:, 3:5] = 1, 2
  heights[:2, 7:], heights[4:6, 9] = 1, 3
  ramps[6, 2:5], ramps[7, 3] = 1, 1  # Up along x.
  heights[6, 2:5] = 0
  ramps[0:2, 6] = 2  # Up along y.
  objects = []
  for kind in range(1, 13):
    row, column = divmod(kind - 1, 4)
    objects.append((kind, 1.2 * column - 1.9, 1.1 * row - 1.3))
  return fakes.scene(
    *objects,
    num_slots=NUM_SLOTS,
    heights=heights,
    ramps=ramps,
    frozen=range(0, 12, 2),
    yaws=np.linspace(0.1, 3.0, 12).tolist(),
    players=[(-3.6, -0.2, 0.0), (3.4, 0.3, 0.0)],
  )
