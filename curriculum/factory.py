"""Builds the curriculum that a run's config names."""

import dataclasses
from collections.abc import Callable
from typing import Any

from adaland.curriculum import base, uniform
from adaland.curriculum.plr import PLRConfig, PLRCurriculum

KINDS = ("uniform", "plr")


@dataclasses.dataclass(frozen=True)
class CurriculumConfig:
  """The kind of curriculum, and its settings.

  Attributes:
    kind: 'uniform' or 'plr'.
    plr: Settings of 'plr'.
  """

  kind: str = "uniform"
  plr: PLRConfig = dataclasses.field(default_factory=PLRConfig)

  def __post_init__(self):
    if self.kind not in KINDS:
      raise ValueError(
        f"curriculum.kind is {self.kind!r}; it must be one of {KINDS}."
      )


def make_curriculum(
  config: CurriculumConfig,
  sample_task: Callable[[int], Any],
  seed: int,
  num_tasks: int = base.POOL_SIZE,
) -> base.Curriculum:
  """Makes the curriculum.

  Args:
    config: The kind of curriculum, and its settings.
    sample_task: Returns the task of an index below num_tasks, or a stand-in
      for it; assignments carry it, and no curriculum looks into it.
    seed: Seed of its draws.
    num_tasks: Size of the pool.
  """
  if config.kind == "plr":
    return PLRCurriculum(config.plr, sample_task, seed, num_tasks)
  return uniform.UniformCurriculum(sample_task, seed, num_tasks)
