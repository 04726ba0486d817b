"""`Land` as a `gymnasium.vector.VectorEnv`."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import utils

from adaland.envs import constants
from adaland.envs import land as land_lib
from adaland.envs.tasks.task import Task


class LandVectorEnv(gymnasium.vector.VectorEnv):
  """A batch of single-player environments that start anew by themselves.

  The step after an episode's end ignores the action and returns the next
  episode's first observation (Gymnasium's NEXT_STEP). Episodes end by time
  only, which the observations tell, so that their end is `terminated`.
  `info["trial_last"]` says where a trial ended, `info["dropped_spawns"]` how
  many objects found no slot in this episode.
  """

  def __init__(
    self,
    num_envs: int,
    next_task: Callable[[int], Task],
    config: land_lib.LandConfig | None = None,
    seed: int = 0,
  ):
    """Initializes the batch.

    Args:
      num_envs: Environments.
      next_task: Gives the next task of environment i.
      config: Sizes and the kind of observation, one player.
      seed: Of the avatars' yaw, as `Land` takes it; `reset` may replace it.
    """
    config = config or land_lib.LandConfig()
    if config.num_players != 1:
      raise ValueError(f"num_players is {config.num_players}, allowed: 1")
    self._land = land_lib.Land(num_envs, config, next_task, seed)
    self.num_envs = num_envs
    self.metadata = {
      "render_modes": [],
      "autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP,
    }
    self.single_action_space = spaces.MultiDiscrete(
      np.asarray(constants.ACTION_SIZES)
    )
    self.action_space = utils.batch_space(self.single_action_space, num_envs)
    self.single_observation_space = spaces.Dict(
      {
        name: _space(name, shape, dtype)
        for name, (shape, dtype) in land_lib.observation_spec(config).items()
      }
    )
    self.observation_space = utils.batch_space(
      self.single_observation_space, num_envs
    )

  def reset(
    self,
    *,
    seed: int | list[int | None] | None = None,
    options: dict[str, Any] | None = None,
  ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Starts new episodes everywhere, with new seeds where given.

    Args:
      seed: As the constructor takes it; None goes on with the present ones.
      options: None are known.
    """
    if options:
      raise ValueError(f"options is {options}, allowed: none")
    if isinstance(seed, int):
      self._land.seed(seed)
    elif seed is not None:
      present = self._land.seeds
      self._land.seed(
        [p if s is None else s for p, s in zip(present, seed, strict=True)]
      )
    step = self._land.reset()
    return _on_host(step.observation), self._info(step)

  def step(
    self, actions: np.ndarray
  ) -> tuple[
    dict[str, np.ndarray],
    np.ndarray,
    np.ndarray,
    np.ndarray,
    dict[str, np.ndarray],
  ]:
    """Takes one action in every environment."""
    step = self._land.step(actions)
    truncated = np.zeros(self.num_envs, bool)
    return (
      _on_host(step.observation),
      np.asarray(step.reward, np.float64),
      step.last,
      truncated,
      self._info(step),
    )

  def _info(self, step: land_lib.Step) -> dict[str, np.ndarray]:
    return {
      "trial_last": step.trial_last,
      "dropped_spawns": self._land.dropped_spawns.copy(),
    }


def _on_host(observation: dict[str, Any]) -> dict[str, np.ndarray]:
  """As NumPy arrays, whatever the back end gives."""
  return {name: np.asarray(value) for name, value in observation.items()}


def _space(name: str, shape: tuple[int, ...], dtype: np.dtype) -> spaces.Box:
  """The space of one observation."""
  low, high = {
    "goal": (0, constants.NUM_SHAPE_IDS),
    "rules": (0, constants.NUM_SHAPE_IDS),
    "last_action": (-1, max(constants.ACTION_SIZES) - 1),
    "pixels": (0, 255),
  }.get(name, (-np.inf, np.inf))
  return spaces.Box(low, high, shape, dtype.type)
