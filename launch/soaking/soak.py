"""Plays many tasks roughly and checks the laws at every step.

N: environments, P: players, A: action heads.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert import players
from adaland.envs.tasks.task import Task
from adaland.launch.evaluation import demo
from adaland.launch.soaking import laws, stunts, transitions


class Violation(NamedTuple):
  """A law that a task broke.

  Attributes:
    law: Name of the law.
    reason: A description of the violation.
    step: Number of the step in the episode, 0 at its start.
    played: The task, with seed and actions that reproduce the violation.
  """

  law: str
  reason: str
  step: int
  played: demo.Demo


@dataclasses.dataclass
class Summary:
  """Numbers of tasks and steps in which laws were checked, and of events.

  Attributes:
    tasks: Number of episodes played to their end.
    steps: Number of steps in which laws were checked.
    rules_fired: Number of rules that fired.
    grips: Number of steps in which an object was held.
    rewarded: Number of steps with a reward.
  """

  tasks: int = 0
  steps: int = 0
  rules_fired: int = 0
  grips: int = 0
  rewarded: int = 0

  def __add__(self, other: "Summary") -> "Summary":
    pairs = zip(
      dataclasses.astuple(self), dataclasses.astuple(other), strict=True
    )
    return Summary(*(a + b for a, b in pairs))


class _Episode(NamedTuple):
  """A running episode: its task, seed, actions, rewards and broken laws."""

  task: Task
  seed: int
  actions: list[np.ndarray]
  rewards: list[float]
  broken: set[str]


def play(
  tasks: Sequence[Task],
  config: land.LandConfig,
  num_envs: int,
  seed: int,
  on_violation: Callable[[Violation], None],
  on_progress: Callable[[Summary], None] = lambda summary: None,
) -> Summary:
  """Plays each task once.

  Of every four environments, three have players that perform stunts and one has
  the scripted expert, if it can play.

  Args:
    tasks: The tasks, with the config's number of players.
    config: Config of the environments.
    num_envs: Number of environments that are stepped together.
    seed: Seed of the players and of the episodes.
    on_violation: Called the first time that an episode breaks each law.
    on_progress: Called after each step.
  """
  waiting = enumerate(tasks)
  episodes: list[_Episode | None] = [None] * num_envs

  def next_task(env: int) -> Task:
    index, task = next(waiting, (len(tasks), tasks[-1]))
    if index == len(tasks):
      episodes[env] = None
      return task
    # The first episode of a seed, so that it can be replayed alone.
    seeds: list[int | None] = [None] * num_envs
    seeds[env] = seed + index
    environments.seed(seeds)
    episodes[env] = _Episode(task, seed + index, [], [0.0], set())
    return task

  def report(
    transition: transitions.Transition, actions: Sequence[np.ndarray]
  ) -> None:
    for env, law, reason in _broken(transition):
      episode = episodes[env]
      if episode is None or law in episode.broken:
        continue
      episode.broken.add(law)
      started = transition.first[env]
      now = [] if started else [*episode.actions, actions[env]]
      on_violation(Violation(law, reason, len(now), _demo(episode, now)))

  environments = land.Land(num_envs, config, next_task)
  recorder = transitions.Recorder(environments)
  report(recorder.start(), ())
  rough = stunts.StuntPlayers(num_envs, config.num_players, seed)
  expert = players.make("expert", num_envs, seed)
  skilled = np.arange(num_envs) % 4 == 3
  if config.num_players > 1:
    skilled[:] = False
  summary = Summary()
  while summary.tasks < len(tasks):
    actions = rough.act(recorder.view)
    if skilled.any():
      expert.observe(environments)
      actions[skilled, 0] = expert.act(environments, np.flatnonzero(skilled))
    transition, step = recorder.step(actions)
    report(transition, list(actions))
    playing = [episode is not None for episode in episodes] & ~step.first
    summary.steps += int(playing.sum())
    summary.rules_fired += int(transition.after.fired[playing].sum())
    summary.grips += int((transition.after.held[playing] >= 0).sum())
    summary.rewarded += int((transition.reward[playing] > 0).sum())
    for env in np.flatnonzero(playing):
      episode = episodes[env]
      assert episode is not None
      episode.actions.append(actions[env])
      episode.rewards[-1] += float(transition.reward[env, 0])
      if step.last[env]:
        summary.tasks += 1
      elif step.trial_last[env]:
        episode.rewards.append(0.0)
    on_progress(summary)
  return summary


def _broken(
  transition: transitions.Transition,
) -> Iterator[tuple[int, str, str]]:
  """Yields environment, name and reason of every broken law."""
  for name, law in laws.LAWS.items():
    for env, reason in law(transition):
      yield env, name, reason


def _demo(episode: _Episode, actions: Sequence[np.ndarray]) -> demo.Demo:
  """Returns the actions so far, padded with no-ops to a whole trial."""
  shortage = max(0, episode.task.trial_steps - len(actions))
  num_players = len(episode.task.players)
  idle = np.tile(
    np.array(constants.NOOP_ACTION, np.int32), (shortage, num_players, 1)
  )
  taken = np.array(actions, np.int32).reshape(-1, *idle.shape[1:])
  done = np.concatenate([taken, idle])
  return demo.Demo(
    task=episode.task,
    seed=episode.seed,
    actions=done[:, 0] if num_players == 1 else done,
    rewards=np.array(episode.rewards, np.float32),
  )


def replay(played: demo.Demo, config: land.LandConfig) -> list[Violation]:
  """Replays a demonstration; returns the first violation of each law."""
  environment = land.Land(1, config, lambda env: played.task, played.seed)
  recorder = transitions.Recorder(environment)
  found: dict[str, Violation] = {}
  steps = (
    recorder.step(np.reshape(action, (1, config.num_players, -1)))[0]
    for action in played.actions
  )
  for number, transition in enumerate(
    itertools.chain([recorder.start()], steps)
  ):
    for _, law, reason in _broken(transition):
      found.setdefault(law, Violation(law, reason, number, played))
  return list(found.values())
