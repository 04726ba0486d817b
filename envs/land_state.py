"""What `Land` is at a moment: tasks as JSON, and arrays, to go on elsewhere.

A run that is killed and goes on from such a moment does bit by bit what it
would have done, if every run, killed or not, called `settle` there.

These functions are a part of the class, in a file of their own.
"""

from typing import Any

import numpy as np

from adaland.envs import land
from adaland.envs.game import clock as clock_lib
from adaland.envs.physics import cpu, cpu_state
from adaland.envs.stepping import host, task_rows
from adaland.envs.tasks import json_files


def can_save(environments: land.Land) -> bool:
  """Whether its back end can be saved."""
  return isinstance(environments.physics, cpu.CpuPhysics)


def settle(environments: land.Land) -> None:
  """Makes `save` tell everything; nothing changes that players could see."""
  cpu_state.settle(_cpu(environments))


def save(environments: land.Land) -> dict[str, Any]:
  """Returns dictionaries, lists, numbers, strings and NumPy arrays."""
  return {
    "tasks": [json_files.to_json(task) for task in environments.tasks],
    "seeds": list(environments.seeds),
    "ended": environments._ended.copy(),
    "physics": cpu_state.save(_cpu(environments)),
    **_stepper(environments).save(),
  }


def load(environments: land.Land, saved: dict[str, Any]) -> None:
  """Goes on from what `save` returned, instead of a `reset`.

  Args:
    environments: Of the same number and sizes.
    saved: What `save` returned.
  """
  stepper = _stepper(environments)
  environments.seed(saved["seeds"])
  environments.tasks = [json_files.from_json(task) for task in saved["tasks"]]
  everywhere = np.arange(environments.num_envs)
  prepared = [
    task_rows.prepare(task, environments.config) for task in environments.tasks
  ]
  stepper.rows.load(everywhere, prepared)
  physics = _cpu(environments)
  physics.load(everywhere, [task.scene for task in prepared])
  cpu_state.load(physics, saved["physics"])
  stepper.load(saved)
  environments._ended = saved["ended"]
  environments._clock.now = clock_lib.Clock(
    *(np.array(x) for x in stepper.session.clock)
  )


def _stepper(environments: land.Land) -> host.HostStepper:
  stepper = environments._stepper
  assert isinstance(stepper, host.HostStepper)
  return stepper


def _cpu(environments: land.Land) -> cpu.CpuPhysics:
  physics = environments.physics
  assert isinstance(physics, cpu.CpuPhysics)
  return physics
