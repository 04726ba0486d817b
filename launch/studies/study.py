"""The parts of a study: variants of an agent, and sizes.

A study trains variants of one preset, with several seeds and for the same time
or the same number of steps, and measures them, and untrained players, on the
same held-out tasks.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Final

from adaland.agent.validation import require

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
    require(
      _NAME.fullmatch(self.name) is not None,
      "name",
      self.name,
      "lower-case letters, digits, - and _",
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
      value = getattr(self, field)
      require(value > 0, field, value, "above 0")
    require(
      (self.minutes > 0) != (self.steps > 0),
      "(minutes, steps)",
      (self.minutes, self.steps),
      "one above 0, the other 0",
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
    require(
      len(names) > 1 and len(set(names)) == len(names),
      "variants",
      names,
      "two or more, with different names",
    )
    require(bool(self.sizes), "sizes", dict(self.sizes), "one or more")
    for i, variant in enumerate(self.variants):
      require(
        variant.name not in PLAYERS,
        "name",
        variant.name,
        "names that no player has",
      )
      require(
        not variant.teacher or variant.teacher in names[:i],
        f"teacher of {variant.name!r}",
        variant.teacher,
        "an earlier variant",
      )

  @property
  def default_size(self) -> str:
    """Name of the default size, used without --size."""
    return next(iter(self.sizes))
