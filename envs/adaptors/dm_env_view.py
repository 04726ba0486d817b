"""A batch of one as a `dm_env.Environment`."""

from collections.abc import Callable
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from adaland.envs import constants, land
from adaland.envs.tasks.task import Task


class LandEnv(dm_env.Environment):
  """A single-player environment whose episodes have all trials of a task.

  Actions are the indices of the six heads, int32 [6]. The discount is 0 at an
  episode's end, and 1 otherwise, including between trials.
  """

  def __init__(
    self,
    next_task: Callable[[int], Task],
    config: land.LandConfig | None = None,
    seed: int = 0,
  ):
    """Initializes the environment.

    Args:
      next_task: Returns the task of each episode; called with 0.
      config: Sizes and the kind of observation, with one player.
      seed: Seed of the avatar's yaw at each trial's start.
    """
    config = config or land.LandConfig()
    if config.num_players != 1:
      raise ValueError(f"num_players is {config.num_players}, allowed: 1")
    self._config = config
    self.land = land.Land(1, config, next_task, seed)
    self._needs_start = True

  def reset(self) -> dm_env.TimeStep:
    """Starts a new episode with the next task."""
    step = self.land.reset()
    self._needs_start = False
    return dm_env.restart(_first(step.observation))

  def step(self, action: np.ndarray) -> dm_env.TimeStep:
    """Takes an action; after an episode's end, starts the next episode."""
    if self._needs_start:
      return self.reset()
    step = self.land.step(np.asarray(action)[None])
    observation, reward = _first(step.observation), float(step.reward[0])
    if step.last[0]:
      self._needs_start = True
      return dm_env.termination(reward, observation)
    return dm_env.transition(reward, observation)

  # Any: dm_env's abstract methods lack annotations; checkers infer None.
  def observation_spec(self) -> Any:
    """Returns the specs of the observations, a dict of `specs.Array`."""
    return {
      name: specs.Array(shape, dtype, name)
      for name, (shape, dtype) in land.observation_spec(self._config).items()
    }

  def action_spec(self) -> Any:
    """Returns the spec of the heads' indices, a `specs.BoundedArray`."""
    sizes = np.asarray(constants.ACTION_SIZES, np.int32)
    return specs.BoundedArray(sizes.shape, np.int32, 0, sizes - 1, "action")

  def reward_spec(self) -> specs.BoundedArray:
    """Returns the spec of a step's reward, in seconds."""
    most = float(np.float32(constants.STEP_SECONDS))
    return specs.BoundedArray((), float, 0, most, "reward")


def _first(observation: dict[str, Any]) -> dict[str, Any]:
  # Copied, to be writable arrays and not NumPy scalars.
  return {name: np.array(value[0]) for name, value in observation.items()}
