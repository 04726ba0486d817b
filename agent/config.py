"""Sizes of the network."""

import dataclasses
from typing import Final

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
    if self.size % 2:
      raise ValueError(
        f"patches.size must be even (fine patches are half of it), got "
        f"{self.size}"
      )
    if not isinstance(self.window, int) or self.window < 0:
      raise ValueError(
        f"patches.window must be an integer of at least 0, got {self.window!r}"
      )
    if not 0 <= self.dropped <= MAX_DROPPED:
      raise ValueError(
        f"patches.dropped must be from 0 to {MAX_DROPPED}, got {self.dropped!r}"
      )
    if self.width % self.num_heads:
      raise ValueError(
        f"patches.num_heads must divide patches.width ({self.width}), got "
        f"{self.num_heads}"
      )

  def check_picture(self, height: int, width: int) -> None:
    """Checks that patches fit a picture.

    Raises:
      ValueError: If they don't, with the reason.
    """
    for name, side in (("height", height), ("width", width)):
      if side % self.size:
        raise ValueError(
          f"network.patches.size is {self.size}, allowed: even divisors of the "
          f"picture's {name}, {side} pixels, of which {side % self.size} would "
          "be left over"
        )
    most = min(height, width) // self.size
    if self.window > most:
      raise ValueError(
        f"network.patches.window is {self.window}, allowed: at most {most}, "
        "the coarse patches along the picture's shorter side"
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
    check_choice("memory", self.memory, MEMORIES)
    check_choice("vision", self.vision, VISIONS)
    check_choice("compute_dtype", self.compute_dtype, COMPUTE_DTYPES)
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      if field.type is str:
        continue  # One of the choices.
      if field.type in (bool, PatchesConfig):
        if not isinstance(value, field.type):
          raise ValueError(
            f"{field.name} must be of type {field.type.__name__}, got {value!r}"
          )
        continue
      if field.name == "attention_sinks":
        if not isinstance(value, int) or value < 0:
          raise ValueError(
            f"attention_sinks must be an integer of at least 0, got {value!r}"
          )
        continue
      if field.name == "entity_type_offset":
        if not isinstance(value, int) or value < 1:
          raise ValueError(
            f"entity_type_offset must be an integer of at least 1 (feature 0 "
            f"says whether the entity is visible), got {value!r}"
          )
        continue
      if field.type is int:
        _check_size(field.name, value)
      else:
        if not isinstance(value, tuple):
          raise ValueError(f"{field.name} must be a tuple, got {value!r}")
        if not value and field.name != "encoder_hidden":
          raise ValueError(f"{field.name} must not be empty, got {value!r}")
        for size in value:
          _check_size(field.name, size)
    if self.position_size % 2:
      raise ValueError(
        f"position_size must be even (codes are sine and cosine pairs), "
        f"got {self.position_size}"
      )
    if len(self.entity_shape_ids) != self.entity_shapes:
      raise ValueError(
        f"entity_shape_ids must have {self.entity_shapes} ids, one for each of "
        f"entity_shapes, got {self.entity_shape_ids}"
      )
    if self.num_bins < 2:
      raise ValueError(f"num_bins must be at least 2, got {self.num_bins}")
    self._check_memory()

  def _check_memory(self) -> None:
    """Checks the sizes that only some memories have."""
    if self.attention_sinks and self.memory != "transformer_xl":
      raise ValueError(
        f"attention_sinks must be 0 with memory {self.memory!r} (they are "
        f"transformer_xl's), got {self.attention_sinks}"
      )
    if self.memory == "skip" and self.num_layers < 2:
      raise ValueError(
        "num_layers must be at least 2 with memory 'skip' (a GRU and attention "
        f"above it), got {self.num_layers}"
      )
    if self.memory not in LOCAL_MEMORIES:
      return
    if self.num_heads % self.key_heads:
      raise ValueError(
        f"key_heads must divide num_heads ({self.num_heads}), "
        f"got {self.key_heads}"
      )
    if self.memory == "local_global" and self.local_length > self.memory_length:
      raise ValueError(
        f"local_length must be at most memory_length ({self.memory_length}), "
        f"the window of the global layers, got {self.local_length}"
      )


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
  """Raises ValueError unless a value is one of those allowed."""
  if value not in allowed:
    raise ValueError(f"{name} must be one of {allowed}, got {value!r}")


def _check_size(name: str, value: int) -> None:
  if not isinstance(value, int) or isinstance(value, bool) or value < 1:
    raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
