"""Sizes of whole networks: AdA's (arXiv 2301.07608), and a small one."""

import dataclasses
from typing import Final

from adaland.agent.config import NetworkConfig
from adaland.agent.validation import require_choice


@dataclasses.dataclass(frozen=True)
class _PaperSize:
  """A row of the paper's table of sizes, with a width of the encoder's MLP."""

  d_model: int
  key_size: int
  num_heads: int
  encoder_width: int


# The paper gives its agents' total sizes but not the width of the encoder's
# last MLP. Two hidden layers of these widths account for the difference between
# the published total and all other parts.
_PAPER_SIZES: Final = {
  "6m": _PaperSize(288, 48, 6, 4032),
  "23m": _PaperSize(576, 48, 12, 4800),
  "42m": _PaperSize(768, 32, 24, 5504),
  "57m": _PaperSize(896, 32, 28, 6016),
  "75m": _PaperSize(1024, 32, 32, 6592),
  "169m": _PaperSize(1536, 48, 32, 8832),
  "265m": _PaperSize(1920, 48, 40, 10688),
}
PAPER_SIZES: Final = tuple(_PAPER_SIZES)


def paper_config(size: str) -> NetworkConfig:
  """Returns the config of one of the paper's agents.

  Args:
    size: The nominal size of the Transformer-XL, one of `PAPER_SIZES`. The
      final single-agent AdA is "169m", and its teacher is "23m".

  Returns:
    A config. With 96x72 pixels and 16 rules the number of parameters is within
    2 % of the paper's total.

  Raises:
    ValueError: If there is no such size.
  """
  require_choice("size", size, PAPER_SIZES)
  row = _PAPER_SIZES[size]
  return NetworkConfig(
    d_model=row.d_model,
    num_layers=6,
    num_heads=row.num_heads,
    key_size=row.key_size,
    feed_forward_size=4 * row.d_model,
    memory_length=300,
    token_shift=False,
    position_size=row.d_model,
    rules_sizes=(512, 256),
    encoder_hidden=(row.encoder_width, row.encoder_width),
    entity_size=256,
    head_size=1000,
    model_size=1000,
  )


def small_config(
  config: NetworkConfig, width: int, num_layers: int
) -> NetworkConfig:
  """Returns the config of a small network for the same observations.

  Args:
    config: The large network's.
    width: Width of all layers, a multiple of 4.
    num_layers: Layers of the memory.
  """
  return dataclasses.replace(
    config,
    d_model=width,
    # `skip` needs two layers: a GRU and attention above it.
    num_layers=max(num_layers, 2 if config.memory == "skip" else 1),
    num_heads=2,
    key_heads=1,
    key_size=width // 2,
    feed_forward_size=2 * width,
    position_size=width,
    rules_sizes=(width,),
    encoder_hidden=(width,),
    entity_size=width,
    torso_channels=tuple(min(n, 16) for n in config.torso_channels),
    torso_size=2 * width,
    patches=dataclasses.replace(
      config.patches, width=width, num_layers=1, num_heads=2
    ),
    head_size=width,
    model_size=width,
    belief=False,
    privileged_critic=False,
  )
