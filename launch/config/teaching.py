"""Settings of the teachers and demonstrators in training."""

import dataclasses
from typing import Final, Literal

from adaland.agent.validation import require

TEACHERS: Final = ("none", "tutor", "explorer", "forgetful", "expert", "guide")
DEMONSTRATORS: Final = ("expert", "guide")
# Prefix of a trained agent as the teacher, before its directory or name.
AGENT: Final = "agent:"

# The form of a teacher's labels in unrolls.
Labels = Literal["none", "actions", "policy"]


@dataclasses.dataclass(frozen=True)
class TeachingConfig:
  """The other players in training episodes.

  Attributes:
    teacher: The player that labels every state, for
      `learner.privileged.distillation_weight`. Scripts label with an action:
      "explorer" knows what the agent knows; "tutor" is an explorer that keeps
      in view the objects that it deals with; "forgetful" remembers no earlier
      trial; "expert" and "guide", a tutor, also know the hidden rules.
      "agent:DIRECTORY" (a run's or an exported agent's, recorded as an absolute
      path) and "agent:NAME" (an agent that comes with the package) label with
      the agent's policy. "none" for no teacher.
    taught: Share of the episodes that the teacher plays.
    demonstrated: Share of the episodes whose first trial the demonstrator
      plays, as in a prompt.
    demonstrator: "expert", or "guide", whose trials can be understood from what
      is in view.
  """

  teacher: str = "none"
  taught: float = 0.0
  demonstrated: float = 0.0
  demonstrator: str = "expert"

  def __post_init__(self):
    require(
      self.teacher in TEACHERS or bool(self.agent),
      "teacher",
      self.teacher,
      f"{', '.join(TEACHERS)}, {AGENT}NAME, {AGENT}DIRECTORY",
    )
    require(
      self.demonstrator in DEMONSTRATORS,
      "demonstrator",
      self.demonstrator,
      ", ".join(DEMONSTRATORS),
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
  def agent(self) -> str:
    """Name or directory of the agent that teaches; empty without one."""
    is_agent = self.teacher.startswith(AGENT)
    return self.teacher.removeprefix(AGENT).strip() if is_agent else ""

  @property
  def labels(self) -> Labels:
    """The form of the labels in unrolls."""
    if self.teacher == "none":
      return "none"
    return "policy" if self.agent else "actions"

  @property
  def used(self) -> bool:
    """True if there are other players."""
    return self.teacher != "none" or self.demonstrated > 0
