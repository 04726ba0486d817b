"""The scripted expert, which plans with the true state but acts as an agent."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.control import controller
from adaland.envs.expert.ways import strategy
from adaland.envs.tasks import symbolic
from adaland.envs.tasks.task import Task

# Environments stepped side by side by `expert_rewards`.
_MAX_ENVS = 64


class _EnvExpert:
  """The expert in one environment."""

  def __init__(self, seed: np.random.SeedSequence):
    self._controller = controller.Controller(
      np.random.Generator(np.random.PCG64(seed))
    )
    self._task: Task | None = None
    self._game: symbolic.SymbolicGame | None = None
    self._strategy = strategy.Strategy()

  def start_trial(self) -> None:
    """Forgets the previous trial."""
    self._controller.reset()

  def act(
    self, task: Task, view: land.WorldView, rewarded: bool
  ) -> tuple[int, ...]:
    """Plans from the current state and returns an action.

    Args:
      task: The task.
      view: The true state.
      rewarded: If true, the last step had a reward.
    """
    if self._game is None or task is not self._task:
      self._task = task
      self._game = symbolic.make_game(task, len(view.slot_types))
    step = self._strategy.next_step(self._game, view, self._controller.failures)
    if step is None:
      return constants.NOOP_ACTION
    satisfied = step.is_goal and view.step > 0 and rewarded
    return self._controller.act(
      view, step.wanted, step.avoid, satisfied, step.slots, step.is_goal
    )


class Expert:
  """Player 1 of each environment of a batch; see `players.Player`."""

  def __init__(self, num_envs: int, seed: int = 0):
    """Initializes the players.

    Args:
      num_envs: Number of environments.
      seed: Seed of their random choices.
    """
    seeds = np.random.SeedSequence(seed).spawn(num_envs)
    self._experts = [_EnvExpert(s) for s in seeds]

  def observe(self, world: land.Land) -> None:
    """Reads the current state."""
    for i in np.flatnonzero(world.clock.now.step == 0):
      self._experts[i].start_trial()

  def act(
    self, world: land.Land, rows: Sequence[int] | np.ndarray | None = None
  ) -> np.ndarray:
    """Returns actions for the current state; see `players.Player`."""
    view = world.batch_view()
    rewarded = view.last_reward[:, 0] > 0
    rows = range(world.num_envs) if rows is None else rows
    actions = [
      self._experts[i].act(world.tasks[i], view.row(i), bool(rewarded[i]))
      for i in rows
    ]
    return np.array(actions, np.int32).reshape(-1, len(constants.ACTION_SIZES))


def expert_rewards(
  tasks: Sequence[Task],
  make_land: land.MakeLand,
  runs: int = 3,
  seed: int = 0,
  progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
  """Returns the expert's best reward in a single trial of each task.

  Args:
    tasks: One-player tasks.
    make_land: Makes the environments; their observations don't matter.
    runs: Number of trials of each task, with different start yaws and seeds.
    seed: Seed of the environments and the expert.
    progress: Called with the number of finished runs and the total number.

  Returns:
    Rewards in seconds, float [len(tasks)].
  """
  jobs = [
    (index, dataclasses.replace(task, trials=1))
    for _ in range(runs)
    for index, task in enumerate(tasks)
  ]
  best = np.zeros(len(tasks))
  if not jobs:
    return best
  num_envs = min(len(jobs), _MAX_ENVS)
  waiting = iter(jobs)
  # Index of the task that each environment plays; -1 if none is left.
  playing = np.full(num_envs, -1)

  def next_task(env: int) -> Task:
    playing[env], task = next(waiting, (-1, jobs[0][1]))
    return task

  world = make_land(num_envs, next_task, seed)
  expert = Expert(num_envs, seed)
  world.reset()
  total, done = np.zeros(num_envs), 0
  while done < len(jobs):
    expert.observe(world)
    step = world.step(expert.act(world))
    total = np.where(step.first, 0.0, total + step.reward)
    for env in np.flatnonzero(step.last & (playing >= 0)):
      best[playing[env]] = max(best[playing[env]], total[env])
      done += 1
      if progress is not None:
        progress(done, len(jobs))
  return best
