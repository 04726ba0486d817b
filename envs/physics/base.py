"""The interface of physics back ends to the game engine.

N: environments, S: object slots, P: players, R: rays. Nodes are numbered
players first: 0 .. P-1 are players, P .. P+S-1 are slots. Arrays are NumPy
arrays, batch first, in metres, radians and seconds.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from adaland.envs import constants

# Results of a ray that hits no node.
NODE_NONE = -1
NODE_TERRAIN = -2
ALL_CONTACTS: Final = np.ones((1 + constants.NUM_TYPES,) * 2, bool)
ALL_CONTACTS[0] = ALL_CONTACTS[:, 0] = False
ALL_CONTACTS.setflags(write=False)


class Scene(NamedTuple):
  """The parts of one task's start state that physics needs.

  Attributes:
    heights: Level of each tile, int [X, Y].
    ramps: 0 for flat tiles; for ramps the direction in which they climb one
      level (1 +x, 2 +y, 3 -x, 4 -y); for diagonal cliffs the corner in which
      they are one level higher (5 +x+y, 6 -x+y, 7 -x-y, 8 +x-y), int [X, Y].
    slot_types: Type id in each slot, 0 for empty, int [S].
    slot_at: Start positions of the objects' centres, float [S, 3].
    slot_yaw: Start yaw of the objects, float [S].
    slot_frozen: Objects that never move, bool [S].
    player_at: Start positions of the players' feet, float [P, 3].
    contacts: Pairs of type ids whose contacts must be reported, symmetric, bool
      [1+NUM_TYPES, 1+NUM_TYPES]; steps are cheaper with few pairs.
  """

  heights: np.ndarray
  ramps: np.ndarray
  slot_types: np.ndarray
  slot_at: np.ndarray
  slot_yaw: np.ndarray
  slot_frozen: np.ndarray
  player_at: np.ndarray
  contacts: np.ndarray = ALL_CONTACTS


def empty_scene(num_slots: int, num_players: int) -> Scene:
  """Returns a small flat world without objects."""
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
  """Controls of the players for the next step.

  Attributes:
    velocity: Wanted planar velocity in the world frame, float [N, P, 2].
    turn: Wanted yaw rate, float [N, P].
    held: Slot that each player holds, -1 for none, int [N, P].
    hand_at: Target of the held object's centre at the end of the step, in the
      world frame, float [N, P, 3].
  """

  velocity: np.ndarray
  turn: np.ndarray
  held: np.ndarray
  hand_at: np.ndarray


class PhysicsState(NamedTuple):
  """Poses at the end of a step, and contacts during it.

  Attributes:
    object_pos: Centres of the slots' objects, float32 [N, S, 3].
    object_quat: Their orientations (w, x, y, z), float32 [N, S, 4].
    player_pos: Players' feet, float32 [N, P, 3].
    player_yaw: Headings, 0 along +x, counter-clockwise, float32 [N, P].
    touching: Contact within 1 mm between nodes at the start of any substep of
      the last step (after a change of worlds, in the current state), symmetric,
      bool [N, P+S, P+S]. Pairs that are not in the scene's `contacts` are left
      out.
  """

  object_pos: np.ndarray
  object_quat: np.ndarray
  player_pos: np.ndarray
  player_yaw: np.ndarray
  touching: np.ndarray


class RayHits(NamedTuple):
  """Hits of rays.

  Attributes:
    distance: Distance along the unit direction, -1 for no hit, float32 [N, R].
    node: The node hit, or NODE_TERRAIN or NODE_NONE, int32 [N, R].
    normal: Surface normal at the hit, zero for none, float32 [N, R, 3].
  """

  distance: np.ndarray
  node: np.ndarray
  normal: np.ndarray


def check_sizes(num_envs: int, num_slots: int, num_players: int) -> None:
  """Raises ValueError if a batch cannot have these sizes."""
  for name, value, last in (
    ("num_envs", num_envs, None),
    ("num_slots", num_slots, None),
    ("num_players", num_players, constants.MAX_PLAYERS),
  ):
    if value < 1 or (last is not None and value > last):
      allowed = "1 or more" if last is None else f"1 to {last}"
      raise ValueError(f"{name} is {value}, allowed: {allowed}")


class Physics(Protocol):
  """A batch of simulated worlds.

  Attributes:
    num_envs: N.
    num_slots: S.
    num_players: P.
  """

  num_envs: int
  num_slots: int
  num_players: int

  def load(self, env_ids: np.ndarray, scenes: Sequence[Scene]) -> None:
    """Replaces the worlds of some environments and puts them at the start.

    Args:
      env_ids: The environments, int [C].
      scenes: The scene of each.
    """
    ...

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Resets environments to their scenes' start.

    Args:
      env_ids: The environments, int [C].
      yaw: Start yaw of their players, radians, float [C, P].
    """
    ...

  def set_slots(
    self,
    env_ids: np.ndarray,
    slots: np.ndarray,
    types: np.ndarray,
    positions: np.ndarray,
  ) -> None:
    """Changes the objects in slots; type 0 parks a slot outside the arena.

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
    """Returns the current poses and contacts."""
    ...

  def shared_state(self) -> PhysicsState:
    """Returns the same for JAX, on the device of the back end."""
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
      origins: Start points, float [N, R, 3].
      directions: Unit vectors, float [N, R, 3].
      exclude: Node that each ray passes through, -1 for none, int [N, R].
      normals: Whether to compute normals (else zeros).
      env_ids: Environments of the rows, ascending, int [N]; None for all.
    """
    ...


class DevicePhysics(Physics, Protocol):
  """A batch of simulated worlds whose state stays on a JAX device.

  Arguments and results are JAX arrays, and no call waits for the device.
  """

  def set_slots_where(self, changed: Any, types: Any, positions: Any) -> None:
    """Changes the objects in slots, as `set_slots` does.

    Args:
      changed: Slots to change, bool [N, S].
      types: New type ids, 0 to empty the slot, int32 [N, S].
      positions: Centres of the new objects, float32 [N, S, 3].
    """
    ...

  def poses(self) -> tuple[Any, Any, Any]:
    """Returns object_pos, player_pos and player_yaw of `shared_state`.

    After a change this is cheaper than `shared_state`: it finds no contacts.
    """
    ...

  def rays_where(
    self, origins: Any, directions: Any, exclude: Any, wanted: Any
  ) -> tuple[Any, Any]:
    """Casts the `wanted` rays, bool [N, R], of all environments.

    Returns:
      Distances and nodes as in `RayHits`; other rays hit nothing.
    """

    ...
