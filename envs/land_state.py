"""Exact saving and loading of a `Land` on the cpu back end.

A run that is killed and resumed from a saved state repeats the uninterrupted
run bit for bit, provided that both call `settle` before `save`.
"""

from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.game import clocks
from adaland.envs.physics import cpu
from adaland.envs.stepping import host, task_rows
from adaland.envs.tasks import json_files


def can_save(environments: land.Land) -> bool:
  """Returns True if the physics back end can be saved."""
  return isinstance(environments.physics, cpu.CpuPhysics)


def settle(environments: land.Land) -> None:
  """Drops the physics state that `save` leaves out; nothing moves."""
  _physics(environments).settle()


def save(environments: land.Land) -> dict[str, Any]:
  """Returns the state as dictionaries, lists, numbers, strings and arrays."""
  return {
    "tasks": [json_files.to_json(task) for task in environments.tasks],
    "seeds": list(environments.seeds),
    "episodes": environments.episodes.copy(),
    "ended": environments.ended.copy(),
    "physics": _physics(environments).save_state(),
    **_stepper(environments).save(),
  }


def load(environments: land.Land, saved: dict[str, Any]) -> None:
  """Restores a saved state; replaces `reset`.

  Args:
    environments: Environments with the same number and sizes.
    saved: The state, as returned by `save`.
  """
  stepper, physics = _stepper(environments), _physics(environments)
  tasks = [json_files.from_json(task) for task in saved["tasks"]]
  prepared = [task_rows.prepare(task, environments.config) for task in tasks]
  everywhere = np.arange(environments.num_envs)
  stepper.rows.load(everywhere, prepared)
  physics.load(everywhere, [task.scene for task in prepared])
  physics.load_state(saved["physics"])
  stepper.load(saved)
  environments.schedule.load(
    prepared,
    saved["seeds"],
    saved["episodes"],
    saved["ended"],
    clocks.Clock(*(np.array(x) for x in stepper.state.clock)),
  )


def _stepper(environments: land.Land) -> host.HostStepper:
  stepper = environments.stepper
  assert isinstance(stepper, host.HostStepper)
  return stepper


def _physics(environments: land.Land) -> cpu.CpuPhysics:
  physics = environments.physics
  assert isinstance(physics, cpu.CpuPhysics)
  return physics
