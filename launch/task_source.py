"""The tasks of a run: one half of its task family, by index."""

import dataclasses
import functools

from adaland.envs.sampling import sampler
from adaland.envs.tasks import task as task_lib
from adaland.launch.config import experiment


@dataclasses.dataclass(frozen=True)
class TaskSource:
  """Tasks by index, each checked against the run's environments.

  It may be sent to other processes, which import the family for themselves.

  Attributes:
    config: The run's config.
    split: Half of the family: "train" or "test".
  """

  config: experiment.ExperimentConfig
  split: str = "train"

  @property
  def num_tasks(self) -> int:
    """Number of different tasks."""
    return _half(self.config, self.split).num_tasks

  def task(self, index: int) -> task_lib.Task:
    """Returns the task of an index, taken modulo `num_tasks`."""
    return _half(self.config, self.split).task(index)


@functools.lru_cache(8)
def _half(
  config: experiment.ExperimentConfig, split: str
) -> sampler.TaskSampler:
  """Returns one half of a run's task family."""
  return sampler.TaskSampler(dataclasses.replace(config.tasks, split=split))
