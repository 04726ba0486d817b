"""Speed of a run in one process, as under `--launcher=device`."""

import os
import tempfile
import time
from typing import Any

from adaland.envs import land
from adaland.launch import errors
from adaland.launch.bench import actor
from adaland.launch.bench.lib import hardware, stopwatch
from adaland.launch.config import experiment
from adaland.launch.run import progress, rundir
from adaland.launch.runtimes.single import preflight

_UPDATES = 3  # Two updates that compile and one more.


def training(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Measures a run's environment steps per second, from its third update.

  The run writes no rows of metrics and no checkpoints.

  Args:
    config: The run's config.
    seconds: Time for each measurement.
  """
  preflight.prepare(config)
  from adaland.launch.runtimes.single import trainer

  with tempfile.TemporaryDirectory() as folder:
    run = rundir.RunDir(os.path.join(folder, "run"))
    with run.begin(config):
      running = trainer.Trainer(config, run, progress.Progress())
      try:
        return _measured(config, running, seconds)
      finally:
        running.close()


def _measured(
  config: experiment.ExperimentConfig, running: Any, seconds: float
) -> dict[str, float]:
  # By then every environment has ended an unroll, and replay has enough data.
  most = 4 * (config.longest_episode + config.actor.unroll_length)
  most += config.replay.min_size * config.actor.unroll_length
  for _ in range(most):
    if running.counters()["updates"] >= _UPDATES:
      break
    running.step()
  else:
    raise errors.RunError(f"there was no update in {most} steps")
  running.wait()
  before, count, start = running.counters(), 0, time.perf_counter()
  # Unrolls come in bursts, as environments start together.
  while (
    count < config.actor.unroll_length or time.perf_counter() < start + seconds
  ):
    running.step()
    count += 1
  running.wait()
  taken, after = time.perf_counter() - start, running.counters()
  steps, updates = (
    after[name] - before[name] for name in ("env_steps", "updates")
  )
  batch = config.replay.batch_size * config.actor.unroll_length
  return {
    "train_num_envs_count": float(config.actor.envs_per_actor),
    "train_accelerators_count": float(hardware.accelerators()),
    "train_steps_per_s": steps / taken,
    "train_learned_steps_per_s": updates * batch / taken,
    "train_updates_per_s": updates / taken,
    "train_replayed_ratio": updates * batch / steps,
    "train_step_ms": 1e3 * taken / count,
    **_train_stages(running, seconds),
    **actor.memory("train", config),
  }


def _train_stages(running: Any, seconds: float) -> dict[str, float]:
  """Returns mean milliseconds of the stages of a step, waiting for each."""
  watch = stopwatch.Stopwatch()
  watch.watch(land.Land, "step", "env")
  act = learn = 0.0
  count, start = 0, time.perf_counter()
  try:
    while not count or time.perf_counter() < start + seconds:
      before = time.perf_counter()
      running.act()
      running.wait()
      between = time.perf_counter()
      running.learn()
      running.wait()
      act += between - before
      learn += time.perf_counter() - between
      count += 1
  finally:
    watch.stop()
  env = watch.seconds["env"]
  return {
    "train_env_ms": 1e3 * env / count,
    "train_act_ms": 1e3 * (act - env) / count,
    "train_learn_ms": 1e3 * learn / count,
  }
