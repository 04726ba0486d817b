"""What steps a batch of environments: the seam between `Land` and where its
arrays live. `Land` knows tasks and time; a stepper knows physics and session.

N: environments, P: players, S: slots, R: rules, K: trials, C: starts.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from adaland.envs.physics import base
from adaland.envs.stepping import env_state as session_lib
from adaland.envs.stepping.task_rows import Prepared, TaskRows


class Starts(NamedTuple):
  """What starts anew with a step, known before it, as only time ends trials.

  Attributes:
    next_trial: Where another trial of the same task starts, bool [N].
    episode: Where an episode starts, bool [N].
    env_ids: The environments of both, ascending, int [C].
    yaw: Of their players, float32 [C, P].
    tasks: Of the episodes, ascending by environment.
  """

  next_trial: np.ndarray
  episode: np.ndarray
  env_ids: np.ndarray
  yaw: np.ndarray
  tasks: Sequence[Prepared]


class Shown(NamedTuple):
  """What a step shows.

  Attributes:
    observation: By name, all but goal and rules, [N, P, ...].
    reward: Seconds of goal satisfaction, float32 [N, P].
  """

  observation: dict[str, Any]
  reward: Any


class Stepper(Protocol):
  """Steps N environments.

  Attributes:
    rows: The tasks under way.
    physics: The back end.
    session: What is remembered between steps.
  """

  rows: TaskRows
  physics: base.Physics
  session: session_lib.Session

  def reset(self, starts: Starts) -> Shown:
    """Starts an episode everywhere."""
    ...

  def step(self, actions: Any, trial: np.ndarray, starts: Starts) -> Shown:
    """Takes one action, int32 [N, P, 6], where no episode starts.

    Args:
      actions: Indices of the heads.
      trial: Under way before the step, int32 [N].
      starts: What starts anew.
    """
    ...

  def state(self) -> base.PhysicsState:
    """Where everything is, on the host."""
    ...

  def trial_rewards(self) -> np.ndarray:
    """Seconds in each trial of the episode, float [N, K, P], on the host."""
    ...

  def fired(self) -> np.ndarray:
    """Rules that fired in the last step, bool [N, R], on the host."""
    ...

  def dropped_spawns(self) -> np.ndarray:
    """Spawns lost in the episode, int64 [N], on the host."""
    ...
