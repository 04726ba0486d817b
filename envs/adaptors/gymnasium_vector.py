"""`Land` as a `gymnasium.vector.VectorEnv`."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import utils

from adaland.envs import constants, land
from adaland.envs.adaptors import first_person, gymnasium_spaces
from adaland.envs.sampling import task_sets
from adaland.envs.stepping import seeds
from adaland.envs.tasks.task import Task


class LandVectorEnv(gymnasium.vector.VectorEnv):
  """A batch of single-player environments that restart after each episode.

  Each episode plays a task drawn uniformly from a set, by a generator with the
  environment's seed. The step after an episode's end ignores the action and
  returns the next episode's first observation (Gymnasium's NEXT_STEP).
  Episodes end only by time, which the observations include, so their end is
  `terminated`. `info["trial_last"]` is true where a trial ended, and
  `info["dropped_spawns"]` is the number of objects in this episode for which
  there was no slot.
  """

  def __init__(
    self,
    num_envs: int,
    tasks: task_sets.TaskSet,
    config: land.LandConfig | None = None,
    seed: int | None = None,
    render_mode: str | None = None,
  ):
    """Initializes the batch.

    Args:
      num_envs: Number of environments.
      tasks: The tasks to draw from.
      config: Sizes and the kind of observation, with one player.
      seed: Seed of the tasks and of the avatars' yaw, as in `Land`; None draws
        one. `reset` may replace it.
      render_mode: "rgb_array" lets `render` draw the players' views.
    """
    config = config or land.LandConfig()
    gymnasium_spaces.check(config, render_mode)
    self.num_envs = seeds.checked_num_envs(num_envs)
    self.render_mode = render_mode
    self.metadata = {
      "render_modes": list(gymnasium_spaces.RENDER_MODES),
      "render_fps": 1 / constants.STEP_SECONDS,
      "autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP,
    }
    self.single_action_space = gymnasium_spaces.action_space()
    self.action_space = utils.batch_space(self.single_action_space, num_envs)
    self.single_observation_space = gymnasium_spaces.observation_space(config)
    self.observation_space = utils.batch_space(
      self.single_observation_space, num_envs
    )
    if seed is None:
      seed = int(np.random.default_rng().integers(2**31))
    self._land = land.Land(num_envs, config, self._next_task, seed)
    self._draws = [
      task_sets.Draws(tasks, env_seed) for env_seed in self._land.seeds
    ]

  @property
  def tasks(self) -> tuple[Task, ...]:
    """The tasks being played, one for each environment."""
    return tuple(self._land.tasks)

  def reset(
    self,
    *,
    seed: int | list[int | None] | None = None,
    options: dict[str, Any] | None = None,
  ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Starts new episodes in all environments, with new seeds where given.

    Args:
      seed: As in `Land.seed`; None keeps the current seeds and continues the
        sequence of tasks.
      options: Must be empty.

    Raises:
      ValueError: If there are options, or a seed is not an integer from 0.
    """
    if options:
      raise ValueError(f"options is {options}, allowed: none")
    if seed is not None:
      self._seed(seed)
    step = self._land.reset()
    return gymnasium_spaces.arrays(step.observation), self._info(step)

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
      gymnasium_spaces.arrays(step.observation),
      np.asarray(step.reward, np.float64),
      step.last.copy(),
      truncated,
      self._info(step),
    )

  def render(self) -> tuple[np.ndarray, ...] | None:
    """Returns each player's view, uint8 [240, 320, 3]."""
    if self.render_mode is None:
      return None
    return tuple(first_person.pictures(self._land))

  def _seed(self, seed: int | list[int | None]) -> None:
    self._land.seed(seed)
    if isinstance(seed, (int, np.integer)):
      super().reset(seed=int(seed))  # Seeds `np_random`.
    for i, draws in enumerate(self._draws):
      if isinstance(seed, (int, np.integer)) or seed[i] is not None:
        draws.seed(self._land.seeds[i])

  def _next_task(self, env: int) -> Task:
    return self._draws[env].next()

  def _info(self, step: land.Step) -> dict[str, np.ndarray]:
    return {
      "trial_last": step.trial_last.copy(),
      "dropped_spawns": self._land.dropped_spawns,
    }
