"""Hand-made scenes and controls for tests of physics."""

from collections.abc import Sequence

import mujoco
import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.physics import base, terrain


def type_id(shape: int, colour: int = 1) -> int:
  """Returns the type id of a shape and a colour, both from 1."""
  return 1 + (shape - 1) * constants.NUM_COLOURS + colour - 1


WALL, CUBE, SPHERE, PYRAMID = (type_id(shape) for shape in (1, 2, 3, 4))


def scene(
  *objects: tuple,
  num_slots: int = 6,
  heights: np.ndarray | None = None,
  ramps: np.ndarray | None = None,
  frozen: Sequence[int] = (),
  yaws: Sequence[float] = (),
  players: Sequence[Sequence[float]] = ((0.0, 0.0, 0.0),),
) -> base.Scene:
  """Returns a scene of (type id, x, y[, z]) objects, in the first slots.

  An object without z stands on the lowest floor.
  """
  heights = np.zeros((10, 10), int) if heights is None else np.array(heights)
  types, at = np.zeros(num_slots, int), np.zeros((num_slots, 3))
  yaw, is_frozen = np.zeros(num_slots), np.zeros(num_slots, bool)
  for index, (type_, *position) in enumerate(objects):
    types[index] = type_
    standing = shapes.shape_of_type(type_).centre_height
    at[index] = position if len(position) == 3 else (*position, standing)
  yaw[: len(yaws)] = yaws
  is_frozen[list(frozen)] = True
  return base.Scene(
    heights=heights,
    ramps=np.zeros_like(heights) if ramps is None else np.array(ramps),
    slot_types=types,
    slot_at=at,
    slot_yaw=yaw,
    slot_frozen=is_frozen,
    player_at=np.array(players, float),
  )


def control(
  num_envs: int = 1,
  velocity: Sequence[float] | np.ndarray = (0.0, 0.0),
  turn: float = 0.0,
  held: int = -1,
  hand_at: Sequence[float] | np.ndarray = (0.0, 0.0, 0.0),
  num_players: int = 1,
) -> base.AvatarControl:
  """Returns equal controls of all players; arrays broadcast to [N, P, ...]."""
  shape = (num_envs, num_players)
  return base.AvatarControl(
    velocity=np.broadcast_to(np.asarray(velocity, float), (*shape, 2)),
    turn=np.full(shape, turn),
    held=np.full(shape, held),
    hand_at=np.broadcast_to(np.asarray(hand_at, float), (*shape, 3)),
  )


def random_control(
  rng: np.random.Generator, state: base.PhysicsState
) -> base.AvatarControl:
  """Draws controls of one player, which holds an object two times in three."""
  num_envs, num_slots = state.object_pos.shape[:2]
  shape = (num_envs, 1)
  held = rng.integers(0, num_slots, shape)
  at = state.object_pos[np.arange(num_envs)[:, None], held]
  return base.AvatarControl(
    velocity=rng.uniform(-2.5, 2.5, (*shape, 2)),
    turn=rng.uniform(-3, 3, shape),
    held=np.where(rng.random(shape) < 0.67, held, -1),
    hand_at=at + rng.uniform(-0.3, 0.3, (*shape, 3)),
  )


def tear(
  control: base.AvatarControl, state: base.PhysicsState
) -> base.AvatarControl:
  """Releases objects that lag behind the hand, as the game engine does."""
  rows = np.arange(len(control.held))[:, None]
  lag = state.object_pos[rows, np.maximum(control.held, 0)] - control.hand_at
  torn = np.linalg.norm(lag, axis=-1) > constants.TEAR_METRES
  return control._replace(held=np.where(torn, -1, control.held))


def walk(
  physics: base.Physics, velocity, steps: int, turn: float = 0.0
) -> base.PhysicsState:
  """Steps with constant controls; returns the state at the end."""
  controls = control(
    physics.num_envs, velocity, turn, num_players=physics.num_players
  )
  for _ in range(steps):
    physics.step(controls)
  return physics.state()


def hold(
  physics: base.Physics, slot: int, way: np.ndarray
) -> list[base.PhysicsState]:
  """Moves the single player's hand along positions, [T, 3]."""
  states = []
  for at in way:
    physics.step(control(held=slot, hand_at=at))
    states.append(physics.state())
  return states


def scenes(count: int) -> list[base.Scene]:
  """Returns different worlds of four objects, some hilly, some frozen."""
  rng = np.random.default_rng(5)
  heights, ramps = np.zeros((8, 8), int), np.zeros((8, 8), int)
  heights[5:, 2:6], ramps[4, 3] = 1, 1
  return [
    scene(
      *[
        (int(rng.integers(1, 13)), -3.0 + i, rng.uniform(-3, 3), 0.5)
        for i in range(4)
      ],
      heights=heights if index % 2 else np.zeros((8, 8)),
      ramps=ramps if index % 2 else None,
      yaws=list(rng.uniform(-3, 3, 4)),
      frozen=[index % 5],
    )
    for index in range(count)
  ]


def raised_ground() -> terrain.Pieces:
  """Returns ground with one raised tile and one ramp."""
  heights, ramps = np.zeros((4, 4), int), np.zeros((4, 4), int)
  heights[2, 1], ramps[1, 1] = 1, 1
  return terrain.pieces(heights, ramps)


def numbers(model: mujoco.MjModel) -> dict[str, np.ndarray]:
  """Returns all numbers of a model, with its options and statistics."""
  found = {}
  for prefix, part in (("", model), ("opt.", model.opt), ("stat.", model.stat)):
    for name in dir(part):
      value = None if name.startswith("_") else getattr(part, name)
      if isinstance(value, np.ndarray | int | float):
        found[prefix + name] = np.asarray(value)
  return found
