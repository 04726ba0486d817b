"""The state of a world as numbers, for the page to draw."""

from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.observations import vision
from adaland.envs.physics import base

_DIGITS = 3  # Millimetres.


def ground(heights: np.ndarray, ramps: np.ndarray, seed: int) -> dict[str, Any]:
  """Returns the ground, with the look that agents with pixels see.

  Args:
    heights: Level of each tile, int [X, Y].
    ramps: Form of each tile, int [X, Y].
    seed: The world's seed.

  Returns:
    "heights" and "ramps", lists [X][Y]; "look", with the colours "low" and
    "high" of the lowest and the highest level, the light's "tint" and its
    direction "light", see `vision.Look`.
  """
  look = vision.look(seed)._asdict()
  return {
    "heights": heights.tolist(),
    "ramps": ramps.tolist(),
    "look": {name: _rounded(value) for name, value in look.items()},
  }


def start(scene: base.Scene, seed: int) -> dict[str, Any]:
  """Returns a task's ground and its objects and players at the start.

  Args:
    scene: The task's scene.
    seed: The seed of the task's world.

  Returns:
    The fields of `ground`; "objects", [type, x, y, z, yaw, frozen] each;
    "players", [x, y, z] each.
  """
  objects = [
    [
      int(kind),
      *_rounded(scene.slot_at[slot]),
      round(float(scene.slot_yaw[slot]), _DIGITS),
      int(scene.slot_frozen[slot]),
    ]
    for slot, kind in enumerate(scene.slot_types)
    if kind
  ]
  return {
    **ground(scene.heights, scene.ramps, seed),
    "objects": objects,
    "players": [_rounded(at) for at in scene.player_at],
  }


def frame(view: land.WorldView) -> dict[str, Any]:
  """Returns the poses of a state.

  Args:
    view: The state.

  Returns:
    "k", the trial, and "t", the step, from 0; "p", for each player [x, y, z,
    yaw, pitch, held slot, hand's distance]; "o", for each object [slot, type,
    x, y, z, w, qx, qy, qz], metres and a quaternion; "v", the slots that the
    first player sees.
  """
  players = len(view.player_pos)
  return {
    "k": view.trial,
    "t": view.step,
    "p": [
      [
        *_rounded(view.player_pos[i]),
        round(float(view.yaw[i]), _DIGITS),
        round(float(view.pitch[i]), _DIGITS),
        int(view.held[i]),
        round(float(view.hand_distance[i]), _DIGITS),
      ]
      for i in range(players)
    ],
    "o": [
      [
        slot,
        int(kind),
        *_rounded(view.object_pos[slot]),
        *_rounded(view.object_quat[slot]),
      ]
      for slot, kind in enumerate(view.slot_types)
      if kind
    ],
    "v": np.flatnonzero(view.visible[0, players:]).tolist(),
  }


def _rounded(values: np.ndarray) -> list[float]:
  return np.round(np.asarray(values, np.float64), _DIGITS).tolist()
