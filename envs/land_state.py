"""What `Land` is at a moment: tasks as JSON, and arrays, to go on elsewhere.

A run that is killed and goes on from such a moment does bit by bit what it
would have done, if every run, killed or not, called `settle` there.

These functions are a part of the class, in a file of their own.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from envs import land, task_json
from envs.physics import cpu, cpu_state


def can_save(environments: land.Land) -> bool:
  """Whether its back end can be saved."""
  return isinstance(environments.physics, cpu.CpuPhysics)


def settle(environments: land.Land) -> None:
  """Makes `save` tell everything; nothing changes that players could see."""
  cpu_state.settle(_cpu(environments))


def save(environments: land.Land) -> dict[str, Any]:
  """Returns dictionaries, lists, numbers, strings and NumPy arrays."""
  return {
    "tasks": [task_json.to_json(task) for task in environments.tasks],
    "seeds": list(environments.seeds),
    "session": [np.array(x) for x in jax.tree.leaves(environments._session)],
    "trial_rewards": environments._trial_rewards.copy(),
    "fired": environments._fired.copy(),
    "ended": environments._ended.copy(),
    "dropped_spawns": environments.dropped_spawns.copy(),
    "physics": cpu_state.save(_cpu(environments)),
  }


def load(environments: land.Land, saved: dict[str, Any]) -> None:
  """Goes on from what `save` returned, instead of a `reset`.

  Args:
    environments: Of the same number and sizes.
    saved: What `save` returned.
  """
  everywhere = np.arange(environments.num_envs)
  environments.seed(saved["seeds"])
  environments.tasks = [task_json.from_json(task) for task in saved["tasks"]]
  environments.physics.load(
    everywhere, environments._rows.load(everywhere, environments.tasks)
  )
  environments._session = jax.tree.unflatten(
    jax.tree.structure(environments._session),
    [jnp.asarray(x) for x in saved["session"]],
  )
  environments._trial_rewards[:] = saved["trial_rewards"]
  environments._fired, environments._ended = saved["fired"], saved["ended"]
  environments.dropped_spawns[:] = saved["dropped_spawns"]
  cpu_state.load(_cpu(environments), saved["physics"])
  environments._look_around()


def _cpu(environments: land.Land) -> cpu.CpuPhysics:
  physics = environments.physics
  assert isinstance(physics, cpu.CpuPhysics)
  return physics
