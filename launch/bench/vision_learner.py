"""Speed and memory of learning from pictures, by encoder."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import numpy as np

from adaland.agent import types
from adaland.launch import builder
from adaland.launch.bench.lib import timing
from adaland.launch.config import experiment
from adaland.launch.runtimes.single import jaxprs

# Shares of the patches that learning leaves out.
_DROPPED = (0.0, 0.5, 0.75)


def encoders(
  config: experiment.ExperimentConfig,
) -> dict[str, experiment.ExperimentConfig]:
  """Returns the compared configs, by the name of their encoder."""
  network = config.network
  found = {"torso": dataclasses.replace(network, vision="torso")}
  for dropped in _DROPPED:
    found[f"patches_{round(100 * dropped)}"] = dataclasses.replace(
      network,
      vision="patches",
      patches=dataclasses.replace(network.patches, dropped=dropped),
    )
  return {
    name: dataclasses.replace(config, network=each)
    for name, each in found.items()
  }


def learner(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Measures updates from pictures with each encoder, in turns.

  The results of an encoder, `vision_learner_NAME_...`, are environment steps
  per second of time and of processor time; the estimated peak of an update's
  intermediate values, in bytes; the longest window, in steps, with which a
  batch takes one GiB of them, from the peaks at two lengths; and the ratio of
  its speed, by processor time, to that of patches with none left out.

  Args:
    config: The run's config, with its observations replaced by pictures.
    seconds: Time for the measurement of each encoder.
  """
  config = dataclasses.replace(
    config, env=dataclasses.replace(config.env, observation="pixels")
  )
  chosen = encoders(config)
  works = [_work(each) for each in chosen.values()]
  speeds = timing.speeds(works, seconds)
  steps = config.replay.batch_size * config.actor.unroll_length
  by_name = dict(zip(chosen, speeds, strict=True))
  result = {}
  for name, each in chosen.items():
    speed, start = by_name[name], f"vision_learner_{name}"
    short = peak_bytes(each)
    long = peak_bytes(_longer(each))
    step = (long - short) / steps * config.replay.batch_size
    result |= {
      f"{start}_steps_per_s": speed.per_second * steps,
      f"{start}_steps_per_cpu_s": speed.per_cpu_second * steps,
      f"{start}_peak_bytes": float(short),
      f"{start}_window_per_gib_steps": 2**30 / step,
    }
  whole = by_name["patches_0"].per_cpu_second
  for name, speed in by_name.items():
    result[f"vision_learner_{name}_ratio"] = speed.per_cpu_second / whole
  return result


def peak_bytes(config: experiment.ExperimentConfig) -> int:
  """Returns the estimated peak of an update's intermediate values, bytes."""
  learn, init, batch = _update(config)
  return jaxprs.peak_bytes(learn, jax.eval_shape(init), batch)


def _longer(
  config: experiment.ExperimentConfig,
) -> experiment.ExperimentConfig:
  """Returns the config with unrolls of twice the length."""
  length = 2 * config.actor.unroll_length
  return dataclasses.replace(
    config, actor=dataclasses.replace(config.actor, unroll_length=length)
  )


def _update(
  config: experiment.ExperimentConfig,
) -> tuple[Callable, Callable, types.Unroll]:
  """Returns an update, a maker of its state, and a batch of full unrolls."""
  made = builder.agent(config)
  functions = builder.learner(config, made.network, jax.local_devices()[:1])
  batch = builder.batch_template(config, builder.unroll_spec(config, made))
  batch = batch._replace(
    mask=np.ones_like(batch.mask), discount=np.ones_like(batch.discount)
  )
  learn = functools.partial(functions.update, progress=1.0)
  return learn, lambda: functions.init(jax.random.PRNGKey(0)), batch


def _work(config: experiment.ExperimentConfig) -> Callable[[], None]:
  """Returns a function that makes one update and waits for it."""
  learn, init, batch = _update(config)
  state = init()

  def update() -> None:
    nonlocal state
    state, metrics = learn(state, batch)
    jax.block_until_ready(metrics)

  return update
