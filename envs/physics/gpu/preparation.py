"""Preparation of scenes for the gpu back end: the costly work on the host.

It needs no device, so it can be done in advance, in another process.

P: players, S: slots, M = P + S: nodes.
"""

from typing import NamedTuple

import numpy as np

from adaland.envs import constants
from adaland.envs.physics import base, models, terrain
from adaland.envs.physics.gpu import model


class PreparedScene(NamedTuple):
  """A scene with the results of its preparation.

  Attributes:
    scene: The scene.
    ground: The pieces of its terrain.
    touching: Reported contacts among frozen objects, symmetric, bool [M, M].
  """

  scene: base.Scene
  ground: terrain.Pieces
  touching: np.ndarray


def prepare(scene: base.Scene) -> PreparedScene:
  """Finds the pieces of the terrain and the contacts of frozen objects."""
  num_players = len(scene.player_at)
  players = constants.PLAYER_TYPE_IDS[:num_players]
  types = np.array([*players, *scene.slot_types])
  touching = np.zeros((len(types), len(types)), bool)
  for pair in model.fixed_contacts(scene):
    first, second = (num_players + slot for slot in pair)
    touching[first, second] = touching[second, first] = True
  touching &= scene.contacts[types[:, None], types]
  return PreparedScene(scene, models.pieces(scene), touching)
