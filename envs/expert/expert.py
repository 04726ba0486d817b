"""The scripted expert: plans with the whole truth, acts like everyone else."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert import controller
from adaland.envs.tasks import planner
from adaland.envs.tasks import task as task_lib

# Harm (see `planner.harm`) from which a rule is kept from firing.
_MIN_HARM = 0.05
# Environments stepped side by side by `expert_rewards`.
_MAX_ENVS = 64


class _Mind:
  """What the expert keeps for one environment."""

  def __init__(self, seed: np.random.SeedSequence):
    self._controller = controller.Controller(
      np.random.Generator(np.random.PCG64(seed))
    )
    self._task: task_lib.Task | None = None
    self._game: planner.SymbolicGame | None = None
    self._reward = 0.0

  def act(self, task: task_lib.Task, view: land.WorldView) -> tuple[int, ...]:
    """Plans from what exists now and takes one step."""
    if self._game is None or task is not self._task:
      self._task = task
      self._game = planner.make_game(task, len(view.slot_types))
    if view.step == 0:
      self._controller.reset()
      self._reward = 0.0
    game = self._game
    counts = planner.count_types(view.slot_types.tolist())
    plan = planner.plan(game, counts)
    if plan is None:
      return constants.NOOP_ACTION
    wanted = game.rules[plan.rules[0]][0] if plan.rules else game.goal
    harm = planner.harm(game, counts)
    avoid = [
      condition
      for (condition, _), cost in zip(game.rules, harm, strict=True)
      if cost > _MIN_HARM and not condition.negated and condition != wanted
    ]
    reward = float(view.trial_rewards[view.trial, 0])
    satisfied = not plan.rules and view.step > 0 and reward > self._reward
    self._reward = reward
    return self._controller.act(view, wanted, avoid, satisfied)


class Expert:
  """Acts in a batch of environments for their first players.

  It needs no resets: a new trial or task shows in the `WorldView`.
  """

  def __init__(self, num_envs: int, seed: int = 0):
    seeds = np.random.SeedSequence(seed).spawn(num_envs)
    self._minds = [_Mind(s) for s in seeds]

  def act(self, world: land.Land) -> np.ndarray:
    """Actions for the present state, int32 [N, 6]."""
    return np.array(
      [
        mind.act(world.tasks[i], world.state_view(i))
        for i, mind in enumerate(self._minds)
      ],
      np.int32,
    )


def expert_rewards(
  tasks: Sequence[task_lib.Task],
  config: land.LandConfig,
  runs: int = 3,
  seed: int = 0,
  progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
  """The expert's best reward in a single trial of each task.

  Args:
    tasks: One-player tasks.
    config: Sizes of the environments; what they observe doesn't matter.
    runs: Tries of each task, with other start yaws and seeds.
    seed: Of the environments and the expert.
    progress: Called with the runs done and the runs in all.

  Returns:
    Seconds, float [len(tasks)].
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
  # Task that each environment plays, -1 once no job is left for it.
  playing = np.full(num_envs, -1)

  def next_task(env: int) -> task_lib.Task:
    playing[env], task = next(waiting, (-1, jobs[0][1]))
    return task

  world = land.Land(num_envs, config.on_cpu(), next_task, seed=seed)
  expert = Expert(num_envs, seed)
  world.reset()
  total, done = np.zeros(num_envs), 0
  while done < len(jobs):
    step = world.step(expert.act(world))
    total = np.where(step.first, 0.0, total + step.reward)
    for env in np.flatnonzero(step.last & (playing >= 0)):
      best[playing[env]] = max(best[playing[env]], total[env])
      done += 1
      if progress is not None:
        progress(done, len(jobs))
  return best
