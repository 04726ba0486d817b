"""The interface between `Land`, which keeps tasks and time, and steppers.

A stepper keeps physics and the environments' state, on the host or on a
device.

N: environments, P: players, S: slots, R: rules, K: trials, C: starts.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from adaland.envs.physics import base
from adaland.envs.stepping import env_state, task_rows


class ResetPlan(NamedTuple):
  """Trials and episodes that start with a step.

  It is known before the step, because trials end only by time.

  Attributes:
    next_trial: Environments in which another trial of the same task starts,
      bool [N].
    episode: Environments in which an episode starts, bool [N].
    env_ids: Indices of the environments in either, ascending, int [C].
    yaw: Start yaw of their players, radians, float32 [C, P].
    tasks: Tasks of the starting episodes, ascending by environment.
  """

  next_trial: np.ndarray
  episode: np.ndarray
  env_ids: np.ndarray
  yaw: np.ndarray
  tasks: Sequence[task_rows.PreparedTask]


class Observed(NamedTuple):
  """Observations and rewards of a step.

  Attributes:
    observation: Named arrays, [N, P, ...], without goal and rules.
    reward: Seconds of goal satisfaction, float32 [N, P].
  """

  observation: dict[str, Any]
  reward: Any


class Stepper(Protocol):
  """A stepper of N environments.

  Attributes:
    rows: The current tasks.
    physics: The physics back end.
    state: The environments' state besides physics.
  """

  rows: task_rows.TaskRows
  physics: base.Physics
  state: env_state.EnvState

  def reset(self, plan: ResetPlan) -> Observed:
    """Starts an episode in every environment."""
    ...

  def step(self, actions: Any, trial: np.ndarray, plan: ResetPlan) -> Observed:
    """Takes one action in each environment in which no episode starts.

    Args:
      actions: Indices of the action heads, int32 [N, P, 6].
      trial: Number of the current trial before the step, int32 [N].
      plan: Trials and episodes that start with this step.
    """
    ...

  def physics_state(self) -> base.PhysicsState:
    """Returns poses and contacts, on the host."""
    ...

  def trial_rewards(self) -> np.ndarray:
    """Returns the reward of each trial of the episode, [N, K, P], seconds."""
    ...

  def fired(self) -> np.ndarray:
    """Returns the rules that fired in the last step, bool [N, R]."""
    ...

  def dropped_spawns(self) -> np.ndarray:
    """Returns the spawns lost in the episode so far, int64 [N], as a copy."""
    ...
