"""No memory: the control that every result is compared with."""

import jax

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base


class NoMixer(layers.GatedMLP):
  """A second feed-forward part in place of attention, of the same size.

  Relative attention has 5 matrices of [d_model, H * D], with position codes as
  wide as the network; a gated feed-forward part of hidden width h has 3 of
  [d_model, h], so h = 5/3 H * D.
  """

  def __init__(self, config: NetworkConfig, name: str):
    hidden_size = round(5 / 3 * config.num_heads * config.key_size)
    super().__init__(hidden_size, base.residual_scale(config), name=name)

  @staticmethod
  def initial_state(config: NetworkConfig, batch_size: int) -> base.LayerState:
    """Returns an empty state."""
    del config, batch_size
    return {}

  def step(
    self, x: jax.Array, age: jax.Array, state: base.LayerState
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    del age
    return self(x), state

  def unroll(
    self, x: jax.Array, age: jax.Array, state: base.LayerState | None
  ) -> tuple[jax.Array, base.LayerState]:
    """See `base.Mixer`."""
    del age, state
    return self(x), {}
