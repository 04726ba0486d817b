"""Films an agent's trials on a task, next to the expert's.

On the left is the agent's view, in the middle the world from above, on the
right the world of the expert, who plays the same task and knows its rules.
Below are the rules and a bar for the reward of each trial.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adaland.envs import constants, land
from adaland.envs.adaptors import first_person
from adaland.envs.tasks.task import Task
from adaland.launch.evaluation import picture, policies, prompting, video

# Width and height; video codecs need multiples of 16.
SIZE = (832, 432)
_TOP = 64  # Above the pictures.
_GAP = 16  # Between the pictures.
_VIEW = picture.VIEW
_BOTTOM = _TOP + _VIEW[1] + 22
_RULES = 6  # Maximum number of lines of rules.
_PAUSE = 8  # Frames for which the end of a trial is shown.
_END = 24
_LABELLED = 36  # Distance between bars that leaves room for texts.

_BACKGROUND = (18, 20, 24)
_TEXT = (235, 235, 235)
_DIM = (150, 155, 160)
_GOOD = (110, 220, 120)
_AGENT = (95, 155, 245)
_BIG = ImageFont.load_default(size=22)
_FONT = ImageFont.load_default(size=14)
_SMALL = ImageFont.load_default(size=12)


def write(
  path: str,
  make_land: land.MakeLand,
  task: Task,
  actions: np.ndarray,
  seed: int,
  best: float,
  name: str,
  on_progress: Callable[[float], None],
) -> np.ndarray:
  """Replays recorded actions and films them.

  Args:
    path: The film's path.
    make_land: Makes the environments.
    task: The task.
    actions: Recorded action indices, int [steps, A].
    seed: Seed of the environment in which they were recorded.
    best: The expert's reward in a trial, seconds; the full height of the bars.
    name: The player's name.
    on_progress: Called with the share of frames done.

  Returns:
    Reward of each trial, seconds, float64 [K].
  """
  # The expert starts each trial in the same state as the agent.
  world = make_land(2, lambda _: task, [seed, seed])
  now = world.reset()
  expert, recorded = policies.Expert(world), prompting.Recorded(actions)
  rewards = [0.0]
  film = video.Video(path, SIZE)
  try:
    for count in range(len(actions)):
      # The last step of a trial shows the start of the next, without a reward.
      reward = np.where(now.trial_last, 0.0, now.reward)
      frame = draw(world, reward, rewards, best, name)
      for _ in range(_PAUSE if now.trial_last[0] else 1):
        film.add(frame)
      action = expert.act(now)
      action[0] = recorded.act(now)[0]
      now = world.step(action)
      rewards[-1] += float(now.reward[0])
      if now.trial_last[0] and not now.last[0]:
        rewards.append(0.0)
      on_progress((count + 1) / len(actions))
    frame = draw(world, now.reward, rewards, best, name)
    for _ in range(_END):
      film.add(frame)
  except BaseException:
    film.discard()
    raise
  film.close()
  return np.array(rewards)


def draw(
  world: land.Land,
  now: np.ndarray,
  rewards: Sequence[float],
  best: float,
  name: str,
) -> np.ndarray:
  """Draws a frame, uint8 [height, width, 3].

  Args:
    world: Two environments: the player's and the expert's.
    now: Rewards of the last step, float [2].
    rewards: Reward of each trial that was started, seconds.
    best: The expert's reward in a trial, seconds.
    name: The player's name.
  """
  task = world.tasks[0]
  views = [world.state_view(row) for row in range(2)]
  frame = Image.new("RGB", SIZE, _BACKGROUND)
  pen = ImageDraw.Draw(frame)
  time = views[0].step * constants.STEP_SECONDS
  pen.text((12, 6), f"Trial {len(rewards)} of {task.trials}", _TEXT, _BIG)
  pen.text(
    (160, 12),
    f"{time:.1f} of {task.trial_seconds:.1f} s   same task, same start; memory "
    "is kept",
    _DIM,
    _FONT,
  )
  pen.text((12, 36), f"goal: {task.players[0].goal}", _TEXT, _FONT)
  picture_of_agent = first_person.pictures(world, [0])[0]
  left = 0
  for row, image, title in (
    (0, Image.fromarray(picture_of_agent), f"{name}: its view"),
    (0, picture.from_above(views[0]), f"{name}, from above"),
    (1, picture.from_above(views[1]), "expert, told the rules"),
  ):
    frame.paste(image, (left, _TOP))
    colour = _DIM
    if now[row] > 0:
      title, colour = f"{title}: the goal holds", _GOOD
      corner = (left + image.width - 1, _TOP + image.height - 1)
      pen.rectangle((left, _TOP, *corner), None, _GOOD, 3)
    pen.text((left + 6, _TOP + _VIEW[1] + 3), title, colour, _SMALL)
    left += image.width + _GAP
  _draw_rules(pen, task, views[0])
  _draw_bars(pen, rewards, best, task.trials)
  return np.asarray(frame)


def _draw_rules(
  pen: ImageDraw.ImageDraw, task: Task, view: land.WorldView
) -> None:
  """Writes the rules, highlighting those that fired."""
  hidden = task.hiding[0].rules
  heading = "rules (the agent is not shown those marked hidden)"
  pen.text((12, _BOTTOM), heading if task.rules else "no rules", _DIM, _SMALL)
  for number, rule in enumerate(task.rules[:_RULES], start=1):
    mark = "   [hidden]" if number in hidden else ""
    colour = _GOOD if view.fired[number - 1] else _TEXT
    height = _BOTTOM + 2 + 14 * number
    pen.text((12, height), f"{rule}{mark}", colour, _SMALL)


def _draw_bars(
  pen: Any, rewards: Sequence[float], best: float, trials: int
) -> None:
  """Draws a bar for each trial's reward, as a share of the expert's."""
  left, right, bottom, top = 500, SIZE[0] - 16, SIZE[1] - 20, _BOTTOM + 18
  pen.text((left, _BOTTOM), "reward of each trial / the expert's", _DIM, _SMALL)
  pitch = (right - left) / trials
  margin = min(4, pitch / 4)
  for k in range(trials):
    start, end = left + k * pitch + margin, left + (k + 1) * pitch - margin
    pen.rectangle((start, top, end, bottom), None, (60, 64, 70))
    if k < len(rewards):
      share = min(1.0, max(0.0, rewards[k] / best))
      pen.rectangle(
        (start, bottom - share * (bottom - top), end, bottom), _AGENT
      )
      if pitch >= _LABELLED:
        pen.text(
          (start + 4, top + 2),
          f"{rewards[k] / best:.2f}",
          _TEXT,
          _SMALL,
          # The number may be in front of the bar.
          stroke_width=2,
          stroke_fill=_BACKGROUND,
        )
    if pitch >= _LABELLED:
      pen.text((start + 4, bottom + 3), f"trial {k + 1}", _DIM, _SMALL)
