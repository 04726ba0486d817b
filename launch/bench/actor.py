"""Speed of one actor and of replay."""

import dataclasses
import itertools
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from adaland.agent.replay import factory
from adaland.curriculum import base
from adaland.envs import land
from adaland.launch import builder
from adaland.launch.acting import channel
from adaland.launch.acting.actor import Actor
from adaland.launch.bench import network
from adaland.launch.bench.lib import hardware, stopwatch, timing
from adaland.launch.config import experiment
from adaland.launch.recipes import task_source
from adaland.launch.runtimes.single import preflight

# Steps started on an accelerator before waiting for them.
_STEPS_A_CALL = 16


class Alone:
  """A channel and a writer for an actor that belongs to no run."""

  def __init__(self, config: experiment.ExperimentConfig, params: Any):
    self._draw = task_source.TaskSource(config).task
    self._keys = itertools.count()
    self._snapshot = params
    self._params: channel.Versioned | None = channel.Versioned(0, params)

  def next_task(self) -> base.Assignment:
    """Returns the next task."""
    key = next(self._keys)
    return base.Assignment(key, self._draw(key), True)

  def report(self, record: base.EpisodeRecord) -> None:
    """Drops a record."""

  def count_steps(self, steps: int) -> None:
    """Drops a number of steps."""

  def new_params(self) -> channel.Versioned | None:
    """Returns the only parameters, once."""
    params, self._params = self._params, None
    return params

  def snapshot(self, number: int) -> Any:
    """Returns the same parameters for every co-player."""
    del number
    return self._snapshot

  def insert(self, unroll: Any) -> None:
    """Drops an unroll."""

  def close(self) -> None:
    """Does nothing."""


def actor(
  config: experiment.ExperimentConfig, seconds: float, launcher: str
) -> dict[str, float]:
  """Measures the environment steps per second of one actor without a learner.

  The ceiling is the time of acting with observations at hand and, on the gpu
  back end, of physics alone and of casting the pixels' rays alone, one after
  the other.

  Args:
    config: The run's config.
    seconds: Time for each measurement.
    launcher: With "device" unrolls stay on the device; otherwise they leave it
      for a replay between processes.
  """
  if launcher == "device":
    preflight.prepare(config)
  made = builder.agent(config)
  device = jax.local_devices()[0]
  params = jax.device_put(made.network.init(jax.random.PRNGKey(0)), device)
  acting = network.acting_work(config, made, params)
  measured_actor, step = _make(config, made, params, launcher)

  def steps() -> None:
    for _ in range(_STEPS_A_CALL):
      step()
    jax.block_until_ready(measured_actor.arrays)

  steps()
  works = [steps, acting.work, *_bare(config, measured_actor)]
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
    **_stages(measured_actor, step, seconds),
    **network.flop_use(
      "actor_acting", acting.flop_per_step, steps_alone, product
    ),
    **memory("actor", config),
  }


def memory(name: str, config: experiment.ExperimentConfig) -> dict[str, float]:
  """Returns the memory in use, see `hardware.memory`.

  Args:
    name: Prefix of the results' names.
    config: The run's config.
  """
  device = None
  if config.env.backend == "gpu":
    import warp

    device = warp.get_device(config.env.device)
  return {f"{name}_{k}": v for k, v in hardware.memory(device).items()}


def _make(
  config: experiment.ExperimentConfig,
  made: builder.Agent,
  params: Any,
  launcher: str,
) -> tuple[Actor, Callable[[], object]]:
  """Returns an actor and a function that steps it."""
  alone = Alone(config, params)
  if launcher == "device":
    single = builder.device_actor(
      config,
      made,
      alone.next_task,
      alone.report,
      lambda unrolls, num: None,
      alone.snapshot,
    )
    return single, lambda: single.step(params, 0)
  loop = builder.actor(
    config, made, alone, lambda: alone, np.random.SeedSequence(0)
  )
  return loop.actor, loop.step


def _bare(
  config: experiment.ExperimentConfig, measured: Actor
) -> list[Callable[[], object]]:
  """Returns functions that run physics alone in the same worlds.

  There are none on the cpu back end.
  """
  if config.env.backend != "gpu":
    return []
  from adaland.launch.bench import env_gpu

  environment = measured.environment
  assert isinstance(environment, land.Land)
  physics: Any = environment.physics
  works: list[Callable[[], object]] = [env_gpu.alone(physics)]
  if config.env.observation == "pixels":
    works.append(env_gpu.casting(physics, config.env.pixels))
  return works


def _stages(
  measured: Actor, step: Callable[[], object], seconds: float
) -> dict[str, float]:
  """Returns milliseconds of a step of all environments, by stage.

  Each stage is waited for.
  """
  watch = stopwatch.Stopwatch()
  watch.watch(measured.environment, "step", "env")
  count, start = 0, time.perf_counter()
  try:
    while not count or time.perf_counter() < start + seconds:
      step()
      jax.block_until_ready(measured.arrays)
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


def replay(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Measures the steps per second into and out of each installed store."""
  made = builder.agent(config)
  spec = builder.unroll_spec(config, made)
  template = builder.batch_template(config, spec)
  unroll = jax.tree.map(lambda x: x[0], template)
  steps = config.actor.unroll_length
  result: dict[str, float] = {"replay_unroll_bytes": float(spec.num_bytes)}
  kinds = ["memory"]
  if factory.resolve_kind("auto") == "reverb":
    kinds.append("reverb")
  for kind in kinds:
    settings = dataclasses.replace(
      config.replay,
      kind=kind,
      sampling="uniform",
      samples_per_insert=None,
      error_buffer=None,
      min_size=1,
    )
    store = factory.make_replay(settings, spec)
    writer, source = store.writer(), store.sampler()
    try:
      writer.insert(unroll)
      inserts, samples = timing.rates(
        [lambda w=writer: w.insert(unroll), lambda s=source: s.sample(10.0)],
        seconds,
      )
    finally:
      writer.close()
      source.close()
      store.close()
    batch = settings.batch_size
    result[f"replay_{kind}_insert_steps_per_s"] = inserts * steps
    result[f"replay_{kind}_sample_steps_per_s"] = samples * batch * steps
  return result
