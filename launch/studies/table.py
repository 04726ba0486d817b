"""The studies as data: a new study is a new row."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from adaland.agent.config import MEMORIES
from adaland.curriculum.plr import FITNESSES
from adaland.launch.config import preset_configs
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
_NO_DISTILLATION: Final = (
  "learner.privileged.distillation_weight=0",
  "learner.privileged.distillation_alone=0",
)
_NO_DEMONSTRATIONS: Final = ("teaching.taught=0", "teaching.demonstrated=0")
# Algorithms are compared without a teacher to imitate in the first half.
_UNTAUGHT: Final = (*_NO_DISTILLATION, *_NO_DEMONSTRATIONS)


# Half an hour of two cores for each run, at least.
_LAPTOP: Final = Size("traps", trials=4, minutes=30.0)
# Minutes of one core. Counted in steps and in one process, so that the
# machine's other load makes no difference.
_MICRO: Final = Size(
  preset_configs.MICRO_TASKS,
  trials=3,
  preset="micro",
  steps=200_000,
  launcher="device",
)
# Episodes of 24 trials. All memories keep 360 steps, which is 12 trials, or 48
# for `skip`, which keeps one step in four.
_MANY: Final = Size(
  "many",
  trials=24,
  settings=(
    "tasks.family=many",
    "env.num_slots=7",
    "env.max_rules=8",
    "actor.envs_per_actor=16",
    "actor.unroll_length=721",
    "network.memory_length=360",
    "replay.capacity=128",
    "replay.min_size=16",
    "replay.batch_size=4",
  ),
  minutes=120.0,
)
# Episodes of six trials, 90 steps. A window of 30 steps shows two trials to one
# layer, and four to both.
_SIX_TRIALS: Final = preset_configs.MICRO_TASKS.replace("trials=3", "trials=6")
_SIX_MICRO: Final = dataclasses.replace(
  _MICRO,
  taskset=_SIX_TRIALS,
  trials=6,
  settings=(
    f"tasks.family={_SIX_TRIALS}",
    "actor.unroll_length=91",
    "network.memory_length=91",
  ),
)
# Learning from rewards alone takes ten times the steps; the world costs less
# than Muesli's model, so each episode is learned from less often.
_UNTAUGHT_MICRO: Final = dataclasses.replace(
  _MICRO,
  steps=2_000_000,
  settings=(
    "teaching.teacher=none",
    *_UNTAUGHT,
    "replay.samples_per_insert=4",
    "learner.learning_rate=1e-3",
  ),
)
_SIZES: Final[Mapping[str, Size]] = {"laptop": _LAPTOP, "micro": _MICRO}
_LARGE: Final[Mapping[str, Size]] = {"laptop": _LAPTOP}

# Every task is played by the agent alone, since curricula score tasks by its
# play, and learned from without a teacher, to whom all tasks would be alike. An
# archive of 1,000 tasks would not fill up in the time.
_WIDE: Final = Size(
  "wide",
  trials=4,
  settings=(
    "tasks.family=wide",
    "teaching.teacher=none",
    *_UNTAUGHT,
    "curriculum.plr.capacity=200",
    "curriculum.learnability.train_episodes=500",
  ),
  num_tasks=200,
  minutes=60.0,
)
# A smaller version: the tasks of `micro`, which can be learned, and rooms in
# which 2 s are not enough. With a quarter of the steps and four times as many
# updates per step, agents learned little more than to walk.
_WIDE_MICRO_TASKS: Final = (
  "find:candidates=1,tiles=4,trials=3,trial_seconds=2"
  "+find:candidates=2,tiles=4,trials=3,trial_seconds=2"
  f"+4*{preset_configs.MICRO_TASKS}"
  "+2*find:candidates=2,tiles=12-14,trials=3,trial_seconds=2"
  "+2*fetch:candidates=2,tiles=8-10,trials=3,trial_seconds=2"
  "+2*chain:candidates=2,tiles=8-10,trials=3,trial_seconds=2"
)
_WIDE_MICRO: Final = dataclasses.replace(
  _MICRO,
  taskset=_WIDE_MICRO_TASKS,
  settings=(
    f"tasks.family={_WIDE_MICRO_TASKS}",
    "env.num_slots=4",
    "env.max_rules=4",
    "teaching.teacher=none",
    *_UNTAUGHT,
    "curriculum.plr.capacity=100",
    "curriculum.learnability.train_episodes=600",
    "replay.samples_per_insert=4",
    "learner.learning_rate=1e-3",
  ),
  num_tasks=200,
  steps=1_000_000,
)
# The smallest rooms and the shortest trials; equal steps, since the encoders
# differ in the cost of pictures.
_PIXELS: Final = Size(
  preset_configs.MICRO_TASKS,
  trials=3,
  settings=(
    f"tasks.family={preset_configs.MICRO_TASKS}",
    "env.observation=pixels",
    "env.pixels=[48,36]",
    "actor.unroll_length=46",
    "network.memory_length=46",
    "network.torso_channels=[8,16,16]",
    "replay.samples_per_insert=8",
  ),
  steps=400_000,
)
# Smaller encoders too, as pictures are nearly all of a run's cost.
_PIXELS_MICRO: Final = dataclasses.replace(
  _MICRO,
  settings=(
    "env.observation=pixels",
    "env.pixels=[48,36]",
    "network.torso_channels=[4,8,8]",
    "network.patches.width=32",
    "network.patches.num_layers=1",
    "network.patches.num_heads=2",
    "replay.samples_per_insert=8",
  ),
  steps=120_000,
)


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
    {**_SIZES, "many": _MANY},
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
    {**_LARGE, "micro": _SIX_MICRO},
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
      Variant("nobody", (*_UNTAUGHT, "teaching.teacher=none")),
      Variant("second-generation", _KICKSTART, teacher="script"),
      Variant("third-generation", _KICKSTART, teacher="second-generation"),
      Variant("small", _SMALL),
      Variant("small-student", (*_KICKSTART, *_SMALL), teacher="script"),
      _memory("none"),
    ),
    {
      **_LARGE,
      # With the width of `laptop`, so that there is a smaller one.
      "micro": dataclasses.replace(_MICRO, settings=_TWICE_SMALL),
    },
  ),
  "privilege": Study(
    "What is each kind of help in training worth?",
    (
      Variant("all", _BELIEF),
      Variant("no-belief"),
      Variant("no-distillation", (*_BELIEF, *_NO_DISTILLATION)),
      Variant("no-demonstrations", (*_BELIEF, *_NO_DEMONSTRATIONS)),
      Variant("none", (*_UNTAUGHT, "teaching.teacher=none")),
      Variant("memoryless", (*_BELIEF, "network.memory=none")),
    ),
    _SIZES,
  ),
  "unprivileged": Study(
    "Does an agent adapt that learns from its rewards alone?",
    (Variant("muesli"), _memory("none")),
    {"micro": _UNTAUGHT_MICRO},
  ),
  "algorithms": Study(
    "What is each part of Muesli worth, and what do plain actor-critics reach?",
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
    {"laptop": _LAPTOP, "micro": _UNTAUGHT_MICRO},
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
    ),
    {"laptop": _WIDE, "micro": _WIDE_MICRO},
  ),
  "pixels": Study(
    "Do patches see as much as a torso, and how many may be dropped?",
    (
      Variant("torso"),
      *(Variant(f"patches-{each}", _patches(each)) for each in (0, 50, 75)),
      Variant("memoryless", (*_patches(0), *_memory("none").settings)),
    ),
    {"laptop": _PIXELS, "micro": _PIXELS_MICRO},
  ),
}
