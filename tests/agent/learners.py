"""The learner that the tests of several parts share."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from adaland.agent import learner_config, optimizers, types
from adaland.agent.learner import Learner, make_learner
from adaland.agent.muesli import muesli
from adaland.agent.updates import train_state
from tests.agent import fakes

CONFIG = learner_config.LearnerConfig(
  learning_rate=1e-3,
  muesli=muesli.MuesliConfig(
    num_samples=4, model_steps=2, model_every=2, value_range=10.0
  ),
)


@functools.cache
def learner(
  config: learner_config.LearnerConfig = CONFIG,
  devices: tuple[jax.Device, ...] | None = None,
) -> Learner:
  """Returns a learner, shared by all tests because tracing takes seconds."""
  return make_learner(fakes.make_network(3), config, fakes.SIZES, devices)


def trace_with_noise(
  update: Callable[..., Any],
  config: learner_config.LearnerConfig,
  unrolls: types.Unroll,
) -> None:
  """Traces an update whose network fails without a key for its unrolls."""
  network = fakes.with_noise(fakes.make_network(3))
  optimizer = optimizers.make_optimizer(config)
  state = jax.eval_shape(
    functools.partial(train_state.initial_state, network, optimizer),
    jax.random.PRNGKey(0),
  )
  learn = functools.partial(update, network, optimizer, config, fakes.SIZES)
  jax.eval_shape(learn, state, unrolls, np.float32(0))


def batch(rows: int = 4, seed: int = 0) -> types.Unroll:
  """Returns random unrolls of six steps."""
  return fakes.make_batch(np.random.default_rng(seed), rows, 6, 3)
