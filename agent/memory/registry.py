"""Memories by name."""

from typing import Final

from adaland.agent import config as config_lib
from adaland.agent import types
from adaland.agent.memory import base, gru, gru_attention, none, transformer_xl

_MIXERS: Final[dict[str, type[base.Mixer]]] = {
  "transformer_xl": transformer_xl.RelativeAttention,
  "gru": gru.GRUMixer,
  "gru_attention": gru_attention.GRUAttentionMixer,
  "none": none.NoMixer,
}


def make_memory(config: config_lib.NetworkConfig) -> base.Memory:
  """Makes the memory that `config` names, inside a Haiku transform."""
  return base.Memory(config, _MIXERS[config.memory])


def initial_state(
  config: config_lib.NetworkConfig, batch_size: int
) -> types.MemoryState:
  """Returns that memory's state before any step; leaves are [B, ...]."""
  return base.initial_state(config, _MIXERS[config.memory], batch_size)
