"""Device memory of a batch of worlds: capacities, sizes, and a check."""

import dataclasses
from typing import Any, Final

import mujoco
import mujoco_warp as mjw
import warp as wp

from adaland.envs.physics import mjcf
from adaland.envs.physics.gpu import model

# Initial capacity for terrain: enough for nearly all generated worlds.
_BOXES: Final = 32
_RAMPS: Final = 20
# Contacts: eight for each resting box, and some more for piles.
_CONTACTS_PER_NODE: Final = 10
_ROWS_PER_CONTACT: Final = 4  # The edges of a friction pyramid.
# MJWarp treats a mesh as absent only if mesh ids are stored per world, which
# needs at least two worlds.
LEAST_WORLDS: Final = 2
# While they run, MJWarp's collider and solver need as much memory again as its
# data, and the graph keeps it allocated.
_SCRATCH: Final = 2.0
_SAMPLE: Final = 2


def first_capacity(num_slots: int, num_players: int) -> mjcf.Capacity:
  """Returns the initial capacity, until a larger terrain is loaded."""
  return mjcf.Capacity(num_slots, num_players, _BOXES, _RAMPS)


def sizes(capacity: mjcf.Capacity) -> dict[str, int]:
  """Returns numbers of contacts and constraint rows, for `mjw.make_data`."""
  contacts = _CONTACTS_PER_NODE * (capacity.num_players + capacity.num_slots)
  return {
    "nconmax": contacts,
    "njmax": _ROWS_PER_CONTACT * contacts + 3 * capacity.num_players,
  }


def needed_initially(num_envs: int, num_slots: int, num_players: int) -> int:
  """Estimates the bytes that a new batch of worlds needs."""
  capacity = first_capacity(num_slots, num_players)
  compiled = model.build(capacity).model
  return needed(compiled, max(num_envs, LEAST_WORLDS), **sizes(capacity))


def needed(compiled: mujoco.MjModel, num_worlds: int, **sizes: Any) -> int:
  """Estimates the bytes that worlds need.

  Args:
    compiled: The model of all worlds.
    num_worlds: Number of worlds.
    **sizes: Arguments of `mujoco_warp.make_data`.
  """
  with wp.ScopedDevice("cpu"):
    sample = mjw.make_data(compiled, nworld=_SAMPLE, **sizes)
  return round(_SCRATCH * _bytes(sample) / _SAMPLE * num_worlds)


def _bytes(fields: Any) -> int:
  """Returns the bytes of all arrays in nested dataclasses."""
  total = 0
  for field in dataclasses.fields(fields):
    value = getattr(fields, field.name)
    if dataclasses.is_dataclass(value):
      total += _bytes(value)
    else:
      total += getattr(value, "capacity", 0)
  return total


def check(num_envs: int, need: int, free: int) -> None:
  """Raises ValueError if `num_envs` worlds need more bytes than are free."""
  if need > free:
    raise ValueError(
      f"{num_envs} worlds need about {need / 1e9:.1f} GB of the device's "
      f"memory, of which {free / 1e9:.1f} GB are free: lower "
      "actor.envs_per_actor, env.num_slots or device.memory_fraction"
    )
