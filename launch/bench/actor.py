"""Speed of replay, and of one actor among processes."""

import dataclasses
import itertools
from typing import Any

import jax
import numpy as np

from adaland.agent.replay import factory
from adaland.curriculum import base
from adaland.envs.sampling import sampler
from adaland.launch import builder
from adaland.launch.acting import channel
from adaland.launch.bench.lib import timing
from adaland.launch.config import experiment


class Alone:
  """A channel and writer without anybody at the other end."""

  def __init__(self, config: experiment.ExperimentConfig, params: Any):
    self._draw = sampler.TaskSampler(config.tasks).task
    # Not a generator, which one thread at a time may use.
    self._keys = itertools.count()
    self._params: channel.Versioned | None = channel.Versioned(0, params)

  def next_task(self) -> base.Assignment:
    """The next task."""
    key = next(self._keys)
    return base.Assignment(key, self._draw(key), True)

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """The next tasks."""
    return [self.next_task() for _ in range(n)]

  def report(self, record: base.EpisodeRecord) -> None:
    """Forgets it."""

  def count_steps(self, steps: int) -> None:
    """Forgets it."""

  def new_params(self) -> channel.Versioned | None:
    """The only ones, once."""
    params, self._params = self._params, None
    return params

  def insert(self, unroll: Any) -> None:
    """Forgets it."""

  def close(self) -> None:
    """Nothing to close."""


def actor(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Environment steps a second of one actor, nobody else at work."""
  made = builder.agent(config)
  params = jax.device_get(made.network.init(jax.random.PRNGKey(0)))
  alone = Alone(config, params)
  loop = builder.actor_loop(
    config, made, alone, alone, np.random.SeedSequence(0)
  )
  (speed,) = timing.speeds([loop.step], seconds)
  return {
    "actor_steps_per_s": speed.per_second * config.actor.envs_per_actor,
    "actor_steps_per_cpu_s": speed.per_cpu_second * config.actor.envs_per_actor,
  }


def replay(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Steps a second in and out of each kind of store that is installed."""
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
