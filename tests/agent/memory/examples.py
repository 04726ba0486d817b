"""A user's memory, as the documentation shows it, and an incomplete one."""

import haiku as hk
import jax.numpy as jnp

from adaland.agent import types
from adaland.agent.memory import base


class EMA(hk.Module):
  """An exponential moving average of the inputs."""

  def __init__(self, config, decay=0.9):
    super().__init__(name="ema")
    self._config = config
    self._decay = decay
    self._out = hk.Linear(config.d_model)

  def initial_state(self, batch_size) -> types.MemoryState:
    shape = (batch_size, self._config.d_model)
    return {"mean": jnp.zeros(shape, self._config.compute_dtype)}

  def step(self, x, first, state):
    mean = jnp.where(first[:, None] != 0, 0, state["mean"])
    mean = self._decay * mean + (1 - self._decay) * x
    return x + self._out(mean), {"mean": mean}

  def unroll(self, x, first, state):
    return base.unroll_by_steps(self, x, first, state)


class WithoutUnroll(hk.Module):
  """A memory that lacks a method."""

  def __init__(self, config):
    super().__init__()

  def initial_state(self, batch_size):
    return {}

  def step(self, x, first, state):
    return x, state
