"""Sizes of studies: presets, tasks and lengths of runs."""

import dataclasses
from typing import Final

from adaland.launch.config import preset_configs
from adaland.launch.studies.study import Size

NO_DISTILLATION: Final = (
  "learner.privileged.distillation_weight=0",
  "learner.privileged.distillation_alone=0",
)
NO_DEMONSTRATIONS: Final = ("teaching.taught=0", "teaching.demonstrated=0")
# Algorithms are compared without a teacher to imitate in the first half.
UNTAUGHT: Final = (*NO_DISTILLATION, *NO_DEMONSTRATIONS)

# Half an hour of two cores for each run, at least.
LAPTOP: Final = Size("traps", trials=4, minutes=30.0)
# Minutes of one core. Counted in steps and in one process, so that the
# machine's other load makes no difference.
MICRO: Final = Size(
  preset_configs.MICRO_TASKS,
  trials=3,
  preset="micro",
  steps=200_000,
  launcher="device",
)
# Episodes of 24 trials. All memories keep 360 steps, which is 12 trials, or 48
# for `skip`, which keeps one step in four.
MANY: Final = Size(
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
# A smaller version. An unroll is 90 steps, six trials, so that most updates are
# about new tasks, and episodes of 24 trials are seen through the memory.
_MANY_MICRO_TASKS: Final = (
  "traps:candidates=3,tiles=4,trials=24,trial_seconds=2,types=7"
)
MANY_MICRO: Final = dataclasses.replace(
  MICRO,
  taskset=_MANY_MICRO_TASKS,
  trials=24,
  settings=(
    "tasks.family=4*"
    + _MANY_MICRO_TASKS.replace("trials=24", "trials=6")
    + f"+{_MANY_MICRO_TASKS}",
    "env.num_slots=3",
    "env.max_rules=4",
    "actor.envs_per_actor=32",
    "actor.unroll_length=91",
    "network.memory_length=360",
    "network.store_size=90",
    "replay.capacity=512",
    "replay.min_size=32",
    "replay.batch_size=8",
  ),
)
# Episodes of six trials, 90 steps. A window of 30 steps shows two trials to one
# layer, and four to both.
_SIX_TRIALS: Final = preset_configs.MICRO_TASKS.replace("trials=3", "trials=6")
SIX_TRIALS_MICRO: Final = dataclasses.replace(
  MICRO,
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
UNTAUGHT_MICRO: Final = dataclasses.replace(
  MICRO,
  steps=2_000_000,
  settings=(
    "teaching.teacher=none",
    *UNTAUGHT,
    "replay.samples_per_insert=4",
    "learner.learning_rate=1e-3",
  ),
)

# Every task is played by the agent alone, since curricula score tasks by its
# play, and learned from without a teacher, to whom all tasks would be alike. An
# archive of 1,000 tasks would not fill up in the time.
WIDE: Final = Size(
  "wide",
  trials=4,
  settings=(
    "tasks.family=wide",
    "teaching.teacher=none",
    *UNTAUGHT,
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
WIDE_MICRO: Final = dataclasses.replace(
  MICRO,
  taskset=_WIDE_MICRO_TASKS,
  settings=(
    f"tasks.family={_WIDE_MICRO_TASKS}",
    "env.num_slots=4",
    "env.max_rules=4",
    "teaching.teacher=none",
    *UNTAUGHT,
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
PIXELS: Final = Size(
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
PIXELS_MICRO: Final = dataclasses.replace(
  MICRO,
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
