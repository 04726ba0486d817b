"""The curriculum of a run, and the log of its decisions."""

from collections.abc import Callable
from typing import Any

from adaland.curriculum import base, factory, paired
from adaland.launch.config import experiment
from adaland.launch.recipes import extensions, task_source
from adaland.launch.run import decisions


def curriculum(
  config: experiment.ExperimentConfig, by_index: bool = False
) -> base.Curriculum:
  """Makes the curriculum over the training half of the tasks.

  Args:
    config: The run's config.
    by_index: Whether assignments carry indices instead of tasks, which are then
      drawn later.
  """
  source = task_source.TaskSource(config)
  draw = (lambda i: i) if by_index else source.task
  own, seed = extensions.find(config, "curriculum"), config.run.seed

  def make(
    sample: Callable[[int], Any],
    draw_coplayer: base.DrawCoplayer | None = None,
  ) -> base.Curriculum:
    if own is not None:
      return own(sample, seed)
    return factory.make_curriculum(
      config.curriculum, sample, seed, source.num_tasks, draw_coplayer
    )

  if config.env.num_players == 1:
    return make(draw)
  return paired.PairedCurriculum(
    make, draw, config.coplayers, seed, chooses_pairs=_chooses_pairs(config)
  )


def decision_log(
  config: experiment.ExperimentConfig, folder: str
) -> decisions.DecisionLog:
  """Makes the log of the curriculum's decisions.

  Args:
    config: The run's config.
    folder: The run's directory.
  """
  source = task_source.TaskSource(config)
  return decisions.DecisionLog(
    folder, source.task, paired=_chooses_pairs(config)
  )


def _chooses_pairs(config: experiment.ExperimentConfig) -> bool:
  """Returns True if the curriculum chooses pairs; a user's chooses tasks."""
  own = extensions.find(config, "curriculum")
  return config.env.num_players > 1 and own is None
