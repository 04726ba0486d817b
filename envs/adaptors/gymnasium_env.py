"""A batch of one as a `gymnasium.Env`."""

from typing import Any

import gymnasium
import numpy as np

from adaland.envs import constants, land
from adaland.envs.adaptors import first_person, gymnasium_spaces
from adaland.envs.sampling import task_sets
from adaland.envs.tasks.task import Task


class LandEnv(gymnasium.Env):
  """A single-player environment that plays tasks drawn from a set.

  Each reset draws a task uniformly. An episode has all trials of its task. It
  ends by time, which the observations include, so its end is `terminated`.
  `info["trial_last"]` is true where a trial ended, and `info["dropped_spawns"]`
  is the number of objects in this episode for which there was no slot.
  """

  metadata = {  # noqa: RUF012 (Gymnasium's own annotation)
    "render_modes": list(gymnasium_spaces.RENDER_MODES),
    "render_fps": 1 / constants.STEP_SECONDS,
  }

  def __init__(
    self,
    tasks: task_sets.TaskSet,
    config: land.LandConfig | None = None,
    render_mode: str | None = None,
  ):
    """Initializes the environment.

    Args:
      tasks: The tasks to draw from.
      config: Sizes and the kind of observation, with one player.
      render_mode: "rgb_array" lets `render` draw the player's view.
    """
    config = config or land.LandConfig()
    gymnasium_spaces.check(config, render_mode)
    self.render_mode = render_mode
    self.action_space = gymnasium_spaces.action_space()
    self.observation_space = gymnasium_spaces.observation_space(config)
    self._draws = task_sets.Draws(tasks, 0)
    self._land = land.Land(1, config, lambda _: self._draws.next())
    self._has_seed = False

  @property
  def task(self) -> Task:
    """The task being played."""
    return self._land.tasks[0]

  def reset(
    self, *, seed: int | None = None, options: dict[str, Any] | None = None
  ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Starts an episode of the next task.

    Args:
      seed: Seed of the tasks and of the avatars' yaw from now on.
      options: Must be empty.
    """
    super().reset(seed=seed)
    if options:
      raise ValueError(f"options is {options}, allowed: none")
    if seed is not None or not self._has_seed:
      land_seed, draws_seed = self.np_random.integers(2**31, size=2).tolist()
      self._land.seed(land_seed)
      self._draws.seed(draws_seed)
      self._has_seed = True
    step = self._land.reset()
    return _first(step.observation), self._info(step)

  def step(
    self, action: np.ndarray
  ) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
    """Takes an action, the indices of the six heads, int [6]."""
    step = self._land.step(np.asarray(action)[None])
    return (
      _first(step.observation),
      float(step.reward[0]),
      bool(step.last[0]),
      False,
      self._info(step),
    )

  def render(self) -> np.ndarray | None:
    """Returns the player's view, uint8 [240, 320, 3]."""
    if self.render_mode is None:
      return None
    return first_person.pictures(self._land)[0]

  def _info(self, step: land.Step) -> dict[str, Any]:
    return {
      "trial_last": bool(step.trial_last[0]),
      "dropped_spawns": int(self._land.dropped_spawns[0]),
    }


def _first(observation: dict[str, Any]) -> dict[str, np.ndarray]:
  return {name: np.array(value[0]) for name, value in observation.items()}
