"""Whether an accelerator has room for a batch of worlds."""

import dataclasses
from typing import Any, Final

import mujoco
import mujoco_warp as mjw
import warp as wp

# Of what MJWarp keeps, its collider and solver take as much again while they
# run, and the graph holds on to that.
_SCRATCH: Final = 2.0
_SAMPLE: Final = 2


def needed(model: mujoco.MjModel, num_worlds: int, **sizes: Any) -> int:
  """Bytes that worlds need, about.

  Args:
    model: The model of all worlds.
    num_worlds: Worlds.
    **sizes: As for `mujoco_warp.make_data`.
  """
  with wp.ScopedDevice("cpu"):
    few = mjw.make_data(model, nworld=_SAMPLE, **sizes)
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
