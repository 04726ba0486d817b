"""The studies, as data: a row adds one.

A study trains variants of one preset, with several seeds and for the same time,
and measures them on the same held-out tasks, beside players that are not
trained.
"""

import dataclasses
import re
from typing import Final

from adaland.agent.config import MEMORIES

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
PLAYERS: Final = ("expert", "explorer", "forgetful", "random")


@dataclasses.dataclass(frozen=True)
class Variant:
  """One of the agents that a study compares.

  Attributes:
    name: Its name, in files and figures.
    settings: Settings beyond the preset's, as `--set` takes them.
    teacher: Name of an earlier variant, whose run of the same seed is this
      one's teacher; empty for the preset's teacher.
  """

  name: str
  settings: tuple[str, ...] = ()
  teacher: str = ""

  def __post_init__(self):
    if not _NAME.fullmatch(self.name):
      raise ValueError(
        f"name={self.name!r}: must be small letters, digits, - and _"
      )


@dataclasses.dataclass(frozen=True)
class Study:
  """A comparison of variants.

  Attributes:
    question: The question that it answers, in a line.
    preset: The preset that all variants start from.
    variants: The agents; the first is compared with each of the others.
    taskset: Tasks to measure on, as `adaland evaluate` takes them.
    trials: Trials of each task.
    num_tasks: Number of tasks.
    minutes: Length of a run, unless the command says another.
  """

  question: str
  preset: str
  variants: tuple[Variant, ...]
  taskset: str
  trials: int
  num_tasks: int = 100
  minutes: float = 30.0

  def __post_init__(self):
    names = [variant.name for variant in self.variants]
    if len(names) < 2 or len(set(names)) < len(names):
      raise ValueError(
        f"variants={names}: must be two or more, of unlike names"
      )
    for i, variant in enumerate(self.variants):
      if variant.name in PLAYERS:
        raise ValueError(f"name={variant.name!r}: is the name of a player")
      if variant.teacher and variant.teacher not in names[:i]:
        raise ValueError(
          f"teacher={variant.teacher!r} of {variant.name!r}: must be an "
          "earlier variant"
        )
    for field in ("trials", "num_tasks", "minutes"):
      if not getattr(self, field) > 0:
        raise ValueError(f"{field}={getattr(self, field)}: must be above 0")


def _memory(name: str) -> Variant:
  """Returns the variant of a memory; the control is named for what it lacks."""
  settings = (f"network.memory={name}",)
  return Variant("memoryless" if name == "none" else name, settings)


# The paper's settings of distillation from an agent, at the laptop's scale: RL
# losses stay on, and the teacher's weight falls to zero over half the run.
_KICKSTART: Final = (
  "teaching.taught=0",
  "learner.privileged.distillation_alone=0",
  "learner.privileged.distillation_share=0.5",
  "learner.privileged.distillation_replaces=false",
  "learner.privileged.distillation_l2=1e-5",
)
_SMALL: Final = (
  "network.d_model=32",
  "network.num_heads=2",
  "network.feed_forward_size=64",
)

_NO_BELIEF: Final = (
  "network.belief=false",
  "learner.privileged.belief_weight=0",
)
_NO_DISTILLATION: Final = (
  "learner.privileged.distillation_weight=0",
  "learner.privileged.distillation_alone=0",
)
_NO_DEMONSTRATIONS: Final = ("teaching.taught=0", "teaching.demonstrated=0")
# Algorithms are compared without a teacher to imitate in the first half.
_UNTAUGHT: Final = (*_NO_DISTILLATION, *_NO_DEMONSTRATIONS)

STUDIES: Final[dict[str, Study]] = {
  "memories": Study(
    "Which memory adapts, after equal time and equal steps?",
    "laptop",
    tuple(map(_memory, MEMORIES)),
    "traps",
    trials=4,
  ),
  "sinks": Study(
    "Does a short window need attention sinks?",
    "laptop",
    (
      Variant("whole-episode"),
      Variant("window", ("network.memory_length=30",)),
      Variant(
        "window-sinks",
        ("network.memory_length=30", "network.attention_sinks=4"),
      ),
      _memory("none"),
    ),
    "traps",
    trials=4,
  ),
  "kickstart": Study(
    "Does a trained agent teach as well as a script?",
    "laptop",
    (
      Variant("script"),
      Variant("agent", ("teaching.teacher=agent:laptop", "teaching.taught=0")),
    ),
    "traps",
    trials=4,
  ),
  "distillation": Study(
    "Does an agent teach another, the next one, and a smaller one?",
    "laptop",
    (
      Variant("script"),
      Variant("second-generation", _KICKSTART, teacher="script"),
      Variant("third-generation", _KICKSTART, teacher="second-generation"),
      Variant("small", _SMALL),
      Variant("small-student", (*_KICKSTART, *_SMALL), teacher="script"),
      _memory("none"),
    ),
    "traps",
    trials=4,
  ),
  "privilege": Study(
    "What is each help in training worth?",
    "laptop",
    (
      Variant("all"),
      Variant("no-belief", _NO_BELIEF),
      Variant("no-distillation", _NO_DISTILLATION),
      Variant("no-demonstrations", _NO_DEMONSTRATIONS),
      Variant(
        "critic-too",
        (
          "network.privileged_critic=true",
          "learner.privileged.critic_weight=1",
        ),
      ),
      Variant("none", (*_NO_BELIEF, *_UNTAUGHT, "teaching.teacher=none")),
      _memory("none"),
    ),
    "traps",
    trials=4,
  ),
  "algorithms": Study(
    "What is each part of Muesli worth, and what do plain actor-critics reach?",
    "laptop",
    (
      Variant("muesli", _UNTAUGHT),
      Variant(
        "no-model",
        (
          *_UNTAUGHT,
          "learner.muesli.model=false",
          "learner.muesli.returns=vtrace",
          "learner.muesli.cmpo=none",
        ),
      ),
      Variant("no-cmpo", (*_UNTAUGHT, "learner.muesli.cmpo=none")),
      Variant("vtrace-returns", (*_UNTAUGHT, "learner.muesli.returns=vtrace")),
      Variant(
        "no-control-variate",
        (*_UNTAUGHT, "learner.muesli.control_variate=false"),
      ),
      Variant("ppo", (*_UNTAUGHT, "learner.algorithm=ppo")),
      Variant("vtrace", (*_UNTAUGHT, "learner.algorithm=vtrace")),
    ),
    "traps",
    trials=4,
  ),
}
