"""Records of single steps of a batch of environments, for laws to read.

N: environments, P: players, S: slots, M = P + S: nodes, R: rules.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import terrain

# The environments in which a law is broken, with the reason.
Broken = Iterator[tuple[int, str]]

_STILL_METRES = 1e-4  # Largest movement per step of an object at rest.


class Transition(NamedTuple):
  """One step of a batch.

  Attributes:
    tasks: The current tasks, N.
    before: The state before the step.
    after: The state after it; if a trial or an episode started, its start.
    start: The state at the start of each episode.
    touching: Contacts that the game sensed in the step, bool [N, M, M].
    reward: Seconds of goal satisfaction, float32 [N, P].
    trial_reward: Sum of the rewards of the trial in which the step was taken,
      this one included, seconds, float [N, P].
    trial: Number of that trial, int [N].
    dropped: Spawns that found no free slot, int [N].
    first: Environments in which an episode started instead, bool [N].
    restarted: Environments in which the next trial started after the step, bool
      [N].
    still: Number of steps for which the object in each slot has not moved, int
      [N, S].
    way: Largest distance that the object in each slot moved in this step or in
      the one before, metres, float [N, S].
  """

  tasks: tuple[Task, ...]
  before: land.BatchView
  after: land.BatchView
  start: land.BatchView
  touching: np.ndarray
  reward: np.ndarray
  trial_reward: np.ndarray
  trial: np.ndarray
  dropped: np.ndarray
  first: np.ndarray
  restarted: np.ndarray
  still: np.ndarray
  way: np.ndarray

  @property
  def steady(self) -> np.ndarray:
    """Environments in which `after` continues `before`, bool [N]."""
    return ~(self.first | self.restarted)


class Recorder:
  """Environments whose every step is recorded.

  Attributes:
    view: The current state.
  """

  def __init__(self, environments: land.Land):
    """Starts an episode in every environment."""
    self._environments = environments
    environments.reset()
    self.view = copied(environments.batch_view())
    self._start = copied(self.view)
    config = environments.config
    shape = environments.num_envs, config.num_players
    self._rewards = np.zeros(shape)
    self._still = np.zeros((shape[0], config.num_slots), int)
    self._way = np.zeros(self._still.shape)
    self._dropped = np.zeros(shape[0], np.int64)

  def start(self) -> Transition:
    """Returns the start of the first episodes, before any step."""
    num_envs = self._environments.num_envs
    return Transition(
      tasks=tuple(self._environments.tasks),
      before=self.view,
      after=self.view,
      start=self._start,
      touching=self._environments.stepper.physics_state().touching,
      reward=np.zeros(self._rewards.shape, np.float32),
      trial_reward=self._rewards.copy(),
      trial=self.view.trial,
      dropped=np.zeros(num_envs, np.int64),
      first=np.ones(num_envs, bool),
      restarted=np.zeros(num_envs, bool),
      still=self._still,
      way=self._way,
    )

  def step(self, actions: np.ndarray) -> tuple[Transition, land.Step]:
    """Takes one action in every environment."""
    environments, before = self._environments, self.view
    step = environments.step(actions)
    self.view = after = copied(environments.batch_view())
    for kept, new in zip(self._start, after, strict=True):
      kept[step.first] = new[step.first]
    shape = environments.num_envs, environments.config.num_players
    reward = np.reshape(step.reward, shape)
    new_trial = before.step == 0
    self._rewards[new_trial] = 0.0
    self._rewards += reward
    moved = np.abs(after.object_pos - before.object_pos).max(-1)
    turned = np.abs(after.object_quat - before.object_quat).max(-1)
    rests = np.maximum(moved, turned) <= _STILL_METRES
    restarted = step.trial_last & ~step.last
    rests &= ~(step.first | restarted)[:, None]
    rests &= before.slot_types == after.slot_types
    self._still = (self._still + 1) * rests
    way = np.linalg.norm(after.object_pos - before.object_pos, axis=-1)
    last_way, self._way = self._way, way
    dropped = environments.dropped_spawns
    lost = np.where(step.first, 0, dropped - self._dropped)
    self._dropped = dropped
    transition = Transition(
      tasks=tuple(environments.tasks),
      before=before,
      after=after,
      start=self._start,
      touching=environments.stepper.physics_state().touching,
      reward=reward,
      trial_reward=self._rewards.copy(),
      trial=before.trial,
      dropped=lost,
      first=step.first,
      restarted=restarted,
      still=self._still,
      way=np.maximum(last_way, way),
    )
    return transition, step


def copied(view: land.BatchView) -> land.BatchView:
  """Returns a copy of a view."""
  return land.BatchView(*(np.array(array) for array in view))


def surface(view: land.BatchView, xy: np.ndarray) -> np.ndarray:
  """Returns the height of the ground below points of each environment.

  Args:
    view: The state.
    xy: Points, metres, float [N, K, 2].

  Returns:
    Heights, metres, float [N, K].
  """
  tiles = view.tiles[:, None]
  position = xy / constants.TILE_METRES + tiles / 2
  index = np.clip(np.floor(position), 0, tiles - 1).astype(int)
  x, y = np.moveaxis(np.clip(position - index, 0.0, 1.0), -1, 0)
  rows = np.arange(len(xy))[:, None], index[..., 0], index[..., 1]
  climbed = np.choose(view.ramps[rows], terrain.climbs(x, y))
  return (view.heights[rows] + climbed) * constants.LEVEL_METRES
