"""Speed of a whole training run, compared with a prediction from its stages."""

import math
import os
from collections.abc import Mapping, Sequence

from adaland.launch import errors
from adaland.launch.bench.lib import run_speed, subprocess_json
from adaland.launch.config import experiment
from adaland.launch.run import cores

# A run is measured for this long plus three times as long as each stage.
_RUN_SECONDS = 20.0
# Number of runs of each compared launcher, in turns, so that a slow moment of
# the machine affects both.
_TURNS = 2
# With `ample_actors`, actors can play this many times what the learner uses.
_AMPLE = 2.0


def train(
  config: experiment.ExperimentConfig,
  preset: str,
  seconds: float,
  launcher: str,
  settings: Sequence[str] = (),
  ample_actors: bool = False,
  versus_local: bool = False,
) -> dict[str, float]:
  """Measures a run, and its stages alone, each in its own process.

  `train_ratio` is the run's steps per second over the prediction from the
  stages. `train_wait_ratio` is the share of the learner's time spent waiting
  for data. `train_supply_ratio` is the number of steps that actors alone could
  play over those that the learner alone requests; if it is well above 1,
  waiting is due to the runtime: replay, transport, and competing processes.

  Args:
    config: Config of the run.
    preset: The config's preset.
    seconds: Length of each stage's measurement.
    launcher: As for --launcher.
    settings: Changes to the preset, as for --set.
    ample_actors: Whether to raise `replay.samples_per_insert` until actors can
      play twice the steps that the learner requests.
    versus_local: Whether to compare the launcher with the local one, see
      `compare_launchers`.
  """
  changed = ("--set", *settings) if settings else ()

  def stage(name: str) -> dict[str, float]:
    return subprocess_json.run(
      "adaland.launch.bench",
      name,
      # The speed of a role on its own does not depend on the runtime.
      f"--launcher={'device' if launcher == 'device' else 'local'}",
      f"--preset={preset}",
      f"--seconds={seconds}",
      *changed,
      env=os.environ,
    )

  stages = stage("actor") | stage("learner")
  if launcher == "device":
    stages |= stage("training")
    return stages | compare_stages(config, stages)
  ratio = config.replay.samples_per_insert or 1.0
  if ample_actors:
    ratio = ample_samples_per_insert(config, stages)
    if config.replay.sampling != "queue":
      settings = (*settings, f"replay.samples_per_insert={ratio}")
  length = _RUN_SECONDS + 3 * seconds
  predicted = predicted_steps_per_s(config, stages, cores.num_cores(), ratio)
  names = ("local", launcher) if versus_local else (launcher,)
  runs: dict[str, list[run_speed.Speed]] = {name: [] for name in names}
  for _ in range(_TURNS if versus_local else 1):
    for name, found in runs.items():
      found.append(run_speed.measure(preset, name, length, settings))
  mean = {
    field: sum(getattr(run, field) for run in runs[launcher])
    / len(runs[launcher])
    for field in run_speed.Speed._fields
  }
  result = {
    **stages,
    "train_samples_per_insert_ratio": ratio,
    "train_supply_ratio": supply(config, stages, ratio),
    "train_predicted_steps_per_s": predicted,
    "train_steps_per_s": mean["steps_per_s"],
    "train_ratio": mean["steps_per_s"] / predicted,
    "train_steps_per_cpu_s": mean["steps_per_cpu_s"],
    "train_updates_per_s": mean["updates_per_s"],
    "train_busy_cores": mean["cores"],
    "train_wait_ratio": mean["wait_share"],
  }
  if versus_local:
    result |= compare_launchers(
      runs["local"], runs[launcher], cores.num_cores()
    )
  return result


def predicted_steps_per_s(
  config: experiment.ExperimentConfig,
  stages: Mapping[str, float],
  cores: int,
  ratio: float,
) -> float:
  """Returns the environment steps per second that the stages' speeds allow.

  Actors and learner work at the same time, so the lowest of three bounds
  applies, with r steps learned from for each step played:

      actors     num_actors * actor_steps_per_s
      learner    learner_steps_per_s / r
      all cores  cores / (1 / actor_steps_per_cpu_s
                          + r / learner_steps_per_cpu_s)

  The last one says that the processes together can't use more processor time
  than the cores provide. Replay, transport of parameters and waiting cost
  extra, as `train_ratio` shows.

  Args:
    config: Config of the run.
    stages: Results of `actor` and `learner`, each alone on the machine.
    cores: Number of cores that the run may use.
    ratio: r, steps learned from for each step played.
  """
  cpu_seconds = (
    1 / stages["actor_steps_per_cpu_s"]
    + ratio / stages["learner_steps_per_cpu_s"]
  )
  return min(
    config.actor.num_actors * stages["actor_steps_per_s"],
    stages["learner_steps_per_s"] / ratio,
    cores / cpu_seconds,
  )


def predicted_in_turns(stages: Mapping[str, float], ratio: float) -> float:
  """Returns the same prediction if one accelerator plays and learns in turns.

      1 / (1 / actor_steps_per_s + r / learner_steps_per_s)

  Args:
    stages: Results of `actor` and `learner`, each alone on the device.
    ratio: r, steps learned from for each step played.
  """
  return 1 / (
    1 / stages["actor_steps_per_s"] + ratio / stages["learner_steps_per_s"]
  )


def compare_stages(
  config: experiment.ExperimentConfig, measured: Mapping[str, float]
) -> dict[str, float]:
  """Compares a run in one process with its stages and with matrix products.

  Args:
    config: Config of the run.
    measured: Results of `actor`, `learner` and `training`, all under
      `--launcher=device`.
  """
  ratio = measured["train_replayed_ratio"]
  if measured["train_accelerators_count"]:
    predicted = predicted_in_turns(measured, ratio)
  else:
    predicted = predicted_steps_per_s(
      config,
      measured,
      cores.num_cores(),
      config.replay.samples_per_insert or 1.0,
    )
  steps = measured["train_steps_per_s"]
  flop = (
    measured["actor_acting_flop_per_step"]
    + ratio * measured["learner_flop_per_step"]
  )
  product = measured["learner_product_tflop_per_s"]
  return {
    "train_predicted_steps_per_s": predicted,
    "train_ratio": steps / predicted,
    "train_flop_per_step": flop,
    "train_flop_ratio": flop * steps / 1e12 / product,
  }


def compare_launchers(
  local: Sequence[run_speed.Speed],
  ray: Sequence[run_speed.Speed],
  cores: int,
) -> dict[str, float]:
  """Compares runs of two launchers, paired by turn.

  Both have the same roles and no evaluator. `ray_ratio` compares environment
  steps per second; `_spread` is the range of the ratios of single turns. Other
  work on the machine distorts it, so processor time is compared too, over all
  processes that a run has started, Ray's daemons included. With b busy
  processors and s steps per second,

      ray_extra_cores = b_ray - s_ray b_local / s_local

  is Ray's use of processors beyond that of the same steps without it. Most of
  it is per second, not per step. So `ray_cpu_ratio`, of the steps per second of
  processor time, is low if other work leaves the run little of the machine, and
  `ray_whole_machine_ratio` is the remaining share of all processors,
  1 - ray_extra_cores / cores.

  Args:
    local: Runs under the local launcher.
    ray: Runs under Ray.
    cores: Number of processors.
  """
  result: dict[str, float] = {}
  for prefix, runs in (("ray_local", local), ("ray", ray)):
    steps = sum(run.steps_per_s for run in runs) / len(runs)
    busy = sum(run.cores for run in runs) / len(runs)
    result |= {
      f"{prefix}_steps_per_s": steps,
      f"{prefix}_busy_cores": busy,
      f"{prefix}_steps_per_cpu_s": steps / busy,
    }
  for name, field in (("ray", "steps_per_s"), ("ray_cpu", "steps_per_cpu_s")):
    ratios = [
      getattr(b, field) / getattr(a, field)
      for a, b in zip(local, ray, strict=True)
    ]
    result[f"{name}_ratio"] = (
      result[f"ray_{field}"] / result[f"ray_local_{field}"]
    )
    result[f"{name}_ratio_spread"] = max(ratios) - min(ratios)
  extra = result["ray_busy_cores"] * (1 - result["ray_cpu_ratio"])
  return {
    **result,
    "ray_extra_cores": extra,
    "ray_whole_machine_ratio": 1 - extra / cores,
  }


def supply(
  config: experiment.ExperimentConfig,
  stages: Mapping[str, float],
  ratio: float,
) -> float:
  """Returns the steps that actors can play over those the learner requests.

  Args:
    config: Config of the run.
    stages: Results of `actor` and `learner`, each alone on the machine.
    ratio: Steps learned from for each step played.
  """
  played = config.actor.num_actors * stages["actor_steps_per_s"]
  return played * ratio / stages["learner_steps_per_s"]


def ample_samples_per_insert(
  config: experiment.ExperimentConfig, stages: Mapping[str, float]
) -> float:
  """Returns the lowest ratio with ample actors, but at least the config's.

  Args:
    config: Config of the run.
    stages: As for `supply`.

  Raises:
    UserError: If the learner sees each unroll once and actors are too slow.
  """
  if config.replay.sampling == "queue":
    found = supply(config, stages, 1.0)
    if found < _AMPLE:
      raise errors.UserError(
        f"--ample_actors: replay.sampling=queue, and actors alone play "
        f"{found:.2g} times the steps that the learner alone uses; allowed: "
        f"from {_AMPLE:g} (more actor.num_actors, or replay.sampling=uniform)"
      )
    return 1.0
  needed = math.ceil(_AMPLE / supply(config, stages, 1.0))
  return max(float(needed), config.replay.samples_per_insert or 1.0)
