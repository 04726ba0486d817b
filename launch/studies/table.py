"""The studies as data: a new study is a new row."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from adaland.agent.config import MEMORIES
from adaland.curriculum.plr import FITNESSES
from adaland.launch.studies import sizes
from adaland.launch.studies.study import Size, Study, Variant


def _memory(name: str) -> Variant:
  """Returns the variant of a memory; without memory it is "memoryless"."""
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
_TWICE_SMALL: Final = (
  "network.d_model=64",
  "network.num_heads=4",
  "network.feed_forward_size=128",
)

_BELIEF: Final = (
  "network.belief=true",
  "learner.privileged.belief_weight=1",
)

_SIZES: Final[Mapping[str, Size]] = {
  "laptop": sizes.LAPTOP,
  "micro": sizes.MICRO,
}
_LARGE: Final[Mapping[str, Size]] = {"laptop": sizes.LAPTOP}


def _patches(percent: int) -> tuple[str, ...]:
  """Returns settings by which learning leaves out a share of the patches."""
  return (
    "network.vision=patches",
    f"network.patches.dropped={percent / 100}",
  )


STUDIES: Final[dict[str, Study]] = {
  "memories": Study(
    "Which memory adapts, after equal time and equal steps?",
    tuple(map(_memory, MEMORIES)),
    {**_SIZES, "many": sizes.MANY, "many-micro": sizes.MANY_MICRO},
  ),
  "sinks": Study(
    "Does a short window need attention sinks?",
    (
      Variant("whole-episode"),
      Variant("window", ("network.memory_length=30",)),
      Variant(
        "window-sinks",
        ("network.memory_length=30", "network.attention_sinks=4"),
      ),
      _memory("none"),
    ),
    {**_LARGE, "micro": sizes.SIX_TRIALS_MICRO},
  ),
  "context": Study(
    "How much of an episode of 24 trials does an agent have to see?",
    (
      Variant("whole-episode"),
      # Layers see the steps that the layer below has seen: two layers reach
      # twice as far.
      Variant("six-trials", ("network.memory_length=90",)),
      Variant("two-trials", ("network.memory_length=30",)),
      Variant("one-trial", ("network.memory_length=15",)),
    ),
    {"micro": sizes.MANY_MICRO},
  ),
  "kickstart": Study(
    "Does a trained agent teach as well as a script?",
    (
      Variant("script"),
      Variant("agent", ("teaching.teacher=agent:laptop", "teaching.taught=0")),
    ),
    _LARGE,
  ),
  "distillation": Study(
    "Does an agent teach another, the next one, and a smaller one?",
    (
      Variant("script"),
      # The losses of the later generations, without a teacher.
      Variant("nobody", (*sizes.UNTAUGHT, "teaching.teacher=none")),
      Variant("second-generation", _KICKSTART, teacher="script"),
      Variant("third-generation", _KICKSTART, teacher="second-generation"),
      Variant("small", _SMALL),
      Variant("small-student", (*_KICKSTART, *_SMALL), teacher="script"),
      _memory("none"),
    ),
    {
      **_LARGE,
      # With the width of `laptop`, so that there is a smaller one.
      "micro": dataclasses.replace(sizes.MICRO, settings=_TWICE_SMALL),
    },
  ),
  "privilege": Study(
    "What is each kind of help in training worth?",
    (
      Variant("all", _BELIEF),
      Variant("no-belief"),
      Variant("no-distillation", (*_BELIEF, *sizes.NO_DISTILLATION)),
      Variant("no-demonstrations", (*_BELIEF, *sizes.NO_DEMONSTRATIONS)),
      Variant("none", (*sizes.UNTAUGHT, "teaching.teacher=none")),
      Variant("memoryless", (*_BELIEF, "network.memory=none")),
    ),
    _SIZES,
  ),
  "unprivileged": Study(
    "Does an agent adapt that learns from its rewards alone?",
    (Variant("muesli"), _memory("none")),
    {"micro": sizes.UNTAUGHT_MICRO},
  ),
  "algorithms": Study(
    "What is each part of Muesli worth, and what do plain actor-critics reach?",
    (
      Variant("muesli", sizes.UNTAUGHT),
      Variant(
        "no-model",
        (
          *sizes.UNTAUGHT,
          "learner.muesli.model=false",
          "learner.muesli.returns=vtrace",
          "learner.muesli.cmpo=none",
        ),
      ),
      Variant("no-cmpo", (*sizes.UNTAUGHT, "learner.muesli.cmpo=none")),
      Variant("exact-cmpo", (*sizes.UNTAUGHT, "learner.muesli.cmpo=exact")),
      Variant(
        "vtrace-returns", (*sizes.UNTAUGHT, "learner.muesli.returns=vtrace")
      ),
      Variant(
        "no-control-variate",
        (*sizes.UNTAUGHT, "learner.muesli.control_variate=false"),
      ),
      Variant("ppo", (*sizes.UNTAUGHT, "learner.algorithm=ppo")),
      Variant("vtrace", (*sizes.UNTAUGHT, "learner.algorithm=vtrace")),
      Variant("memoryless", (*sizes.UNTAUGHT, "network.memory=none")),
    ),
    {"laptop": sizes.LAPTOP, "micro": sizes.UNTAUGHT_MICRO},
  ),
  "curricula": Study(
    "Which curriculum finds the tasks to learn from, where most teach nothing?",
    (
      Variant("uniform"),
      *(
        Variant(
          f"plr-{fitness.replace('_', '-')}",
          ("curriculum.kind=plr", f"curriculum.plr.fitness={fitness}"),
        )
        for fitness in FITNESSES
      ),
      Variant("learnability", ("curriculum.kind=learnability",)),
      # Not named "noop": that is a player.
      Variant("noop-filter", ("curriculum.kind=noop",)),
      # Each update learns from as many unrolls as the other variants' do.
      Variant("proxy", ("learner.proxy.share=0.25", "replay.batch_size=32")),
      _memory("none"),
    ),
    {"laptop": sizes.WIDE, "micro": sizes.WIDE_MICRO},
  ),
  "pixels": Study(
    "Do patches see as much as a torso, and how many may be dropped?",
    (
      Variant("torso"),
      *(Variant(f"patches-{each}", _patches(each)) for each in (0, 50, 75)),
      Variant("memoryless", (*_patches(0), *_memory("none").settings)),
    ),
    {"laptop": sizes.PIXELS, "micro": sizes.PIXELS_MICRO},
  ),
}
