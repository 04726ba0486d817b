"""How much room a batch of worlds is given, and whether there is enough."""

import dataclasses
from typing import Any, Final

import mujoco
import mujoco_warp as mjw
import warp as wp

from adaland.envs.physics import mjcf
from adaland.envs.physics.gpu import model as gpu_model

# Room for terrain at first: enough for generated worlds of every size.
_BOXES: Final = 32
_RAMPS: Final = 20
# Room for contacts: eight of each resting box, and some of heaps.
_CONTACTS_A_NODE: Final = 10
_ROWS_A_CONTACT: Final = 4  # Of a friction pyramid.
# MJWarp takes a mesh for absent only where its id is kept per world, which
# takes two worlds.
LEAST_WORLDS: Final = 2
# Of what MJWarp keeps, its collider and solver take as much again while they
# run, and the graph holds on to that.
_SCRATCH: Final = 2.0
_SAMPLE: Final = 2


def first_capacity(num_slots: int, num_players: int) -> mjcf.Capacity:
  """What worlds have room for until a larger terrain comes."""
  return mjcf.Capacity(num_slots, num_players, _BOXES, _RAMPS)


def sizes(capacity: mjcf.Capacity) -> dict[str, int]:
  """Most contacts, and rows of constraints, of a world: for `make_data`."""
  contacts = _CONTACTS_A_NODE * (capacity.num_players + capacity.num_slots)
  return {
    "nconmax": contacts,
    "njmax": _ROWS_A_CONTACT * contacts + 3 * capacity.num_players,
  }


def needed_at_first(num_envs: int, num_slots: int, num_players: int) -> int:
  """Bytes that a batch of worlds needs when it is made, about."""
  capacity = first_capacity(num_slots, num_players)
  model = gpu_model.build(capacity).model
  return needed(model, max(num_envs, LEAST_WORLDS), **sizes(capacity))


def needed(model: mujoco.MjModel, num_worlds: int, **room: Any) -> int:
  """Bytes that worlds need, about.

  Args:
    model: The model of all worlds.
    num_worlds: Worlds.
    **room: As for `mujoco_warp.make_data`.
  """
  with wp.ScopedDevice("cpu"):
    few = mjw.make_data(model, nworld=_SAMPLE, **room)
  return round(_SCRATCH * _bytes(few) / _SAMPLE * num_worlds)


def _bytes(fields: Any) -> int:
  total = 0
  for field in dataclasses.fields(fields):
    value = getattr(fields, field.name)
    if dataclasses.is_dataclass(value):
      total += _bytes(value)
    else:
      total += getattr(value, "capacity", 0)
  return total


def check(num_envs: int, need: int, free: int) -> None:
  """Raises ValueError if worlds need more bytes than are free."""
  if need > free:
    raise ValueError(
      f"{num_envs} worlds need about {need / 1e9:.1f} GB of the device's "
      f"memory, of which {free / 1e9:.1f} GB are free: lower "
      "actor.envs_per_actor, env.num_slots or device.memory_fraction"
    )
