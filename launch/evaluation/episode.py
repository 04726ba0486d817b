"""Plays one episode of one task, filmed if wanted."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from adaland.envs import land
from adaland.envs.tasks import task as task_lib
from adaland.launch import errors
from adaland.launch.evaluation import picture, policies, video
from adaland.launch.run import progress


class Episode(NamedTuple):
  """What happened, until the task's last step or until the player ended it.

  Attributes:
    actions: What was done, int32 [T, A].
    rewards: Of each trial that was begun, seconds, float32 [K].
  """

  actions: np.ndarray
  rewards: np.ndarray


def play(
  config: land.LandConfig,
  task: task_lib.Task,
  make_policy: policies.PolicyMaker,
  seed: int,
  video_path: str | None = None,
  player: str = "",
) -> Episode:
  """Plays the task's episode.

  Args:
    config: Of the environment.
    task: What to play.
    make_policy: From the environment, a batch of one, the policy.
    seed: Of the environment.
    video_path: Where to film it.
    player: Who plays, written in the frames.

  Raises:
    UserError: If the task does not fit the environment.
  """
  with errors.user_input():
    environment = land.Land(1, config.on_cpu(), lambda i: task, seed)
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
  """A video that is kept if nothing goes wrong."""
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
