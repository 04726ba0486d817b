"""Memories by name."""

from typing import Final

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import (
  base,
  gru,
  gru_attention,
  none,
  stack,
  transformer_xl,
)

_MIXERS: Final[dict[str, type[base.Mixer]]] = {
  "transformer_xl": transformer_xl.RelativeAttention,
  "gru": gru.GRUMixer,
  "gru_attention": gru_attention.GRUAttentionMixer,
  "none": none.NoMixer,
}


def make_memory(config: NetworkConfig) -> base.Memory:
  """Makes the memory that `config` names, inside a Haiku transform."""
  return stack.MixerStack(config, _MIXERS[config.memory])
