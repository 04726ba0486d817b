"""Draws frames of an environment: the player's view next to a map."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adaland.envs import constants, land
from adaland.envs.adaptors import first_person
from adaland.envs.tasks.task import Task

VIEW = first_person.SIZE
MAP = (240, 240)
# Video codecs need multiples of 16.
SIZE = (VIEW[0] + MAP[0], 352)

_BACKGROUND = (18, 20, 24)
_TEXT = (235, 235, 235)
_DIM = (150, 155, 160)
_GOOD = (110, 220, 120)
# Object colours on the map; a rim makes black visible on dark ground.
_COLOURS = ((25, 25, 28), (160, 60, 200), (250, 215, 30))
_PLAYERS = ((230, 65, 50), (50, 115, 240))
_RIM = (240, 240, 240)
_LOW, _HIGH = np.array([61, 107, 61]), np.array([204, 189, 133])
_FONT = ImageFont.load_default(size=12)


def from_above(view: land.WorldView) -> Image.Image:
  """Draws a map, x to the right and y up."""
  image = Image.new("RGB", MAP, _BACKGROUND)
  draw = ImageDraw.Draw(image)
  tiles = np.array(view.heights.shape)
  scale = min(MAP) / float(tiles.max() * constants.TILE_METRES)
  middle = np.array(MAP) / 2

  def to_map(x: float, y: float) -> tuple[float, float]:
    return float(middle[0] + x * scale), float(middle[1] - y * scale)

  for (i, j), level in np.ndenumerate(view.heights):
    form = int(view.ramps[i, j])
    is_diagonal = form >= constants.FIRST_DIAGONAL
    is_ramp = form > 0 and not is_diagonal
    shade = 1.0 if (i + j) % 2 else 0.9
    colour = _ground_colour(float(level) + 0.5 * is_ramp, shade)
    corner = (np.array([i, j]) - tiles / 2) * constants.TILE_METRES
    left, bottom = to_map(*corner)
    right, top = to_map(*(corner + constants.TILE_METRES))
    draw.rectangle((left, top, right - 1, bottom - 1), colour)
    if is_diagonal:
      # The higher half excludes the corner opposite to the one that names it.
      around = [(left, bottom), (right, bottom), (right, top), (left, top)]
      del around[form - constants.FIRST_DIAGONAL]
      draw.polygon(around, _ground_colour(float(level) + 1, shade))
    elif is_ramp:
      angle = (form - 1) * np.pi / 2
      centre = corner + constants.TILE_METRES / 2
      tip = 0.35 * np.array([np.cos(angle), np.sin(angle)])
      draw.line([to_map(*(centre - tip)), to_map(*(centre + tip))], _DIM, 2)
  for slot in np.argsort(view.object_pos[:, 2]):
    if view.slot_types[slot]:
      _draw_object(draw, view, int(slot), to_map, scale)
  for i, (position, yaw) in enumerate(
    zip(view.player_pos, view.yaw, strict=True)
  ):
    radius = constants.AVATAR_RADIUS * 1.4
    corners = [
      to_map(
        position[0] + radius * np.cos(yaw + turn),
        position[1] + radius * np.sin(yaw + turn),
      )
      for turn in (0.0, 2.5, -2.5)
    ]
    draw.polygon(corners, _PLAYERS[i], _RIM)
  return image


def _ground_colour(level: float, shade: float) -> tuple[int, int, int]:
  share = min(level / (constants.MAX_LEVELS - 1), 1.0)
  red, green, blue = (_LOW + share * (_HIGH - _LOW)) * shade
  return int(red), int(green), int(blue)


def _draw_object(draw, view, slot, to_map, scale) -> None:
  shape, colour = divmod(int(view.slot_types[slot]) - 1, constants.NUM_COLOURS)
  x, y = to_map(*view.object_pos[slot][:2])
  size = max(4.0, 0.22 * scale)
  rim = _PLAYERS[0] if slot in view.held else _RIM
  name = constants.SHAPES[shape]
  fill = _COLOURS[colour]
  if name == "sphere":
    draw.ellipse((x - size, y - size, x + size, y + size), fill, rim)
  elif name == "pyramid":
    draw.polygon(
      [(x, y - size), (x + size, y + size), (x - size, y + size)], fill, rim
    )
  else:
    wide = size * (1.6 if name == "wall" else 1.0)
    high = size * (0.5 if name == "wall" else 1.0)
    draw.rectangle((x - wide, y - high, x + wide, y + high), fill, rim)


def caption(
  task: Task, view: land.WorldView, player: str
) -> list[tuple[str, tuple[int, int, int]]]:
  """Returns the lines of text under the pictures, with their colours."""
  step = 2 / 15
  now = float(view.trial_rewards[min(view.trial, task.trials - 1), 0])
  total = float(view.trial_rewards[:, 0].sum())
  trial = min(view.trial + 1, task.trials)
  lines = [
    (
      f"{player}   trial {trial} of {task.trials}   "
      f"{view.step * step:.1f} of {task.trial_seconds:.1f} s   "
      f"reward {now:.2f} s, in all {total:.2f} s",
      _GOOD if now > 0 else _TEXT,
    ),
    (f"goal: {task.players[0].goal}", _TEXT),
  ]
  hidden = task.hiding[0].rules
  for number, rule in enumerate(task.rules, start=1):
    mark = "  [hidden]" if number in hidden else ""
    fired = bool(view.fired[number - 1])
    lines.append((f"rule {number}: {rule}{mark}", _GOOD if fired else _DIM))
  return lines


def draw(environments: land.Land, player: str, env: int = 0) -> np.ndarray:
  """Draws a whole frame, uint8 [H, W, 3]."""
  view = environments.state_view(env)
  frame = Image.new("RGB", SIZE, _BACKGROUND)
  frame.paste(
    Image.fromarray(first_person.pictures(environments, [env])[0]), (0, 0)
  )
  frame.paste(from_above(view), (VIEW[0], 0))
  pen = ImageDraw.Draw(frame)
  lines = caption(environments.tasks[env], view, player)
  room = (SIZE[1] - VIEW[1]) // 16
  if len(lines) > room:
    lines = [*lines[: room - 1], (f"... {len(lines) - room + 1} more", _DIM)]
  for i, (text, colour) in enumerate(lines):
    pen.text((6, VIEW[1] + 4 + 15 * i), text, colour, _FONT)
  return np.asarray(frame)
