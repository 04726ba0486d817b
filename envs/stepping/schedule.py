"""The schedule of a batch: tasks, trials and episodes, and their starts.

Trials end only by time, so the host knows which trials and episodes start with
a step without reading the state.

N: environments, P: players, C: starts.
"""

from collections.abc import Callable, Sequence

import numpy as np

from adaland.envs import land_types
from adaland.envs.game import clocks
from adaland.envs.stepping import seeds, task_rows
from adaland.envs.stepping.base import ResetPlan
from adaland.envs.tasks.task import Task

# Returns the next task of an environment, given its index.
NextTask = Callable[[int], Task | task_rows.PreparedTask]


class Schedule:
  """The tasks, seeds and time of a batch of environments.

  Attributes:
    tasks: The current task of each environment; none before `reset`.
    present: Players that the current tasks have, bool [N, P].
    seeds: The seed of each environment.
    episodes: Episodes that each environment has begun since it got its seed,
      int64 [N].
    clock: The host's clock of trials and episodes.
    ended: Environments whose episode ended with the last step, bool [N].
  """

  def __init__(
    self,
    num_envs: int,
    config: land_types.LandConfig,
    next_task: NextTask,
    seed: int | Sequence[int],
  ):
    """Initializes the schedule; `reset` takes the first tasks.

    Args:
      num_envs: N.
      config: The configuration of the environments.
      next_task: Function of an environment's index that returns its next
        task, which may be prepared by `task_rows.prepare`.
      seed: Seed of each environment; one integer s means s, s + 1, ...
    """
    self.seeds = (0,) * num_envs
    self.episodes = np.zeros(num_envs, np.int64)
    self.seed(seeds.of_each(seed, num_envs, may_keep=False))
    self.present = np.ones((num_envs, config.num_players), bool)
    self.tasks: list[Task] = []
    self.clock = clocks.HostClock(num_envs)
    self.ended = np.zeros(num_envs, bool)
    self._config = config
    self._next_task = next_task
    self._keys = [0] * num_envs  # Of the current tasks, for drawing yaws.

  def seed(self, seed: int | Sequence[int | None]) -> None:
    """Sets the environments' seeds; see `Land.seed`."""
    values = seeds.of_each(seed, len(self.seeds), may_keep=True)
    self.seeds = tuple(
      old if new is None else new
      for old, new in zip(self.seeds, values, strict=True)
    )
    self.episodes[[value is not None for value in values]] = 0

  def reset(self) -> ResetPlan:
    """Starts an episode of the next task in every environment."""
    none = np.zeros_like(self.ended)
    prepared = self._take(~none)
    self.ended = none.copy()
    return self._plan(none, ~none, prepared)

  def step(self) -> tuple[ResetPlan, np.ndarray, np.ndarray]:
    """Advances the time by one step.

    An episode of the next task starts where the last step ended one. If the
    task can't be taken or is refused, nothing has changed.

    Returns:
      A tuple of three: the trials and episodes that start with this step;
      whether a trial ended with it, bool [N]; whether the episode ended with
      it, bool [N]. The last two are the caller's own.
    """
    starting = self.ended
    prepared = self._take(starting)
    trial_last, last = self.clock.tick(starting)
    plan = self._plan(trial_last & ~last, starting, prepared)
    self.ended = last.copy()
    return plan, trial_last, last

  def load(
    self,
    tasks: Sequence[task_rows.PreparedTask],
    seed: Sequence[int],
    episodes: np.ndarray,
    ended: np.ndarray,
    now: clocks.Clock,
  ) -> None:
    """Restores a saved schedule; replaces `reset`.

    Args:
      tasks: The current task of each environment.
      seed: The seed of each environment.
      episodes: See the class's attributes.
      ended: See the class's attributes.
      now: The time, in arrays that the schedule may change.
    """
    self.seed(seed)
    self.tasks = []
    for env, task in enumerate(tasks):
      self._seat(env, task)
    self.episodes, self.ended = episodes.copy(), ended.copy()
    self.clock.now = now

  def _take(self, episode: np.ndarray) -> dict[int, task_rows.PreparedTask]:
    """Gets the next task of each environment in which an episode starts.

    It changes nothing here, because a task may be refused.

    Args:
      episode: Environments in which an episode starts, bool [N].
    """
    prepared = {}
    for env in np.flatnonzero(episode).tolist():
      task = self._next_task(env)
      if isinstance(task, Task):
        task = task_rows.prepare(task, self._config)
      prepared[env] = task
    return prepared

  def _plan(
    self,
    next_trial: np.ndarray,
    episode: np.ndarray,
    tasks: dict[int, task_rows.PreparedTask],
  ) -> ResetPlan:
    """Starts the next tasks and draws start yaws.

    Args:
      next_trial: Environments in which another trial starts, bool [N].
      episode: Environments in which an episode starts, bool [N].
      tasks: The task of each environment in which an episode starts.
    """
    for env, task in tasks.items():
      self._seat(env, task)
    self.episodes += episode
    if tasks:
      rows = [task.row for task in tasks.values()]
      self.clock.start(
        np.flatnonzero(episode),
        np.stack([row.trials for row in rows]),
        np.stack([row.trial_steps for row in rows]),
      )
    trial, num_players = self.clock.now.trial, self._config.num_players
    env_ids = np.flatnonzero(next_trial | episode)
    yaw = np.zeros((len(env_ids), num_players), np.float32)
    for row, i in enumerate(env_ids.tolist()):
      yaw[row] = clocks.start_yaw(
        self.seeds[i],
        # A seed given in the middle of an episode sets the count to zero.
        max(int(self.episodes[i]) - 1, 0),
        self._keys[i],
        int(trial[i]),
        num_players,
      )
    return ResetPlan(next_trial, episode, env_ids, yaw, list(tasks.values()))

  def _seat(self, env: int, task: task_rows.PreparedTask) -> None:
    """Records an environment's task and the players that it has."""
    if env < len(self.tasks):
      self.tasks[env] = task.task
    else:
      self.tasks.append(task.task)  # The first tasks come in order.
    self._keys[env] = task.key
    players = np.arange(self._config.num_players)
    self.present[env] = players < len(task.task.players)
