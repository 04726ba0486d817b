"""A factory of the curriculum that a run's config names."""

import dataclasses
from collections.abc import Callable
from typing import Any

from adaland.curriculum import base, uniform, validation
from adaland.curriculum.learnability import (
  LearnabilityConfig,
  LearnabilityCurriculum,
)
from adaland.curriculum.noop import NoopConfig, NoopCurriculum
from adaland.curriculum.plr import PLRConfig, PLRCurriculum

KINDS = ("uniform", "noop", "plr", "learnability")


@dataclasses.dataclass(frozen=True)
class CurriculumConfig:
  """The kind of curriculum, and its settings.

  Attributes:
    kind: 'uniform', 'noop', 'plr' or 'learnability'.
    noop: Settings of 'noop'.
    plr: Settings of 'plr'.
    learnability: Settings of 'learnability'.
  """

  kind: str = "uniform"
  noop: NoopConfig = dataclasses.field(default_factory=NoopConfig)
  plr: PLRConfig = dataclasses.field(default_factory=PLRConfig)
  learnability: LearnabilityConfig = dataclasses.field(
    default_factory=LearnabilityConfig
  )

  def __post_init__(self):
    validation.require(
      self.kind in KINDS, "curriculum.kind", self.kind, ", ".join(KINDS)
    )


def make_curriculum(
  config: CurriculumConfig,
  sample_task: Callable[[int], Any],
  seed: int,
  num_tasks: int = base.POOL_SIZE,
  draw_coplayer: base.DrawCoplayer | None = None,
) -> base.Curriculum:
  """Makes the curriculum.

  Args:
    config: The kind of curriculum, and its settings.
    sample_task: Returns the task of an index below num_tasks, or a placeholder
      for it; assignments carry it, and no curriculum inspects it.
    seed: Seed of its draws.
    num_tasks: Size of the pool.
    draw_coplayer: Draws the co-player of a new task, if tasks have one; then
      `sample_task` is called with numbers of pairs (see `coplayers`).
  """
  pool = sample_task, seed, num_tasks, draw_coplayer
  if config.kind == "noop":
    return NoopCurriculum(config.noop, *pool)
  if config.kind == "learnability":
    return LearnabilityCurriculum(config.learnability, *pool)
  if config.kind == "plr":
    return PLRCurriculum(config.plr, *pool)
  return uniform.UniformCurriculum(*pool)
