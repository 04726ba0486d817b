"""Plays one episode of one task, and films it on request."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.evaluation import picture, policies, video
from adaland.launch.run import progress


class Episode(NamedTuple):
  """An episode, up to its last step or until the player ended it.

  Attributes:
    actions: Action indices of each step, int32 [T, A].
    rewards: Reward of each trial that was started, seconds, float32 [K].
  """

  actions: np.ndarray
  rewards: np.ndarray


def play(
  make_land: land.MakeLand,
  task: Task,
  make_policy: policies.PolicyMaker,
  seed: int,
  video_path: str | None = None,
  player: str = "",
) -> Episode:
  """Plays the task's episode.

  Args:
    make_land: Makes the environment.
    task: The task.
    make_policy: Returns the policy for the environment, a batch of one.
    seed: Seed of the environment.
    video_path: Path of the film; None for no film.
    player: Name of the player, written in the frames.

  Raises:
    UserError: If the task does not fit the environment.
  """
  with errors.user_input():
    environment = make_land(1, lambda i: task, seed)
    now = environment.reset()
  policy = make_policy(environment)
  actions, rewards = [], [0.0]
  line = progress.Progress()
  total = task.trials * task.trial_steps
  with _filming(video_path) as film:
    while True:
      if film is not None:
        line.update(f"filming: {len(actions) / total:.0%}")
        film.add(picture.draw(environment, player))
      try:
        action = policy.act(now)
      except policies.EndedError:
        break
      now = environment.step(action)
      actions.append(action[0])
      rewards[-1] += float(now.reward[0])
      if now.last[0]:
        break
      if now.trial_last[0]:
        rewards.append(0.0)
  line.close()
  return Episode(np.array(actions), np.array(rewards, np.float32))


@contextlib.contextmanager
def _filming(path: str | None) -> Iterator[video.Video | None]:
  """Yields a video that is deleted on an exception; None without a path."""
  if path is None:
    yield None
    return
  film = video.Video(path, picture.SIZE)
  try:
    yield film
  except BaseException:
    film.discard()
    raise
  film.close()
