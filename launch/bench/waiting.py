"""How much of its time a learner waits for data that actors could deliver."""

import math
import os
from collections.abc import Mapping, Sequence

from adaland.launch import errors
from adaland.launch.bench.lib import bench_run, subprocess_json
from adaland.launch.config import experiment

# By how much actors, each stage alone, can do more than the learner asks for.
_SUPPLY = 2.0
_LEAST_SECONDS = 20.0


def waiting(
  config: experiment.ExperimentConfig,
  preset: str,
  seconds: float,
  launcher: str,
  settings: Sequence[str] = (),
) -> dict[str, float]:
  """The share of the learner's time that goes in waiting, in a real run.

  Whether actors suffice is not left to chance: actor and learner are measured
  alone first, and the run's `replay.samples_per_insert` is raised until the
  actors could play twice what the learner asks for (`waiting_supply_ratio`).
  What share is left is not theirs: replay, batches on their way, processes
  that get in one another's way.

  Args:
    config: Of the run.
    preset: What it came from.
    seconds: For each stage; the run is measured for three times that.
    launcher: As for --launcher.
    settings: What was changed of the preset, as for --set.
  """
  flags = _flags(preset, seconds, settings)
  stages: dict[str, float] = {}
  for what in ("actor", "learner"):
    stages |= subprocess_json.run(
      "adaland.launch.bench", what, *flags, env=os.environ
    )
  ratio = samples_per_insert(config, stages)
  raised = ()
  if config.replay.sampling != "queue":
    raised = (f"replay.samples_per_insert={ratio}",)
  run = bench_run.measure(
    preset, launcher, max(3 * seconds, _LEAST_SECONDS), (*settings, *raised)
  )
  return {
    **stages,
    "waiting_samples_per_insert_ratio": ratio,
    "waiting_supply_ratio": supply(config, stages, ratio),
    "waiting_steps_per_s": run.steps_per_s,
    "waiting_updates_per_s": run.updates_per_s,
    "waiting_busy_cores": run.cores,
    "waiting_share_ratio": run.wait_share,
  }


def _flags(
  preset: str, seconds: float, settings: Sequence[str]
) -> tuple[str, ...]:
  changed = ("--set", *settings) if settings else ()
  return (f"--preset={preset}", f"--seconds={seconds}", *changed)


def supply(
  config: experiment.ExperimentConfig,
  stages: Mapping[str, float],
  ratio: float,
) -> float:
  """Steps that the actors can play over those that the learner asks for.

  Args:
    config: Of the run.
    stages: What `bench actor` and `bench learner` found, each
      alone on the machine.
    ratio: Steps learned from for each step played.
  """
  played = config.actor.num_actors * stages["actor_steps_per_s"]
  return played * ratio / stages["learner_steps_per_s"]


def samples_per_insert(
  config: experiment.ExperimentConfig, stages: Mapping[str, float]
) -> float:
  """The least ratio, that of the config at least, at which actors suffice.

  Args:
    config: Of the run.
    stages: As for `supply`.

  Raises:
    UserError: If the config gives each unroll to the learner once, and the
      actors do not suffice for that.
  """
  if config.replay.sampling == "queue":
    found = supply(config, stages, 1.0)
    if found < _SUPPLY:
      raise errors.UserError(
        f"replay.sampling=queue: actors can play {found:.2g} times what the "
        f"learner learns from, alone; {_SUPPLY:g} are needed to measure its "
        "waiting: more actor.num_actors, or replay.sampling=uniform"
      )
    return 1.0
  needed = math.ceil(_SUPPLY / supply(config, stages, 1.0))
  return max(float(needed), config.replay.samples_per_insert or 1.0)
