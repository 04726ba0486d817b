"""Every kind of file that is read: whole ones, damaged ones, reading them.

A reader may refuse what it is given with a ValueError of one short line, or
take it; what it takes must come back the same when it is written and read once
more.
"""

import random
from collections.abc import Callable
from typing import Any, Protocol

from tests.fuzz import array_formats, json_formats


class Format(Protocol):
  """A kind of file."""

  def damage(self, rng: random.Random) -> bytes:
    """Returns a whole file, damaged."""
    ...

  def read(self, data: bytes) -> Any:
    """Reads it; raises only ValueError."""
    ...

  def check(self, value: Any) -> None:
    """Raises AssertionError if what was read is not what it seems."""
    ...


FORMATS: dict[str, Callable[[], Format]] = {
  "task": json_formats.Task,
  "demo": array_formats.Demo,
  "config": json_formats.Config,
  "setting": json_formats.Setting,
  "checkpoint": json_formats.Checkpoint,
  "status": json_formats.Status,
  "arrays": array_formats.Arrays,
  "replay": array_formats.Replay,
  "unroll": array_formats.Unroll,
}
