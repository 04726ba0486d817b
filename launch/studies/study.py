"""The parts of a study: variants of an agent, and sizes.

A study trains variants of one preset, with several seeds and for the same time
or the same number of steps, and measures them, and untrained players, on the
same held-out tasks.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Final

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
PLAYERS: Final = ("expert", "explorer", "forgetful", "random")


@dataclasses.dataclass(frozen=True)
class Variant:
  """One of the agents that a study compares.

  Attributes:
    name: The variant's name, in files and figures.
    settings: Settings beyond the size's, as in `--set`.
    teacher: Name of an earlier variant, whose run of the same seed is this
      one's teacher; empty for the preset's teacher.
  """

  name: str
  settings: tuple[str, ...] = ()
  teacher: str = ""

  def __post_init__(self):
    if not _NAME.fullmatch(self.name):
      raise ValueError(
        f"name={self.name!r}: must be lower-case letters, digits, - and _"
      )


@dataclasses.dataclass(frozen=True)
class Size:
  """The extent of a study: its preset, tasks and length.

  Attributes:
    taskset: Tasks to measure on, as in `adaland evaluate`.
    trials: Number of trials of each task.
    preset: The preset that all variants start from.
    settings: Settings of all variants beyond the preset's.
    num_tasks: Number of tasks.
    minutes: Length of a run, unless the command sets another; 0 to use `steps`.
    steps: Length of a run in environment steps, if `minutes` is 0.
    launcher: Where processes run, unless the command sets another.
  """

  taskset: str
  trials: int
  preset: str = "laptop"
  settings: tuple[str, ...] = ()
  num_tasks: int = 100
  minutes: float = 0.0
  steps: int = 0
  launcher: str = "local"

  def __post_init__(self):
    for field in ("trials", "num_tasks"):
      if not getattr(self, field) > 0:
        raise ValueError(f"{field}={getattr(self, field)}: must be above 0")
    if (self.minutes > 0) == (self.steps > 0):
      raise ValueError(
        f"minutes={self.minutes}, steps={self.steps}: one must be above 0, the "
        "other 0"
      )


@dataclasses.dataclass(frozen=True)
class Study:
  """A comparison of variants.

  Attributes:
    question: The question that it answers, in one line.
    variants: The agents; the first is compared with each of the others.
    sizes: Sizes by name; the first is the default.
  """

  question: str
  variants: tuple[Variant, ...]
  sizes: Mapping[str, Size]

  def __post_init__(self):
    names = [variant.name for variant in self.variants]
    if len(names) < 2 or len(set(names)) < len(names):
      raise ValueError(
        f"variants={names}: must be two or more, with different names"
      )
    if not self.sizes:
      raise ValueError("sizes: must be one or more")
    for i, variant in enumerate(self.variants):
      if variant.name in PLAYERS:
        raise ValueError(f"name={variant.name!r}: is the name of a player")
      if variant.teacher and variant.teacher not in names[:i]:
        raise ValueError(
          f"teacher={variant.teacher!r} of {variant.name!r}: must be an "
          "earlier variant"
        )

  @property
  def default_size(self) -> str:
    """Name of the default size, used without --size."""
    return next(iter(self.sizes))
