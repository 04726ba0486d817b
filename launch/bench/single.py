"""Speed of one process that plays and learns, as `--launcher=device` has it."""

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import jax

from adaland.envs import land
from adaland.launch import builder, errors
from adaland.launch.acting import actor as player_lib
from adaland.launch.bench import actor, network
from adaland.launch.bench.lib import hardware, stopwatch, timing
from adaland.launch.config import experiment
from adaland.launch.run import progress, rundir
from adaland.launch.runtimes.single import preflight

# An accelerator is told to do this many steps before it is waited for.
_STEPS_A_CALL = 16
_UPDATES = 3  # Those that compile something, and one.


def player(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Environment steps a second of what plays; its unrolls go nowhere.

  Its ceiling is what acting with observations at hand, bare stepping and, for
  pixels, bare casting of their rays take one after the other; without the gpu
  back end, acting alone.
  """
  preflight.prepare(config)
  made = builder.agent(config)
  playing = builder.player(
    config, made, actor.Alone(config, None), lambda unrolls, num: None
  )
  device = jax.local_devices()[0]
  params = jax.device_put(made.network.init(jax.random.PRNGKey(0)), device)
  acting = network.acting_work(config, made, params)

  def step() -> None:
    playing.step(params, 0)

  def steps() -> None:
    for _ in range(_STEPS_A_CALL):
      step()
    jax.block_until_ready(playing.arrays)

  steps()
  works = [steps, acting.work, *_bare(config, playing)]
  measured, *alone = timing.speeds(works, seconds)
  rate = measured.per_second * _STEPS_A_CALL
  limit = 1 / sum(1 / speed.per_second for speed in alone)
  num_envs = config.actor.envs_per_actor
  product = hardware.product_flop_per_s(config.network.compute_dtype, 1.0)
  steps_alone = alone[0].per_second * num_envs
  return {
    "actor_num_envs_count": float(num_envs),
    "actor_steps_per_s": rate * num_envs,
    "actor_steps_per_cpu_s": (
      measured.per_cpu_second * _STEPS_A_CALL * num_envs
    ),
    "actor_acting_steps_per_s": steps_alone,
    "actor_ceiling_steps_per_s": limit * num_envs,
    "actor_ratio": rate / limit,
    **_stages(playing, step, seconds),
    **network.flop_use(
      "actor_acting", acting.flop_per_step, steps_alone, product
    ),
    **_memory("actor", config),
  }


def _bare(
  config: experiment.ExperimentConfig, playing: player_lib.Player
) -> list[Callable[[], object]]:
  """Physics alone, in the same worlds, as far as it can be had alone."""
  if config.env.backend != "gpu":
    return []
  from adaland.launch.bench import env_gpu

  environment = playing.environment
  assert isinstance(environment, land.Land)
  physics: Any = environment.physics
  works: list[Callable[[], object]] = [env_gpu.alone(physics)]
  if config.env.observation == "pixels":
    works.append(env_gpu.casting(physics, config.env.pixels))
  return works


def _stages(
  playing: player_lib.Player, step: Callable[[], None], seconds: float
) -> dict[str, float]:
  """Milliseconds of a step of all environments, each stage waited for."""
  watch = stopwatch.Stopwatch()
  watch.watch(playing.environment, "step", "env")
  count, start = 0, time.perf_counter()
  try:
    while not count or time.perf_counter() < start + seconds:
      step()
      jax.block_until_ready(playing.arrays)
      count += 1
  finally:
    watch.stop()
  whole = time.perf_counter() - start
  env = watch.seconds["env"]
  return {
    "actor_step_ms": 1e3 * whole / count,
    "actor_env_ms": 1e3 * env / count,
    "actor_act_ms": 1e3 * (whole - env) / count,
  }


def _memory(name: str, config: experiment.ExperimentConfig) -> dict[str, float]:
  device = None
  if config.env.backend == "gpu":
    import warp

    device = warp.get_device(config.env.device)
  return {f"{name}_{k}": v for k, v in hardware.memory(device).items()}


def training(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Environment steps a second of a run, from its third update on.

  Without what a run does by the clock: rows of metrics and checkpoints.
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
  # By then every environment has ended an unroll, and the store has enough.
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
  # Unrolls come in bursts, where environments began together.
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
    **_memory("train", config),
  }


def _train_stages(running: Any, seconds: float) -> dict[str, float]:
  """Milliseconds of the stages of a step, each waited for, on average."""
  watch = stopwatch.Stopwatch()
  watch.watch(land.Land, "step", "env")
  play = learn = 0.0
  count, start = 0, time.perf_counter()
  try:
    while not count or time.perf_counter() < start + seconds:
      before = time.perf_counter()
      running.play()
      running.wait()
      between = time.perf_counter()
      running.learn()
      running.wait()
      play += between - before
      learn += time.perf_counter() - between
      count += 1
  finally:
    watch.stop()
  env = watch.seconds["env"]
  return {
    "train_env_ms": 1e3 * env / count,
    "train_act_ms": 1e3 * (play - env) / count,
    "train_learn_ms": 1e3 * learn / count,
  }
