"""A memory of your own: an exponential moving average of past inputs.

Both commands do the same; the first also takes --smoke:

    python examples/own_memory.py --workdir=runs/ema
    adaland train --recipe=examples/own_memory.py:recipe --workdir=runs/ema
"""

import argparse

import haiku as hk
import jax.numpy as jnp

import adaland
from adaland.agent.memory import base


class EMA(hk.Module):
  """A memory that adds a projection of the past inputs' mean to each input."""

  def __init__(self, config):
    super().__init__(name="ema")
    self._config = config
    self._out = hk.Linear(config.d_model)

  def initial_state(self, batch_size):
    """Returns the state before any step: arrays [B, ...]."""
    shape = (batch_size, self._config.d_model)
    return {"mean": jnp.zeros(shape, self._config.compute_dtype)}

  def step(self, x, first, state):
    """Takes one step: x [B, D], first [B]."""
    mean = jnp.where(first[:, None] != 0, 0, state["mean"])
    mean = 0.9 * mean + 0.1 * x
    return x + self._out(mean), {"mean": mean}

  def unroll(self, x, first, state):
    """Takes many steps: x [B, T, D], first [B, T]."""
    return base.unroll_by_steps(self, x, first, state)


def recipe() -> adaland.Experiment:
  """Returns the laptop's experiment with this memory."""
  return adaland.presets.laptop(memory=EMA)


def smoke() -> adaland.Experiment:
  """Returns the same experiment, as short as can be."""
  settings = {"run.max_steps": 300, "run.eval_tasks": 1}
  return adaland.presets.smoke(memory=EMA, settings=settings)


if __name__ == "__main__":
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--workdir", default="runs/ema", help="the run's folder")
  parser.add_argument("--smoke", action="store_true", help="as short as can be")
  args = parser.parse_args()
  agent = adaland.train(smoke() if args.smoke else recipe(), args.workdir)
  print(agent.evaluation["agent"])
