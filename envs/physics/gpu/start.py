"""What the gpu back end loads for a task: all that takes the host time.

Nothing here needs a device, so it may be done ahead, in another process.

P: players, S: slots, M = P + S: nodes.
"""

from typing import NamedTuple

import numpy as np

from adaland.envs.physics import base, models, terrain
from adaland.envs.physics.gpu import model


class Start(NamedTuple):
  """A scene, and what is found out of it.

  Attributes:
    scene: The scene.
    ground: The pieces of its terrain.
    touching: Frozen objects in touch, symmetric, bool [M, M].
  """

  scene: base.Scene
  ground: terrain.Pieces
  touching: np.ndarray


def make(scene: base.Scene) -> Start:
  """Finds out what takes time."""
  num_players = len(scene.player_at)
  nodes = num_players + len(scene.slot_types)
  touching = np.zeros((nodes, nodes), bool)
  for pair in model.fixed_contacts(scene):
    first, second = (num_players + slot for slot in pair)
    touching[first, second] = touching[second, first] = True
  return Start(scene, models.pieces(scene), touching)
