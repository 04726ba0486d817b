"""Speed of the network: acting and learning with all data at hand."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import learner_config
from adaland.agent.updates import proxy_update
from adaland.launch import builder
from adaland.launch.bench.lib import hardware, timing
from adaland.launch.config import experiment
from adaland.launch.runtimes.single import jaxprs, preflight


class Acting(NamedTuple):
  """Acting with observations at hand.

  Attributes:
    work: Acts once in all environments and waits for it.
    flop_per_step: FLOPs of one environment's step.
  """

  work: Callable[[], None]
  flop_per_step: float


def acting_work(
  config: experiment.ExperimentConfig, made: builder.Agent, params: Any
) -> Acting:
  """Makes a function that acts on observations that never change.

  Args:
    config: The run's config; the batch is `actor.envs_per_actor`.
    made: The agent.
    params: Parameters of the agent's network.
  """
  num_envs = config.actor.envs_per_actor
  observation = {
    name: jnp.zeros((num_envs, *shape), kind)
    for name, (shape, kind) in made.observation_spec.items()
  }
  state = made.actor.init(num_envs)
  first, key = jnp.zeros(num_envs, bool), jax.random.PRNGKey(1)
  flop = jaxprs.flops(made.actor.act, params, state, observation, first, key)

  def act() -> None:
    nonlocal state
    output, state = made.actor.act(params, state, observation, first, key)
    jax.block_until_ready(output)

  return Acting(act, flop / num_envs)


def flop_use(
  name: str, flop_per_step: float, steps_per_s: float, product: float
) -> dict[str, float]:
  """Returns model FLOPs per step and second, and their share of the ceiling.

  Args:
    name: Prefix of the results' names.
    flop_per_step: FLOPs of a step, see `jaxprs.flops`.
    steps_per_s: Steps per second, measured.
    product: FLOP/s of a plain matrix product in the same process.
  """
  rate = flop_per_step * steps_per_s
  return {
    f"{name}_flop_per_step": flop_per_step,
    f"{name}_tflop_per_s": rate / 1e12,
    f"{name}_product_tflop_per_s": product / 1e12,
    f"{name}_flop_ratio": rate / product,
  }


def acting(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Measures acting, in steps per second, with observations on the device.

  Args:
    config: The run's config.
    seconds: Time for the measurement.
  """
  made = builder.agent(config)
  work = acting_work(config, made, made.network.init(jax.random.PRNGKey(0)))
  [rate] = timing.rates([work.work], seconds)
  steps = rate * config.actor.envs_per_actor
  product = hardware.product_flop_per_s(config.network.compute_dtype, 1.0)
  return {
    "acting_num_envs_count": float(config.actor.envs_per_actor),
    "acting_steps_per_s": steps,
    "acting_ms": 1e3 / rate,
    **flop_use("acting", work.flop_per_step, steps, product),
    **{f"acting_{k}": v for k, v in hardware.memory().items()},
  }


def learner(
  config: experiment.ExperimentConfig, seconds: float, launcher: str
) -> dict[str, float]:
  """Measures the learner, in steps per second, with batches at hand.

  Args:
    config: The run's config.
    seconds: Time for the measurement.
    launcher: With "device" batches are on the device; otherwise on the host, as
      a replay between processes returns them, and go to all devices.

  Returns:
    Results by name; with `learner.proxy`, `learner_scoring_flop_ratio` is the
    share of the FLOPs spent on choosing unrolls.
  """
  devices = None
  if launcher == "device":
    preflight.prepare(config)
    devices = jax.local_devices()[:1]
  made = builder.agent(config)
  functions = builder.learner(config, made.network, devices)
  state = functions.init(jax.random.PRNGKey(0))
  batch = builder.batch_template(config, builder.unroll_spec(config, made))
  batch = batch._replace(
    mask=np.ones_like(batch.mask), discount=np.ones_like(batch.discount)
  )
  steps = batch.mask.size
  if launcher == "device":
    batch = jax.device_put(batch, jax.local_devices()[0])
  # The update at the end of a run; earlier ones may be cheaper.
  learn = functools.partial(functions.update, progress=1.0)
  flop = jaxprs.flops(learn, state, batch)

  def update() -> None:
    nonlocal state
    state, metrics = learn(state, batch)
    jax.block_until_ready(metrics)

  scoring = {}
  if config.learner.proxy.used:
    scoring["learner_scoring_flop_ratio"] = 1 - chosen_flops(config) / flop
  (speed,) = timing.speeds([update], seconds)
  product = hardware.product_flop_per_s(config.network.compute_dtype, 1.0)
  rate = speed.per_second * steps
  return {
    "learner_updates_per_s": speed.per_second,
    "learner_update_ms": 1e3 / speed.per_second,
    "learner_steps_per_s": rate,
    "learner_steps_per_cpu_s": speed.per_cpu_second * steps,
    **scoring,
    **flop_use("learner", flop / steps, rate, product),
    **{f"learner_{k}": v for k, v in hardware.memory().items()},
  }


def chosen_flops(config: experiment.ExperimentConfig) -> float:
  """Returns the FLOPs of an update from unrolls already chosen by a proxy.

  Args:
    config: The run's config, with `learner.proxy`.
  """
  rows = proxy_update.num_chosen(config.learner.proxy, config.replay.batch_size)
  plain = dataclasses.replace(
    config,
    learner=dataclasses.replace(
      config.learner, proxy=learner_config.ProxyConfig()
    ),
    replay=dataclasses.replace(config.replay, batch_size=rows),
  )
  made = builder.agent(plain)
  functions = builder.learner(plain, made.network, jax.local_devices()[:1])
  batch = builder.batch_template(plain, builder.unroll_spec(plain, made))
  state = jax.eval_shape(functions.init, jax.random.PRNGKey(0))
  learn = functools.partial(functions.update, progress=1.0)
  return jaxprs.flops(learn, state, batch)


def product(seconds: float) -> dict[str, float]:
  """Measures a plain matrix product, the ceiling of networks on this machine.

  Args:
    seconds: Time for the measurement.
  """
  kind = "bfloat16" if hardware.accelerators() else "float32"
  rate = hardware.product_flop_per_s(kind, seconds)
  return {"product_tflop_per_s": rate / 1e12}
