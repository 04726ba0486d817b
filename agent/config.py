"""Sizes of the network."""

import dataclasses
from typing import Final

from adaland.agent.validation import MAX_SIZE, require, require_choice

MEMORIES: Final = (
  "transformer_xl",
  "local_global",
  "griffin",
  "skip",
  "gru",
  "gru_attention",
  "none",
)
# Memories with layers that see a short window.
LOCAL_MEMORIES: Final = ("local_global", "griffin")
# Memories that attend to each of the last `memory_length` steps.
WINDOWED_MEMORIES: Final = ("transformer_xl", "local_global")
COMPUTE_DTYPES: Final = ("float32", "bfloat16")
# Masked autoencoders learn best with 75 % of the patches left out (arXiv
# 2111.06377); with more, little is left to tell pictures apart.
MAX_DROPPED: Final = 0.75
VISIONS: Final = ("torso", "patches")


@dataclasses.dataclass(frozen=True)
class PatchesConfig:
  """Sizes of the patch encoder of `pixels`.

  The whole picture is read in coarse patches, at half its resolution, and its
  middle, where the crosshair is, in fine patches of half their size, at full
  resolution.

  Attributes:
    size: Side of a coarse patch in pixels, even; a divisor of the picture's
      height and width.
    window: Side of the middle that is read in fine patches, measured in coarse
      patches; 0 for none.
    dropped: Fraction of the patches of each kind that learning leaves out,
      drawn for each picture separately; acting leaves out none.
    width: Width of a patch's representation.
    num_layers: Transformer layers.
    num_heads: Heads of a layer's attention, a divisor of `width`.
  """

  size: int = 6
  window: int = 2
  dropped: float = 0.5
  width: int = 64
  num_layers: int = 2
  num_heads: int = 4

  def __post_init__(self):
    for name in ("size", "width", "num_layers", "num_heads"):
      _check_size(f"patches.{name}", getattr(self, name))
    require(
      self.size % 2 == 0,
      "patches.size",
      self.size,
      "even numbers (fine patches are half of it)",
    )
    require(
      isinstance(self.window, int) and self.window >= 0,
      "patches.window",
      self.window,
      "an integer from 0",
    )
    require(
      0 <= self.dropped <= MAX_DROPPED,
      "patches.dropped",
      self.dropped,
      f"0 to {MAX_DROPPED}",
    )
    require(
      self.width % self.num_heads == 0,
      "patches.num_heads",
      self.num_heads,
      f"divisors of patches.width ({self.width})",
    )

  def check_picture(self, height: int, width: int) -> None:
    """Checks that patches fit a picture.

    Raises:
      ValueError: If they don't, with the reason.
    """
    for name, side in (("height", height), ("width", width)):
      require(
        side % self.size == 0,
        "network.patches.size",
        self.size,
        f"even divisors of the picture's {name}, {side} pixels, of which "
        f"{side % self.size} would be left over",
      )
    most = min(height, width) // self.size
    require(
      self.window <= most,
      "network.patches.window",
      self.window,
      f"at most {most}, the coarse patches along the picture's shorter side",
    )


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
  """Sizes of a network; they decide which parameters it has.

  The defaults are a network for two CPU cores; `sizes.paper_config` gives
  those of the paper (AdA, arXiv 2301.07608).
  """

  # Memory.
  memory: str = "transformer_xl"
  d_model: int = 64
  num_layers: int = 2
  num_heads: int = 4
  # Width of one head's queries, keys and values.
  key_size: int = 16
  # Hidden width of the gated feed-forward part of a layer.
  feed_forward_size: int = 256
  # Past steps that a step can attend to in each layer, besides itself.
  memory_length: int = 180
  # Whether a learned map of the previous step's input is added to the input of
  # the first layer. Without it a layer is spent on learning what followed what.
  # `none`, which has no memory, does without.
  token_shift: bool = True
  # `transformer_xl`, `skip`: width of the codes of distances, a sine and a
  # cosine of each frequency.
  position_size: int = 64
  # `transformer_xl`: whether learning uses the platform's fused attention, if
  # there is one for heads of width `key_size` + `position_size`.
  fused_attention: bool = True
  # `transformer_xl`: steps at an episode's start that stay visible once the
  # window has passed them.
  attention_sinks: int = 0
  # `local_global`, `griffin`: past steps that a local layer sees, and heads of
  # keys and values, each shared by the same number of query heads.
  local_length: int = 24
  key_heads: int = 1
  # `skip`: attention keeps every `skip_every`-th step, `memory_length` of them.
  skip_every: int = 4
  # `gru_attention`: past activations kept, and steps between two of them.
  store_size: int = 64
  store_every: int = 8

  # Encoder.
  # Size of the embedding of one element of a goal or a rule.
  element_size: int = 8
  goal_sizes: tuple[int, ...] = (8, 8, 8)
  rules_sizes: tuple[int, ...] = (128, 64)
  # Hidden widths of the last MLP; its output is `d_model` wide.
  encoder_hidden: tuple[int, ...] = (128,)
  # `entities`: width of an entity's representation.
  entity_size: int = 64
  # `entities`: whether the network remembers which types of objects have been
  # close to each other since the episode began.
  pair_memory: bool = False
  # `pixels`: "torso", a residual network of convolutions, or "patches".
  vision: str = "torso"
  patches: PatchesConfig = dataclasses.field(default_factory=PatchesConfig)
  # Channels of the torso's sections, and width of either encoder's output.
  torso_channels: tuple[int, ...] = (16, 32, 32)
  torso_size: int = 256

  # Heads and model.
  # Width of the hidden layer of every head.
  head_size: int = 128
  # Width of the model's LSTM.
  model_size: int = 128
  num_bins: int = 601
  # Whether the memory's output predicts the hidden rules, and whether there is
  # a value head that sees them: for learning only (`PrivilegedConfig`).
  belief: bool = False
  privileged_critic: bool = False
  action_sizes: tuple[int, ...] = (3, 3, 5, 3, 2, 3)

  # The environment's observations: numbers of ids, zero included, and the
  # column where an entity's shape one-hot starts; the colour one-hot follows.
  num_predicate_ids: int = 10
  num_shape_ids: int = 18
  num_colour_ids: int = 4
  entity_type_offset: int = 6
  entity_shapes: int = 5
  # The id, in goals and rules, of each column of the shape's one-hot; the last
  # is the players'.
  entity_shape_ids: tuple[int, ...] = (1, 2, 3, 4, 5)
  entity_colours: int = 3

  # Dtype of all arithmetic except parameters, normalisation, softmax and
  # outputs, which are float32.
  compute_dtype: str = "float32"

  @property
  def num_types(self) -> int:
    """Number of object types; players have a shape of their own."""
    return (self.entity_shapes - 1) * self.entity_colours

  def __post_init__(self):
    require_choice("memory", self.memory, MEMORIES)
    require_choice("vision", self.vision, VISIONS)
    require_choice("compute_dtype", self.compute_dtype, COMPUTE_DTYPES)
    for field in dataclasses.fields(self):
      name, value = field.name, getattr(self, field.name)
      if field.type is str:
        continue  # One of the choices.
      if field.type in (bool, PatchesConfig):
        require(
          isinstance(value, field.type),
          name,
          value,
          f"a {field.type.__name__}",
        )
      elif name == "attention_sinks":
        require(
          isinstance(value, int) and value >= 0,
          name,
          value,
          "an integer from 0",
        )
      elif name == "entity_type_offset":
        require(
          isinstance(value, int) and value >= 1,
          name,
          value,
          "an integer from 1 (feature 0 says whether the entity is visible)",
        )
      elif field.type is int:
        _check_size(name, value)
      else:
        require(isinstance(value, tuple), name, value, "a tuple")
        require(
          bool(value) or name == "encoder_hidden", name, value, "not empty"
        )
        for size in value:
          _check_size(name, size)
    require(
      self.position_size % 2 == 0,
      "position_size",
      self.position_size,
      "even numbers (codes are sine and cosine pairs)",
    )
    require(
      len(self.entity_shape_ids) == self.entity_shapes,
      "entity_shape_ids",
      self.entity_shape_ids,
      f"{self.entity_shapes} ids, one for each of entity_shapes",
    )
    require(self.num_bins >= 2, "num_bins", self.num_bins, "at least 2")
    self._check_memory()

  def _check_memory(self) -> None:
    """Checks the sizes that only some memories have."""
    require(
      not self.pair_memory or self.memory != "none",
      "pair_memory",
      self.pair_memory,
      "False with memory 'none' (a network without memory)",
    )
    require(
      not self.attention_sinks or self.memory == "transformer_xl",
      "attention_sinks",
      self.attention_sinks,
      f"0 with memory {self.memory!r} (they are transformer_xl's)",
    )
    require(
      self.memory != "skip" or self.num_layers >= 2,
      "num_layers",
      self.num_layers,
      "at least 2 with memory 'skip' (a GRU and attention above it)",
    )
    if self.memory not in LOCAL_MEMORIES:
      return
    require(
      self.num_heads % self.key_heads == 0,
      "key_heads",
      self.key_heads,
      f"divisors of num_heads ({self.num_heads})",
    )
    require(
      self.memory != "local_global" or self.local_length <= self.memory_length,
      "local_length",
      self.local_length,
      f"at most memory_length ({self.memory_length}), the window of the global "
      "layers",
    )


def _check_size(name: str, value: int) -> None:
  require(
    isinstance(value, int)
    and not isinstance(value, bool)
    and 1 <= value <= MAX_SIZE,
    name,
    value,
    f"an integer from 1 to {MAX_SIZE}",
  )
