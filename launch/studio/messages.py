"""The messages that the page sends, each checked when it is read.

A message is a JSON object whose "type" names one of the classes below; its
other fields are that class's. A task is a text: "probe:NAME", "sample:INDEX",
"test:INDEX", "FAMILY:INDEX" such as "traps:7", or the content of a task file.
"""

import dataclasses
import json
import math
import typing
from typing import Any, Literal

from adaland.envs import constants
from adaland.envs.tasks import json_checks
from adaland.launch import cli, errors
from adaland.launch.config import json_codec

# Maximum bytes of a message; the longest demonstration takes less.
MAX_BYTES = 262_144
MAX_PLAYERS = 6
MAX_TASKS = 64


class GoneError(Exception):
  """The page that a message is for has gone."""


class RefusedError(errors.UserError):
  """A message that breaks the format.

  Attributes:
    about: The message's type; empty if it has none.
  """

  def __init__(self, text: str, about: str):
    super().__init__(text)
    self.about = about


def _check(name: str, value: int, last: int) -> None:
  if not 0 <= value <= last:
    raise ValueError(f"{name} is {value}, allowed: 0 to {last}")


@dataclasses.dataclass(frozen=True)
class Hello:
  """The first message of a connection, with the page's token."""

  token: str


@dataclasses.dataclass(frozen=True)
class Card:
  """A request for a task's scene and its description for the player."""

  task: str


@dataclasses.dataclass(frozen=True)
class Load:
  """A request for a whole task, hidden rules included, to edit it."""

  task: str


@dataclasses.dataclass(frozen=True)
class Check:
  """A request to check an edited task."""

  task: str


@dataclasses.dataclass(frozen=True)
class Play:
  """A request to play a task.

  Attributes:
    task: The task.
    seed: Seed of the environment.
    partner: The other player of a task of two: another tab, or the expert.
    pictures: True if the page can't draw in 3D and needs pictures.
    trials: Number of trials; 0 for the task's own.
  """

  task: str
  seed: int = 0
  partner: Literal["person", "expert"] = "person"
  pictures: bool = False
  trials: int = 0

  def __post_init__(self):
    _check("seed", self.seed, cli.MAX_SEED)
    _check("trials", self.trials, constants.MAX_TRIALS)


@dataclasses.dataclass(frozen=True)
class Join:
  """A request to be the second player of a game that waits for one."""

  pictures: bool = False


@dataclasses.dataclass(frozen=True)
class Act:
  """A wish of the player, which holds until the next.

  Attributes:
    move, strafe, grip, hand: Indices of these action heads.
    yaw, pitch: Direction to look in, radians; None keeps the current one.
    number: Number of the message, which the next frame repeats.
  """

  move: int = 1
  strafe: int = 1
  grip: int = 0
  hand: int = 1
  yaw: float | None = None
  pitch: float | None = None
  number: int = 0

  def __post_init__(self):
    sizes = dict(
      zip(constants.ACTION_HEADS, constants.ACTION_SIZES, strict=True)
    )
    for name in ("move", "strafe", "grip", "hand"):
      _check(name, getattr(self, name), sizes[name] - 1)
    for name in ("yaw", "pitch"):
      value = getattr(self, name)
      if value is not None and not abs(value) <= 1000 * math.pi:
        raise ValueError(f"{name} is {value}, allowed: a number of radians")


@dataclasses.dataclass(frozen=True)
class Go:
  """A wish to start a game, or to resume a paused one."""


@dataclasses.dataclass(frozen=True)
class Pause:
  """A wish to pause the game."""


@dataclasses.dataclass(frozen=True)
class Stop:
  """A wish to stop playing or watching."""


@dataclasses.dataclass(frozen=True)
class Keep:
  """A request for the last game as a demonstration file."""


@dataclasses.dataclass(frozen=True)
class Watch:
  """A request to watch players on a task, side by side.

  Attributes:
    task: The task; empty for the demonstration's.
    players: The players' names: "expert", "agent:NAME", "demo", "prompted
      agent:NAME".
    trials: Number of trials; 0 for the task's own.
    seed: Seed of the environments and of the players; with a demonstration, its
      own seed is used instead.
    demo: Content of a demonstration file in base64, or empty.
    episode: Number of the environment's episode, from 0, for a demonstration
      that an evaluation kept.
    agent: Fingerprint of the agent that played the demonstration, or empty.
    reveal: True to show the hidden rules.
  """

  players: tuple[str, ...]
  task: str = ""
  trials: int = 0
  seed: int = 0
  demo: str = ""
  episode: int = 0
  agent: str = ""
  reveal: bool = False

  def __post_init__(self):
    if not 1 <= len(self.players) <= MAX_PLAYERS:
      raise ValueError(
        f"{len(self.players)} players, allowed: 1 to {MAX_PLAYERS}"
      )
    _check("seed", self.seed, cli.MAX_SEED)
    _check("trials", self.trials, constants.MAX_TRIALS)
    _check("episode", self.episode, cli.MAX_COUNT)
    if not (self.task or self.demo):
      raise ValueError("neither a task nor a demonstration is given")


@dataclasses.dataclass(frozen=True)
class Study:
  """A request to measure a person on a set of tasks.

  Attributes:
    tasks: The tasks, played in this order, one for each `Next`.
    trials: Number of trials of each task.
  """

  tasks: tuple[str, ...]
  trials: int

  def __post_init__(self):
    if not 1 <= len(self.tasks) <= MAX_TASKS:
      raise ValueError(f"{len(self.tasks)} tasks, allowed: 1 to {MAX_TASKS}")
    if not 1 <= self.trials <= constants.MAX_TRIALS:
      raise ValueError(
        f"trials is {self.trials}, allowed: 1 to {constants.MAX_TRIALS}"
      )


@dataclasses.dataclass(frozen=True)
class Next:
  """A request for the next task of the study."""

  pictures: bool = False


@dataclasses.dataclass(frozen=True)
class Result:
  """A request for the study's result.

  Attributes:
    agent: Name of an agent to measure on the same tasks; empty for none.
  """

  agent: str = ""


@dataclasses.dataclass(frozen=True)
class Run:
  """A request for the curves of a run.

  Attributes:
    name: The run's name in the list of runs.
  """

  name: str


@dataclasses.dataclass(frozen=True)
class Recording:
  """A request for an episode that an evaluation in a run's folder kept.

  Attributes:
    name: Name of the run in the list of runs.
    file: Name of the evaluation, as in the run's curves.
    number: Number of the episode in it, from 0.
  """

  name: str
  file: str
  number: int

  def __post_init__(self):
    _check("number", self.number, cli.MAX_COUNT)


Message = (
  Hello
  | Card
  | Load
  | Check
  | Play
  | Join
  | Act
  | Go
  | Pause
  | Stop
  | Keep
  | Watch
  | Study
  | Next
  | Result
  | Run
  | Recording
)
TYPES: dict[str, type[Message]] = {
  kind.__name__.lower(): kind for kind in typing.get_args(Message)
}


def decode(text: str | bytes) -> Message:
  """Reads a message.

  Raises:
    RefusedError: If the text is not a valid message.
  """
  about = ""
  try:
    content = _parse(text)
    about = content["type"]
    return _read(content)
  except errors.UserError as error:
    raise RefusedError(str(error), about) from error


def _parse(text: str | bytes) -> dict[str, Any]:
  """Returns a message's fields; raises UserError if it has no known type."""
  if isinstance(text, bytes):
    raise errors.UserError("the message is binary, allowed: text")
  if len(text) > MAX_BYTES:
    raise errors.UserError(f"the message has more than {MAX_BYTES} characters")
  with errors.user_input("message"):
    content = json_checks.parse(text)
  if not isinstance(content, dict):
    raise errors.UserError("the message is not an object with fields")
  kind = content.get("type")
  if not isinstance(kind, str) or kind not in TYPES:
    raise errors.choice("type", str(kind), TYPES)
  return content


def _read(content: dict[str, Any]) -> Message:
  """Returns a message of a known type; raises UserError if a field is wrong."""
  kind = content.pop("type")
  made = TYPES[kind]
  needed = {
    field.name
    for field in dataclasses.fields(made)
    if field.default is dataclasses.MISSING
  }
  if missing := needed - content.keys():
    raise errors.UserError(f"{kind}: {', '.join(sorted(missing))} is missing")
  return json_codec.from_json(made, content, kind)


def encode(kind: str, **fields: Any) -> str:
  """Writes a message to the page."""
  return json.dumps({"type": kind, **fields}, separators=(",", ":"))
