"""The encoder: from each step's observation to one vector.

Goal and rules are rows of ids; each id is embedded and the embeddings are
concatenated. One embedding table serves the goal, conditions and spawns alike:
what is learned about "yellow" in one of them holds in all. Goal and rules stay
the same for a whole episode and are encoded once for all steps of a sequence.

The view is given as `pixels` (see `torso` and `patches`) or as `entities` (see
`entity_encoder`). All other inputs are small and are passed on unchanged.
"""

from collections.abc import Mapping
from typing import NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import layers, types
from adaland.agent.config import NetworkConfig
from adaland.agent.network import (
  entity_encoder,
  entity_features,
  patches,
  torso,
)

# Kinds of the columns of a literal and a spawn.
_LITERAL_KINDS = ("negated", "predicate", "shape", "colour", "shape", "colour")
_SPAWN_KINDS = ("shape", "colour")
# Columns of `clock`: a one-hot of the number of trials left, then, in units of
# `_CLOCK_SECONDS`, the time until the last trial, the time left in this one,
# the duration of a trial and, in the last column, that of the next one.
_CLOCK_SIZE = 10
_UNTIL_LAST, _LEFT, _DURATION = 6, 7, 8
_CLOCK_SECONDS = 40.0

Spec = Mapping[str, tuple[tuple[int, ...], np.dtype]]


class Encoded(NamedTuple):
  """The encoder's output for a batch of sequences.

  Attributes:
    x: One vector for each step, [B, T, d_model].
    entities: Encoded entities [B, T, E, entity_size]; E is 0 with `pixels`.
    visible: 1 for entities in view, else 0, float32 [B, T, E].
    types: One-hot types of the entities, float32 [B, T, E, types].
  """

  x: jax.Array
  entities: jax.Array
  visible: jax.Array
  types: jax.Array


class Encoder(hk.Module):
  """The encoder of a batch of sequences of observations."""

  def __init__(self, config: NetworkConfig, name: str = "encoder"):
    super().__init__(name=name)
    self._config = config

  def __call__(self, observation: types.Observation) -> Encoded:
    """Encodes observations.

    Args:
      observation: Named arrays [B, T, ...]; those in
        `types.EPISODE_OBSERVATIONS` are [B, ...]. With `pairs` if there is a
        pair memory.

    Returns:
      The vectors and the entities, in the compute dtype.
    """
    config = self._config
    dtype = jnp.dtype(config.compute_dtype)
    embed = _IdEmbedding(config)
    goal = embed(observation["goal"], dtype)  # [B, 6, element_size]
    goal = layers.mlp(config.goal_sizes, "goal")(_flat(goal))
    rule_elements = embed(observation["rules"], dtype)  # [B, R, 14, ...]
    rules = layers.mlp(config.rules_sizes, "rules")(_flat(rule_elements))
    plain = [part.astype(dtype) for part in self._plain(observation)]
    parts = {
      "plain": jnp.concatenate(plain, axis=-1),
      "goal": goal[:, None],
      "rules": rules[:, None],
    }
    steps = parts["plain"].shape[:2]
    if "pixels" in observation:
      if config.vision == "patches":
        see = patches.PatchEncoder(config.patches, config.torso_size)
      else:
        see = torso.ResidualTorso(config.torso_channels, config.torso_size)
      pixels = jnp.asarray(observation["pixels"])
      seen = see(pixels.reshape(-1, *pixels.shape[2:]), dtype)
      parts["pixels"] = seen.reshape(*steps, -1)
    entities = jnp.zeros([*steps, 0, config.entity_size], dtype)
    visible = jnp.zeros([*steps, 0])
    kinds = jnp.zeros([*steps, 0, config.num_types])
    if "entities" in observation:
      see = entity_encoder.EntityEncoder(config)
      parts["entities"], entities = see(observation, goal, rule_elements)
      visible = jnp.asarray(observation["entities"])[..., 0]
      kinds = entity_features.object_types(observation["entities"], config)
      if config.pair_memory:
        parts["pairs"] = jnp.asarray(observation["pairs"]).astype(dtype)
    sizes = (*config.encoder_hidden, config.d_model)
    x = layers.linear_of_parts(parts, sizes[0], "in")
    for i, size in enumerate(sizes[1:]):
      x = layers.Linear(size, name=f"hidden_{i}")(jax.nn.relu(x))
    return Encoded(x, entities, visible, kinds)

  def _plain(self, observation: types.Observation) -> list[jax.Array]:
    """Returns the inputs that need no layers of their own, each [B, T, n]."""
    reward = jnp.asarray(observation["last_reward"])[..., None]
    action = jnp.asarray(observation["last_action"])
    parts = [
      # A step's reward is a small number of seconds; an adapting agent must
      # first of all notice whether there was any.
      reward,
      jnp.sign(reward),
      # Before an episode's first action the index is -1, encoded as zeros.
      *(
        jax.nn.one_hot(action[..., i], size)
        for i, size in enumerate(self._config.action_sizes)
      ),
    ]
    for key in ("proprio", "clock", "terrain"):
      if key in observation:
        parts.append(jnp.asarray(observation[key]))
    if "clock" in observation:
      parts.append(_time(jnp.asarray(observation["clock"])))
    if "entities" in observation:
      parts.append(
        entity_features.types_in_view(observation["entities"], self._config)
      )
    return parts


def check_spec(config: NetworkConfig, spec: Spec) -> None:
  """Checks that an encoder can read the environment's observations.

  Args:
    config: Sizes.
    spec: Shape, without batch, and dtype of each named array.

  Raises:
    ValueError: If something is missing or of the wrong shape, or patches don't
      fit the picture.
  """
  if config.pair_memory and "entities" not in spec:
    raise ValueError(
      "network.pair_memory is True, allowed: False without the observation "
      "'entities'"
    )
  num_elements = len(_LITERAL_KINDS)
  needed = {
    "goal": (num_elements,),
    "last_action": (len(config.action_sizes),),
    "last_reward": (),
  }
  for key, shape in needed.items():
    if key not in spec or tuple(spec[key][0]) != shape:
      given = spec[key][0] if key in spec else "nothing"
      raise ValueError(f"observation {key!r} is {given}, allowed: {shape}")
  rules = tuple(spec["rules"][0]) if "rules" in spec else ()
  if len(rules) != 2 or (rules[1] - num_elements) % len(_SPAWN_KINDS):
    raise ValueError(
      f"observation 'rules' is {rules}, allowed: [rules, 6 + 2 * spawns]"
    )
  if "clock" in spec and tuple(spec["clock"][0]) != (_CLOCK_SIZE,):
    raise ValueError(
      f"observation 'clock' is {spec['clock'][0]}, allowed: {(_CLOCK_SIZE,)}"
    )
  entity_encoder.check_spec(config, spec)
  if "pixels" in spec and config.vision == "patches":
    config.patches.check_picture(*spec["pixels"][0][:2])


def _time(clock: jax.Array) -> jax.Array:
  """Returns the time on scales that resolve short trials, [..., 5].

  `clock` is in units of the longest trial, of which a trial of 4 s is a tenth.
  The columns are the fraction of the trial that is left; whether it has just
  begun; and, as log(1 + x), the seconds left, the seconds of a whole trial and
  the number of trials until the last.
  """
  clock = jnp.maximum(clock, 0.0)
  until_last, left, duration = (
    clock[..., i] for i in (_UNTIL_LAST, _LEFT, _DURATION)
  )
  known = duration > 0
  whole = jnp.where(known, duration, 1.0)
  share = jnp.where(known, left / whole, 0.0)
  # Trials until the last one: the rest of this one, and those in between.
  trials = jnp.where(known, until_last / whole, 0.0)
  columns = [
    share,
    (share >= 1.0).astype(clock.dtype),
    jnp.log1p(_CLOCK_SECONDS * left),
    jnp.log1p(_CLOCK_SECONDS * duration),
    jnp.log1p(trials),
  ]
  return jnp.stack(columns, axis=-1)


class _IdEmbedding(hk.Module):
  """The embeddings of all ids of literals and rules."""

  def __init__(self, config: NetworkConfig, name: str = "ids"):
    super().__init__(name=name)
    self._size = config.element_size
    sizes = {
      "negated": 2,
      "predicate": config.num_predicate_ids,
      "shape": config.num_shape_ids,
      "colour": config.num_colour_ids,
    }
    # One table holds all kinds, one after the other.
    ends = np.cumsum(list(sizes.values()))
    self._starts = dict(zip(sizes, ends - list(sizes.values()), strict=True))
    self._num_ids = int(ends[-1])

  def __call__(self, ids: types.Array, dtype: jnp.dtype) -> jax.Array:
    """Embeds ids, int32 [..., columns], to [..., columns, element_size]."""
    num_spawns = (ids.shape[-1] - len(_LITERAL_KINDS)) // len(_SPAWN_KINDS)
    kinds = _LITERAL_KINDS + _SPAWN_KINDS * num_spawns
    starts = np.array([self._starts[kind] for kind in kinds], np.int32)
    starts = starts.reshape((1,) * (ids.ndim - 1) + (-1,))
    table = hk.get_parameter(
      "table",
      (self._num_ids, self._size),
      init=hk.initializers.TruncatedNormal(),
    )
    # A product, since the gradient of indexing would be a slow scatter.
    one_hot = jax.nn.one_hot(ids + starts, self._num_ids, dtype=dtype)
    return one_hot @ table.astype(dtype)


def _flat(x: jax.Array) -> jax.Array:
  return x.reshape(x.shape[0], -1)
