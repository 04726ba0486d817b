"""What `CpuPhysics` is at a moment, to go on from elsewhere, bit by bit.

MuJoCo keeps more of a simulation than its integration state, and no way leads
back to that: what sleeps, for how long the rest has lain still, what was
computed last. So a moment to go on from begins with `settle`, which makes it
forget all this; `load` leaves another batch as `settle` left the saved one.

These functions are a part of the class, in a file of their own.
"""

from typing import Any, Final

import mujoco
import numpy as np

from adaland.envs.physics import cpu, mjcf

_NO_STAGE: Final = int(mujoco.mjtStage.mjSTAGE_NONE)


def settle(physics: cpu.CpuPhysics) -> None:
  """Forgets all that `save` does not tell: what sleeps wakes.

  Nothing moves by that, and what lies still soon sleeps again.
  """
  state = physics.batch.state.copy()
  physics.batch.reset(stage=_NO_STAGE)
  physics.batch.state[:] = state
  physics._observe(None)


def save(physics: cpu.CpuPhysics) -> dict[str, Any]:
  """Returns arrays and numbers, all there is right after `settle`."""
  worlds = physics._worlds
  return {
    "capacity": list(worlds.capacity),
    "state": physics.batch.state.copy(),
    "changed": worlds._changed.copy(),
    "types": worlds._types.copy(),
    **{name: array.copy() for name, array in _arrays(physics).items()},
  }


def load(physics: cpu.CpuPhysics, saved: dict[str, Any]) -> None:
  """Goes on from what `save` returned.

  Args:
    physics: Of the same sizes, with the same scenes loaded.
    saved: What `save` returned.
  """
  capacity = mjcf.Capacity(*saved["capacity"])
  if capacity != physics._worlds.capacity:
    physics._grow(capacity)
  physics.batch.state[:] = saved["state"]
  at = physics._slot_poses[..., :3].copy()
  for env in range(physics.num_envs):
    slots = np.flatnonzero(saved["changed"][env])
    if slots.size:
      types = saved["types"][env, slots]
      physics._worlds.set_slots(env, slots, types, at[env, slots])
  for name, array in _arrays(physics).items():
    array[:] = saved[name]
  settle(physics)


def _arrays(physics: cpu.CpuPhysics) -> dict[str, np.ndarray]:
  """What the class itself keeps between steps, a row an environment."""
  standing = physics._standing
  return {
    "yaw": physics._yaw,
    "held": physics._held,
    "fresh": physics._fresh,
    "place": standing._place,
    "stood": standing._stood,
  }
