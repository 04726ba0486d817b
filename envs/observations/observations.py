"""The players' observations.

They are those of AdA (arXiv 2301.07608) without its legacy rows, and a cheap
alternative to pixels: the visible entities and the terrain around the feet.
"""

from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants
from adaland.envs.game import (
  avatar,
  clocks,
  engine,
  ground,
  hands,
  predicates,
)
from adaland.envs.observations import vision

Array = Any  # NumPy between jitted functions, JAX inside.
Spec = dict[str, tuple[tuple[int, ...], np.dtype]]

# Visible, x, y, z, distance, held, shape one-hot (player last), colour one-hot.
_SHAPES: Final = constants.NUM_SHAPES + 1
ENTITY_WIDTH: Final = 6 + _SHAPES + constants.NUM_COLOURS
CLOCK_WIDTH: Final = 10
PROPRIO_WIDTH: Final = 4
_SCALE = 10.0  # Unit of `entities`, metres.
# `terrain` samples these tiles ahead and to the left of the feet.
_AHEAD: Final = (-1, 0, 1, 2, 3)
_LEFT: Final = (2, 1, 0, -1, -2)
TERRAIN_WIDTH: Final = len(_AHEAD) * len(_LEFT)
_BORDER = 1.0  # Value of `terrain` outside the arena.


class SceneState(NamedTuple):
  """The state from which observations are made, batch first.

  Attributes:
    slot_types: Type ids in the slots, int32 [N, S].
    poses: Poses of objects and players.
    hand: State of the hands.
    lag: Distances of held objects from the hands, metres, float32 [N, P].
    pitch: Pitch of the views, radians, float32 [N, P].
    clock: Trial and step.
    last_action: Previous action, -1 at an episode's start, int32 [N, P, 6].
    last_reward: Reward that followed it, float32 [N, P].
  """

  slot_types: Array
  poses: avatar.Poses
  hand: hands.Hand
  lag: Array
  pitch: Array
  clock: clocks.Clock
  last_action: Array
  last_reward: Array


def spec(
  observation: str,
  num_slots: int,
  num_players: int,
  max_rules: int,
  pixels: tuple[int, int],
) -> Spec:
  """Returns shape and type of each observation of one player.

  Args:
    observation: "entities" or "pixels".
    num_slots: Number of object slots, S.
    num_players: Number of players, P.
    max_rules: Number of rows of rules.
    pixels: Width and height of the picture.
  """
  f32, i32 = np.dtype(np.float32), np.dtype(np.int32)
  shared: Spec = {
    "goal": ((constants.LITERAL_WIDTH,), i32),
    "rules": ((max_rules, constants.RULE_WIDTH), i32),
    "proprio": ((PROPRIO_WIDTH,), f32),
    "last_action": ((len(constants.ACTION_SIZES),), i32),
    "last_reward": ((), f32),
    "clock": ((CLOCK_WIDTH,), f32),
  }
  if observation == "pixels":
    width, height = pixels
    return shared | {"pixels": ((height, width, 3), np.dtype(np.uint8))}
  return shared | {
    "entities": ((num_slots + num_players - 1, ENTITY_WIDTH), f32),
    "terrain": ((TERRAIN_WIDTH,), f32),
  }


def type_features() -> np.ndarray:
  """Returns one-hot shape and colour by type id, float32 [NUM_TYPES + 1, 8]."""
  table = np.zeros(
    [constants.NUM_TYPES + 1, _SHAPES + constants.NUM_COLOURS], np.float32
  )
  for type_id in range(1, constants.NUM_TYPES + 1):
    shape, colour = divmod(type_id - 1, constants.NUM_COLOURS)
    table[type_id, shape] = 1
    table[type_id, _SHAPES + colour] = 1
  return table


_TYPE_FEATURES: Final = type_features()


def entities(scene: SceneState, visible: Array) -> Array:
  """Returns visible objects and other players, float32 [N, P, E, ENTITY_WIDTH].

  Rows are the slots, then the other players, all zero if not visible:
  [1, position relative to the eye in the heading's frame (ahead, left, up) and
  distance in tens of metres, whether this player holds it, shape one-hot,
  colour one-hot].

  Args:
    scene: The state.
    visible: True for nodes that a player sees, bool [N, P, M].
  """
  poses = scene.poses
  num_players = poses.player_pos.shape[1]
  eyes = avatar.eye(poses.player_pos)
  axes = avatar.view_axes(poses.player_yaw, jnp.zeros_like(scene.pitch))
  centres = jax.vmap(predicates.node_centres)(
    poses.player_pos, poses.object_pos
  )
  types = jax.vmap(predicates.node_types, in_axes=(0, None))(
    scene.slot_types, num_players
  )
  position = avatar.to_view(axes, centres[:, None] - eyes[:, :, None])
  distance = jnp.linalg.norm(position, axis=-1, keepdims=True)
  nodes = jnp.arange(types.shape[1])[None, None]
  held = scene.hand.held[..., None] + num_players == nodes
  held &= scene.hand.held[..., None] >= 0
  kinds = jnp.asarray(_TYPE_FEATURES)[types]  # [N, M, 8]
  kinds = jnp.broadcast_to(kinds[:, None], (*visible.shape, kinds.shape[-1]))
  rows = jnp.concatenate(
    [
      jnp.ones_like(distance),
      position / _SCALE,
      distance / _SCALE,
      held[..., None].astype(jnp.float32),
      kinds,
    ],
    axis=-1,
  )
  rows = jnp.where(visible[..., None], rows, 0)
  slots = rows[:, :, num_players:]
  others = [
    jnp.concatenate([rows[:, p, :p], rows[:, p, p + 1 : num_players]], axis=1)
    for p in range(num_players)
  ]
  return jnp.concatenate([slots, jnp.stack(others, axis=1)], axis=2)


def terrain_grid(scene: SceneState, game: engine.GameBatch) -> Array:
  """Returns heights around the feet, float32 [N, P, TERRAIN_WIDTH].

  The heights are relative to the feet, in units of the highest ground, on a
  grid of one tile that turns with the heading; 1 outside the arena.
  """
  poses = scene.poses
  ahead, left = np.meshgrid(_AHEAD, _LEFT, indexing="ij")
  grid = np.stack([ahead, left], axis=-1).reshape(-1, 2)
  grid = (grid * constants.TILE_METRES).astype(np.float32)
  cos, sin = jnp.cos(poses.player_yaw), jnp.sin(poses.player_yaw)
  x = cos[..., None] * grid[None, None, :, 0]
  x -= sin[..., None] * grid[None, None, :, 1]
  y = sin[..., None] * grid[None, None, :, 0]
  y += cos[..., None] * grid[None, None, :, 1]
  points = jnp.stack([x, y], axis=-1) + poses.player_pos[:, :, None, :2]
  heights = jax.vmap(ground.surface_height)(
    game.heights, game.ramps, game.tiles, points
  )
  highest = constants.LEVEL_METRES * (constants.MAX_LEVELS - 1)
  heights = (heights - poses.player_pos[:, :, None, 2]) / highest
  half = game.tiles[:, None, None] * (constants.TILE_METRES / 2)
  inside = jnp.all(jnp.abs(points) <= half, axis=-1)
  return jnp.where(inside, heights, _BORDER)


def proprio(scene: SceneState) -> Array:
  """Returns holding, hand distance, lag and pitch, in units of their limits.

  Float32 [N, P, PROPRIO_WIDTH]; distance and lag are 0 for empty hands.
  """
  hand = scene.hand
  return jnp.stack(
    [
      (hand.held >= 0).astype(jnp.float32),
      hand.distance / constants.REACH_METRES,
      scene.lag / constants.TEAR_METRES,
      scene.pitch / constants.PITCH_LIMIT,
    ],
    axis=-1,
  )


def pixels(
  scene: SceneState,
  origins: Array,
  directions: Array,
  hits: tuple[Array, Array, Array],
  looks: vision.Look,
  size: tuple[int, int],
) -> Array:
  """Returns the players' pictures, uint8 [N, P, H, W, 3].

  Args:
    scene: The state.
    origins: Start points of the rays, float32 [N, P*H*W, 3].
    directions: Directions of the rays, of the same shape.
    hits: Distances, nodes and normals of their hits, [N, P*H*W, ...].
    looks: The worlds' colours and light, [N, ...].
    size: Width and height.
  """
  num_players = scene.pitch.shape[1]
  types = jax.vmap(predicates.node_types, in_axes=(0, None))(
    scene.slot_types, num_players
  )
  width, height = size
  colours = jax.vmap(vision.shade)(origins, directions, *hits, types, looks)
  return colours.reshape(-1, num_players, height, width, 3)


def shared(scene: SceneState) -> dict[str, Array]:
  """Returns the observations common to all kinds, except goal and rules."""
  num_players = scene.pitch.shape[1]
  time = clocks.features(scene.clock)
  return {
    "proprio": proprio(scene),
    "last_action": scene.last_action,
    "last_reward": scene.last_reward,
    "clock": jnp.repeat(time[:, None], num_players, axis=1),
  }
