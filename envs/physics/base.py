"""What every physics back end does: the seam below the game engine.

N: environments, S: object slots, P: players, R: rays. Nodes number players
first, then slots: 0 .. P-1 are players, P .. P+S-1 are slots. Arrays are
NumPy, batch first, metres, radians and seconds.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from adaland.envs import constants

# What a ray or a contact met, where it was no node.
NODE_NONE = -1
NODE_TERRAIN = -2


class Scene(NamedTuple):
  """All that physics needs of one task's start state.

  Attributes:
    heights: Level of each tile, int [X, Y].
    ramps: 0 none, else the direction in which the tile climbs one level
      (1 +x, 2 +y, 3 -x, 4 -y), int [X, Y].
    slot_types: Type id in each slot, 0 empty, int [S].
    slot_at: Start position of the slots' objects' centres, float [S, 3].
    slot_yaw: Start yaw of the slots' objects, float [S].
    slot_frozen: Whether the object never moves, bool [S].
    player_at: Start position of the players' feet, float [P, 3].
    contacts: Whether contacts will be asked for; without, none are reported
      and steps are cheaper.
  """

  heights: np.ndarray
  ramps: np.ndarray
  slot_types: np.ndarray
  slot_at: np.ndarray
  slot_yaw: np.ndarray
  slot_frozen: np.ndarray
  player_at: np.ndarray
  contacts: np.ndarray = np.ones((), bool)


def empty_scene(num_slots: int, num_players: int) -> Scene:
  """A small flat world with nothing in it."""
  flat = np.zeros((2, 2), int)
  return Scene(
    heights=flat,
    ramps=flat,
    slot_types=np.zeros(num_slots, int),
    slot_at=np.zeros((num_slots, 3)),
    slot_yaw=np.zeros(num_slots),
    slot_frozen=np.zeros(num_slots, bool),
    player_at=np.zeros((num_players, 3)),
  )


class AvatarControl(NamedTuple):
  """What the players want during the next step.

  Attributes:
    velocity: Wanted planar velocity in the world frame, float [N, P, 2].
    turn: Wanted yaw rate, float [N, P].
    held: Slot each player holds, -1 none, int [N, P].
    hand_at: Where the hand wants the held object's centre to be at the end of
      the step, world frame, float [N, P, 3].
  """

  velocity: np.ndarray
  turn: np.ndarray
  held: np.ndarray
  hand_at: np.ndarray


class PhysicsState(NamedTuple):
  """The world at the end of a step.

  Attributes:
    object_pos: Centres of the slots' objects, float32 [N, S, 3].
    object_quat: Their orientations (w, x, y, z), float32 [N, S, 4].
    player_pos: Players' feet, float32 [N, P, 3].
    player_yaw: Heading, 0 along +x, counter-clockwise, float32 [N, P].
    touching: Contact within 1 mm between nodes, symmetric, bool
      [N, P+S, P+S]; none where the scene said that none will be asked for.
  """

  object_pos: np.ndarray
  object_quat: np.ndarray
  player_pos: np.ndarray
  player_yaw: np.ndarray
  touching: np.ndarray


class RayHits(NamedTuple):
  """Where rays ended.

  Attributes:
    distance: Along the unit direction, -1 for no hit, float32 [N, R].
    node: The node hit, NODE_TERRAIN or NODE_NONE, int32 [N, R].
    normal: Surface normal at the hit, zero for none, float32 [N, R, 3].
  """

  distance: np.ndarray
  node: np.ndarray
  normal: np.ndarray


def check_sizes(num_envs: int, num_slots: int, num_players: int) -> None:
  """Raises ValueError if no batch can have these sizes."""
  for name, value, most in (
    ("num_envs", num_envs, None),
    ("num_slots", num_slots, None),
    ("num_players", num_players, constants.MAX_PLAYERS),
  ):
    if value < 1 or (most is not None and value > most):
      bound = "at least 1" if most is None else f"1 to {most}"
      raise ValueError(f"{name} is {value}, must be {bound}")


class Physics(Protocol):
  """A batch of simulated worlds."""

  num_envs: int
  num_slots: int
  num_players: int

  def load(self, env_ids: np.ndarray, scenes: Sequence[Scene]) -> None:
    """Replaces the worlds of some environments and puts them at the start."""
    ...

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Puts environments back to their scenes' start; yaw is [len(ids), P]."""
    ...

  def set_slots(
    self,
    env_ids: np.ndarray,
    slots: np.ndarray,
    types: np.ndarray,
    positions: np.ndarray,
  ) -> None:
    """Changes what slots hold: type 0 parks the slot away from the arena.

    Args:
      env_ids: Environment of each change, int [C].
      slots: Slot of each change, int [C].
      types: New type id, 0 to empty the slot, int [C].
      positions: Centre of the new object, float [C, 3].
    """
    ...

  def step(self, control: AvatarControl) -> None:
    """Simulates STEP_SECONDS."""
    ...

  def state(self) -> PhysicsState:
    """Poses and contacts now."""
    ...

  def shared_state(self) -> PhysicsState:
    """The same for JAX: on the device where the back end keeps it."""
    ...

  def rays(
    self,
    origins: np.ndarray,
    directions: np.ndarray,
    exclude: np.ndarray,
    normals: bool = False,
    env_ids: np.ndarray | None = None,
  ) -> RayHits:
    """Casts rays.

    Args:
      origins: Where they start, float [N, R, 3].
      directions: Unit vectors, float [N, R, 3].
      exclude: Node each ray passes through, -1 none, int [N, R].
      normals: Whether to compute normals (else zeros).
      env_ids: The environments that the rows are of, ascending, int [N]; None
        for all.
    """
    ...


class DevicePhysics(Physics, Protocol):
  """Physics whose state stays on a device that JAX computes on.

  What is taken and given here are JAX arrays, and none is waited for.
  """

  def set_slots_where(self, changed: Any, types: Any, positions: Any) -> None:
    """Changes what slots hold, as `set_slots` does.

    Args:
      changed: Which, bool [N, S].
      types: New type ids there, 0 to empty the slot, int32 [N, S].
      positions: Centres of the new objects there, float32 [N, S, 3].
    """
    ...

  def poses(self) -> tuple[Any, Any, Any]:
    """Of `shared_state` objects' places and players' feet and headings.

    Cheaper after a change, as nobody asks who touches whom.
    """
    ...

  def rays_where(
    self, origins: Any, directions: Any, exclude: Any, wanted: Any
  ) -> tuple[Any, Any]:
    """Casts the rays that are `wanted`, bool [N, R], of all environments.

    Returns:
      Distances and nodes, as in `RayHits`, for no hit where not wanted.
    """
    ...
