"""Speed of the whole training, against what its stages predict."""

import json
import os
import pathlib
import tempfile
from collections.abc import Mapping, Sequence

from adaland.launch import errors
from adaland.launch.bench.lib import subprocess_json
from adaland.launch.config import experiment


def predicted_steps_per_s(
  config: experiment.ExperimentConfig, stages: Mapping[str, float], cores: int
) -> float:
  """Environment steps a second that the stages' speeds allow.

  Actors and learner work at the same time, so the slowest of three bounds
  holds, with r = samples_per_insert learned steps for each step played:

      actors     num_actors * actor_steps_per_s
      learner    learner_steps_per_s / r
      all cores  cores / (1 / actor_steps_per_cpu_s
                          + r / learner_steps_per_cpu_s)

  The last says that a step's processor seconds, summed over the processes,
  can't be had faster than the cores give them. Replay, parameters on their
  way and waiting for one another cost extra: that is what `train_ratio` shows.

  Args:
    config: Of the run.
    stages: What `actor` and `learner` measured, each alone on the machine.
    cores: That the run may use.
  """
  ratio = config.replay.samples_per_insert or 1.0
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
  """The same where one accelerator plays and learns, one after the other.

      1 / (1 / actor_steps_per_s + r / learner_steps_per_s)

  Args:
    stages: What `actor` and `learner` measured, each alone on the device.
    ratio: r, steps learned from for each step played.
  """
  return 1 / (
    1 / stages["actor_steps_per_s"] + ratio / stages["learner_steps_per_s"]
  )


def train(
  config: experiment.ExperimentConfig,
  preset: str,
  seconds: float,
  launcher: str,
  settings: Sequence[str] = (),
) -> dict[str, float]:
  """The whole training, against what its stages' speeds predict.

  `train_ratio` is the steps a second of a run over the prediction. Each stage
  is measured in a process of its own.

  Args:
    config: Of the run.
    preset: What it came from.
    seconds: For each stage; with processes the run takes three times that and
      a minute.
    launcher: As for --launcher.
    settings: What was changed of the preset, as for --set.
  """
  changed = ("--set", *settings) if settings else ()
  sizes = (f"--preset={preset}", f"--seconds={seconds}")
  how = f"--launcher={launcher}"

  def bench(what: str) -> dict[str, float]:
    return subprocess_json.run(
      "adaland.launch.bench", what, how, *sizes, *changed, env=os.environ
    )

  stages = bench("actor") | bench("learner")
  if launcher == "device":
    stages |= bench("training")
    return stages | compared(config, stages)
  predicted = predicted_steps_per_s(config, stages, num_cores())
  with tempfile.TemporaryDirectory() as folder:
    workdir = os.path.join(folder, "run")
    subprocess_json.run(
      "adaland.launch.train",
      f"--workdir={workdir}",
      f"--preset={preset}",
      how,
      "--set",
      *settings,
      f"run.max_minutes={(3 * seconds + 60) / 60}",
      "run.max_steps=0",
      "run.log_seconds=2",
      "run.eval_tasks=0",
      env=os.environ,
    )
    lines = pathlib.Path(workdir, "metrics.jsonl").read_text().splitlines()
  rows = [json.loads(line) for line in lines]
  measured = steady_rate(rows)
  return {
    **stages,
    "train_predicted_steps_per_s": predicted,
    "train_steps_per_s": measured,
    "train_ratio": measured / predicted,
  }


def compared(
  config: experiment.ExperimentConfig, measured: Mapping[str, float]
) -> dict[str, float]:
  """How a run in one process compares with its stages and with products.

  Args:
    config: Of the run.
    measured: What `actor`, `learner` and `training` measured, all under
      `--launcher=device`.
  """
  ratio = measured["train_replayed_ratio"]
  if measured["train_accelerators_count"]:
    predicted = predicted_in_turns(measured, ratio)
  else:
    predicted = predicted_steps_per_s(config, measured, num_cores())
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


def steady_rate(rows: Sequence[Mapping[str, float]]) -> float:
  """Environment steps a second in the last two thirds of a run.

  Args:
    rows: Of its metrics.

  Raises:
    RunError: If there are too few of them.
  """
  # Until the learner has compiled its update, it holds up the actors.
  busy = [row for row in rows if row["updates"] > 2 and "loss/total" in row]
  steady = busy[len(busy) // 3 :]
  if len(steady) < 2:
    raise errors.RunError(
      "training was too slow to measure; give it more --seconds"
    )
  first, last = steady[0], steady[-1]
  return (last["env_steps"] - first["env_steps"]) / (
    last["seconds"] - first["seconds"]
  )


def num_cores() -> int:
  """Processor cores that this process may use."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
