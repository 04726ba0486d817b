"""A policy that reads a person's keys and shows a map of characters."""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable

import numpy as np

from adaland.envs import constants, land
from adaland.launch import errors
from adaland.launch.evaluation import policies

_KEYS = {
  "w": (0, 2),
  "s": (0, 0),
  "a": (1, 0),
  "d": (1, 2),
  "e": (2, 0),
  "q": (2, 4),
  "r": (3, 2),
  "f": (3, 0),
  "x": (5, 0),
  "c": (5, 2),
}
_HELP = (
  "w/s walk  a/d strafe  q/e turn  r/f look  space grip on or off  "
  "x/c hand nearer or farther  Esc ends"
)
_HEADINGS = ">^<v"
# The simulation waits this long for a key before each step.
_WAIT_SECONDS = 1.0
_ESCAPE = "\x1b"
# The bytes of one key arrive within this time.
_SEQUENCE_SECONDS = 0.02


def read_key(seconds: float) -> str:
  """Returns a key, or an empty string if none is pressed in time.

  It reads from the terminal directly, as a poll can't see what Python has
  buffered. Keys that send several bytes, such as arrows, are ignored.

  Args:
    seconds: Time to wait for a key.
  """
  terminal = sys.stdin.fileno()
  before = termios.tcgetattr(terminal)
  try:
    tty.setcbreak(terminal, termios.TCSANOW)
    if not _has_input(terminal, seconds):
      return ""
    key = os.read(terminal, 1)
    if key == _ESCAPE.encode() and _has_input(terminal, _SEQUENCE_SECONDS):
      os.read(terminal, 16)
      return ""
    return key.decode("ascii", "ignore")
  finally:
    termios.tcsetattr(terminal, termios.TCSANOW, before)


def _has_input(terminal: int, seconds: float) -> bool:
  # `select.select` refuses file descriptors of 1,024 and above.
  poll = select.poll()
  poll.register(terminal, select.POLLIN)
  return bool(poll.poll(1000 * seconds))


class Human:
  """A person at a terminal; each key is a step, as is a second without one.

  Args:
    environments: One environment.
    read_key: Returns a key pressed within the given seconds, or "".

  Raises:
    UserError: If there is no terminal.
  """

  def __init__(
    self,
    environments: land.Land,
    read_key: Callable[[float], str] = read_key,
  ):
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
      raise errors.UserError(
        "--policy=human needs a terminal to read keys from"
      )
    self._environments = environments
    self._read_key = read_key
    self._grip = False

  def act(self, step: land.Step) -> np.ndarray:
    """Shows the world and returns the key's action, [1, A].

    Raises:
      EndedError: If the person presses Escape.
    """
    del step
    view = self._environments.state_view(0)
    task = self._environments.tasks[0]
    sys.stderr.write("\x1b[2J\x1b[H" + screen(view))
    sys.stderr.write(
      f"\ngoal: {task.players[0].goal}\ntrial {view.trial + 1} of "
      f"{task.trials}, step {view.step} of {task.trial_steps}, reward "
      f"{float(view.trial_rewards[view.trial, 0]):.2f} s, grip "
      f"{'closed' if self._grip else 'open'}\n{_HELP}\n"
    )
    sys.stderr.flush()
    action = list(constants.NOOP_ACTION)
    key = self._read_key(_WAIT_SECONDS)
    if key == _ESCAPE:
      raise policies.EndedError
    if key == " ":
      self._grip = not self._grip
    if key in _KEYS:
      head, index = _KEYS[key]
      action[head] = index
    action[4] = int(self._grip)
    return np.array([action], np.int32)


def screen(view: land.WorldView) -> str:
  """Draws the world in characters, four per metre across and two along.

  Objects are two letters, colour and shape ("bc" is a black cube); players are
  arrows.
  """
  across, along = 4, 2
  x_tiles, y_tiles = view.heights.shape
  rows = [
    [
      str(int(view.heights[column // across, row // along]))
      if column % across == 0 and row % along == 0
      else " "
      for column in range(x_tiles * across)
    ]
    for row in range(y_tiles * along)
  ]

  def put(position: np.ndarray, text: str) -> None:
    column = int((position[0] + x_tiles / 2) * across)
    row = int((position[1] + y_tiles / 2) * along)
    for i, letter in enumerate(text):
      if 0 <= row < len(rows) and 0 <= column + i < len(rows[0]):
        rows[row][column + i] = letter

  for slot, type_id in enumerate(view.slot_types):
    if type_id:
      shape, colour = divmod(int(type_id) - 1, constants.NUM_COLOURS)
      put(
        view.object_pos[slot],
        constants.COLOURS[colour][0] + constants.SHAPES[shape][0],
      )
  for position, yaw in zip(view.player_pos, view.yaw, strict=True):
    put(position, _HEADINGS[round(float(yaw) / (np.pi / 2)) % 4])
  return "\n".join("".join(row) for row in reversed(rows))
