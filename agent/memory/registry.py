"""Memories by name."""

from collections.abc import Callable
from typing import Final

from adaland.agent import layers
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import (
  base,
  gru,
  gru_attention,
  none,
  rg_lru,
  rotary,
  skip,
  stack,
  transformer_xl,
)

_MIXERS: Final[dict[str, type[base.Mixer]]] = {
  "transformer_xl": transformer_xl.RelativeAttention,
  "gru": gru.GRUMixer,
  "gru_attention": gru_attention.GRUAttentionMixer,
  "none": none.NoMixer,
}
# Griffin's recurrent layers below each layer of local attention.
_RECURRENT_LAYERS = 2


def make_memory(config: NetworkConfig) -> base.Memory:
  """Makes the memory named by `config`, inside a Haiku transform."""
  if config.memory in _MIXERS:
    return stack.MixerStack(config, _MIXERS[config.memory])
  return _STACKS[config.memory](config)


def _local_global(config: NetworkConfig) -> base.Memory:
  """Makes Gemma 2's stack: local and global attention alternate."""
  return _stack(
    config,
    (rotary.CappedLocalAttention, rotary.CappedGlobalAttention),
    stack.Style(layers.RMSNorm, norms_outputs=True),
  )


def _griffin(config: NetworkConfig) -> base.Memory:
  """Makes Griffin's stack: recurrent layers, then one of local attention.

  With two layers, there is one of each kind.
  """
  recurrent = min(_RECURRENT_LAYERS, max(1, config.num_layers - 1))
  return _stack(
    config,
    (rg_lru.RecurrentMixer,) * recurrent + (rotary.LocalAttention,),
    stack.Style(layers.RMSNorm),
  )


def _skip(config: NetworkConfig) -> base.Memory:
  """Makes AdA's stack for many shots: a GRU, then attention to some steps."""
  above = [skip.SkipAttention] * (config.num_layers - 1)
  return stack.MixerStack(config, [gru.GRUMixer, *above])


def _stack(
  config: NetworkConfig,
  pattern: tuple[type[base.Mixer], ...],
  style: stack.Style,
) -> base.Memory:
  """Makes a stack of layers that repeat a pattern, as large as the others."""
  mixers = [pattern[i % len(pattern)] for i in range(config.num_layers)]
  spare = [
    0 if mixer is rg_lru.RecurrentMixer else rotary.spare_width(config)
    for mixer in mixers
  ]
  return stack.MixerStack(config, mixers, style=style, spare_widths=spare)


_STACKS: Final[dict[str, Callable[[NetworkConfig], base.Memory]]] = {
  "local_global": _local_global,
  "griffin": _griffin,
  "skip": _skip,
}
