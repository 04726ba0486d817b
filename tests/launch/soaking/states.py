"""A state and a step of a batch of one environment, for laws and stunts."""

import numpy as np

from adaland.envs import constants, land
from adaland.envs.physics import parts
from adaland.envs.tasks.task import Task
from adaland.launch.soaking import transitions

PARKED = np.array(parts.PARKING, np.float32)
CUBE, SPHERE = 4, 7
_TASK = Task.of(
  goal="near(player1, black cube)",
  objects=["black cube", "black cube"],
  rules=["touching(player1, black cube) -> black sphere"],
)


def room() -> land.BatchView:
  """Returns a flat room with two cubes and an empty slot, in one environment.

  The player is at the centre, near the first cube.
  """
  pos = np.array([[0.8, 0, 0.2], [2, 0, 0.2], PARKED], np.float32)
  tiles = (1, constants.MAX_TILES, constants.MAX_TILES)
  return land.BatchView(
    slot_types=np.array([[CUBE, CUBE, 0]], np.int32),
    frozen=np.zeros((1, 3), bool),
    object_pos=pos[None],
    object_quat=np.tile(np.array([1, 0, 0, 0], np.float32), (1, 3, 1)),
    held=np.full((1, 1), -1, np.int32),
    hand_distance=np.zeros((1, 1), np.float32),
    player_pos=np.zeros((1, 1, 3), np.float32),
    yaw=np.zeros((1, 1), np.float32),
    pitch=np.zeros((1, 1), np.float32),
    visible=np.zeros((1, 1, 4), bool),
    trial=np.zeros(1, np.int32),
    step=np.ones(1, np.int32),
    trials=np.full(1, 2, np.int32),
    tiles=np.full((1, 2), 8, np.int32),
    heights=np.zeros(tiles, np.int32),
    ramps=np.zeros(tiles, np.int32),
    trial_rewards=np.full((1, 2, 1), constants.STEP_SECONDS),
    fired=np.zeros((1, 1), bool),
    last_action=np.ones((1, 1, 6), np.int32),
    last_reward=np.zeros((1, 1), np.float32),
  )


def transition() -> transitions.Transition:
  """Returns a step in which nothing moved and the goal held."""
  return transitions.Transition(
    tasks=(_TASK,),
    before=room(),
    after=room(),
    start=room(),
    touching=np.zeros((1, 4, 4), bool),
    reward=np.full((1, 1), constants.STEP_SECONDS),
    trial_reward=np.full((1, 1), constants.STEP_SECONDS),
    trial=np.zeros(1, np.int32),
    dropped=np.zeros(1, np.int64),
    first=np.zeros(1, bool),
    restarted=np.zeros(1, bool),
    still=np.full((1, 3), 9),
    way=np.zeros((1, 3)),
  )
