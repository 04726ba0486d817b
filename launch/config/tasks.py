"""The tasks of a run."""

import dataclasses
from typing import NamedTuple

from adaland.envs import constants
from adaland.envs.sampling import named
from adaland.envs.sampling.config import SamplerConfig


class Limits(NamedTuple):
  """The largest sizes of a run's tasks.

  Attributes:
    objects: Number of objects at the start of a trial.
    rules: Number of rules.
    steps: Number of steps of an episode.
  """

  objects: int
  rules: int
  steps: int


@dataclasses.dataclass(frozen=True)
class TasksConfig(SamplerConfig):
  """A task family: the sampler's, or one with a name.

  Attributes:
    family: Name of a family, such as "traps" or "traps:candidates=4+find" (see
      `adaland.envs.sampling.named`); the other fields are then ignored. Empty
      for the tasks that they describe.
  """

  family: str = ""

  def __post_init__(self):
    super().__post_init__()
    if self.family:
      named.parse(self.family)

  @property
  def pair_probability(self) -> float:
    """Probability that a task has two players; 0 for named families."""
    return 0.0 if self.family else self.two_player_probability

  @property
  def limits(self) -> Limits:
    """The largest sizes of the family's tasks."""
    if self.family:
      mixed = [family for family, _ in named.parse(self.family)]
      return Limits(
        max(family.max_objects for family in mixed),
        max(family.max_rules for family in mixed),
        max(family.max_steps for family in mixed),
      )
    most_rules = self.chain_rules[1] + self.dead_ends[1]
    steps = round(self.trial_seconds[1] / constants.STEP_SECONDS)
    return Limits(
      self.max_objects,
      min(most_rules, constants.MAX_RULES),
      self.trials[1] * steps,
    )
