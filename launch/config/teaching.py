"""Settings of the scripted players that act beside the agent in training."""

import dataclasses
from typing import Final

from adaland.launch.config.runtime import require

TEACHERS: Final = ("none", "tutor", "explorer", "forgetful", "expert")


@dataclasses.dataclass(frozen=True)
class TeachingConfig:
  """The scripted players in training episodes.

  Attributes:
    teacher: The player whose actions label every state, for
      `learner.privileged.distillation_weight`: "explorer" knows what the agent
      does; "expert" knows the hidden rules too; "none".
    taught: Share of the episodes that the teacher plays.
    demonstrated: Share of the episodes whose first trial the expert plays, as
      in a prompt.
  """

  teacher: str = "none"
  taught: float = 0.0
  demonstrated: float = 0.0

  def __post_init__(self):
    require(
      self.teacher in TEACHERS, "teacher", self.teacher, ", ".join(TEACHERS)
    )
    for name in ("taught", "demonstrated"):
      value = getattr(self, name)
      require(0 <= value <= 1, name, value, "0 to 1")
    require(
      self.taught + self.demonstrated <= 1,
      "taught + demonstrated",
      self.taught + self.demonstrated,
      "at most 1",
    )
    require(
      self.teacher != "none" or not self.taught,
      "taught",
      self.taught,
      "0 without a teacher",
    )

  @property
  def used(self) -> bool:
    """True if there are scripted players."""
    return self.teacher != "none" or self.demonstrated > 0
