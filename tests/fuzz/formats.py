"""All file formats that are read, and their readers.

A reader may refuse a file with a ValueError of one short line, or accept it; an
accepted value must be the same when it is written and read once more.
"""

import random
from collections.abc import Callable
from typing import Any, Protocol

from tests.fuzz import array_formats, evaluation_formats, json_formats


class Format(Protocol):
  """A file format."""

  def damage(self, rng: random.Random) -> bytes:
    """Returns the content of a damaged file."""
    ...

  def read(self, data: bytes) -> Any:
    """Reads a file's content; raises only ValueError."""
    ...

  def check(self, value: Any) -> None:
    """Raises AssertionError if a value that was read is inconsistent."""
    ...


FORMATS: dict[str, Callable[[], Format]] = {
  "task": json_formats.Task,
  "demo": array_formats.Demo,
  "testset": array_formats.TestSet,
  "rulesets": array_formats.Rulesets,
  "evaluation": evaluation_formats.Evaluation,
  "kept": evaluation_formats.Kept,
  "config": json_formats.Config,
  "agent": json_formats.Agent,
  "setting": json_formats.Setting,
  "checkpoint": json_formats.Checkpoint,
  "status": json_formats.Status,
  "message": json_formats.Message,
  "weights": array_formats.Weights,
  "arrays": array_formats.Arrays,
  "replay": array_formats.Replay,
  "unroll": array_formats.Unroll,
}
