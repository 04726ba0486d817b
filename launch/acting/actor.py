"""Plays: steps the environments and cuts what they did into unrolls.

All that is decided on the host follows from the tasks' lengths, so on a device
whose environments stay there nothing is waited for, but for records of
episodes that ended some steps ago. N: environments, T: steps
of an unroll.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from adaland.agent import acting, types
from adaland.curriculum import base
from adaland.envs import land
from adaland.envs.tasks import task as task_lib
from adaland.launch.acting import episode_records, rollout
from adaland.launch.runtimes.single import device_replay


class Environment(Protocol):
  """What of `adaland.envs.land.Land` the player uses."""

  def reset(self) -> land.Step:
    """Starts an episode in every environment."""
    ...

  def step(self, actions: Any) -> land.Step:
    """Takes one action in every environment."""
    ...


class Desk(Protocol):
  """Where tasks come from and records go."""

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Tasks to play next."""
    ...

  def report(self, record: base.EpisodeRecord) -> None:
    """Takes in a finished episode."""
    ...

  def count_steps(self, steps: int) -> None:
    """Takes in how many environment steps were made."""
    ...


class Player:
  """Steps N environments.

  Args:
    make_environment: From the function that gives an environment's next task,
      prepared or not, the batch of N environments.
    actor: The acting functions.
    observation_spec: Shape and dtype of each observation, without batch.
    action_sizes: Of the action heads.
    num_envs: N.
    length: T.
    gamma: Discount per step, for the TD error.
    store_memory: Whether unrolls carry the memory at their first step.
    desk: Where tasks come from and records go.
    emit: Called with the unrolls cut, leaves [K, ...], of which the first
      `num` count.
    seed: Of the actions.
    device: Where the arrays are.

  Attributes:
    environment: What it steps.
  """

  def __init__(
    self,
    make_environment: Callable[[Callable[[int], Any]], Environment],
    actor: acting.Actor,
    observation_spec: Any,
    action_sizes: Sequence[int],
    num_envs: int,
    length: int,
    gamma: float,
    store_memory: bool,
    desk: Desk,
    emit: Callable[[types.Unroll, int], None],
    seed: int,
    device: jax.Device,
  ):
    self._num_envs = num_envs
    self._length = length
    self._desk = desk
    self._emit = emit
    self._advance = rollout.make_step(actor, gamma)
    key = jax.random.fold_in(jax.random.PRNGKey(seed), 1)
    self._key = jax.device_put(key, device)
    self._carry = jax.device_put(
      rollout.empty(actor, observation_spec, num_envs, length, action_sizes),
      device,
    )
    self._snapshots: Any = {}
    if store_memory:
      # Of each environment that of the unroll under way and of the next one.
      memory = actor.init(2 * num_envs).memory
      self._snapshots = jax.device_put(memory, device)
    self._time = 0
    self._start = np.zeros(num_envs, np.int64)  # Of the unrolls under way.
    self._half = np.zeros(num_envs, np.int64)  # Of the snapshots: theirs.
    self._trial = np.zeros(num_envs, np.int64)
    self._trials = np.ones(num_envs, np.int64)
    self._acted_in = np.zeros(num_envs, np.int64)  # Trial of the last action.
    self._counts = np.zeros(num_envs, bool)  # Whether that was the last trial.
    self._assignments: list[base.Assignment | None] = [None] * num_envs
    self._records = episode_records.Records(desk.report)
    self.environment = make_environment(self._next_task)
    self._now = _no_step(num_envs, observation_spec)
    self._begun = False

  def _next_task(self, row: int) -> Any:
    [assignment] = self._desk.next_tasks(1)
    self._assignments[row] = assignment
    self._trial[row], self._trials[row] = 0, assignment.task.trials
    return assignment.task

  def step(self, params: types.Params, version: int) -> None:
    """Acts once in every environment.

    Args:
      params: Of the acting network.
      version: Learner update count that they belong to.
    """
    if not self._begun:
      self._begun, self._now = True, self.environment.reset()
    now, time = self._now, self._time
    first, last = np.asarray(now.first), np.asarray(now.last)
    self._start[first] = time
    self._keep_memory(first, last)
    control = np.stack([first, last, self._counts, self._acted_in])
    output, self._carry = self._advance(
      params,
      self._carry,
      now.observation,
      now.reward,
      control.astype(np.int32),
      self._key,
      np.int32(time),
    )
    self._cut(last, version)
    for row in np.flatnonzero(last):
      assignment = self._assignments[row]
      assert assignment is not None
      self._records.add(
        time, int(row), assignment, output.rewards, output.errors
      )
    self._records.tell(time)
    then = self.environment.step(output.action)
    acted = ~last
    self._counts = acted & (self._trial + 1 == self._trials)
    self._acted_in = self._trial.copy()
    self._trial[acted & np.asarray(then.trial_last)] += 1
    self._desk.count_steps(int(acted.sum()))
    self._now, self._time = then, time + 1

  def _keep_memory(self, first: np.ndarray, last: np.ndarray) -> None:
    """Copies the memory of those whose next step opens an unroll."""
    if not self._snapshots:
      return
    carried = ~last & (self._time - self._start == self._length - 1)
    envs = np.flatnonzero(first | carried)
    if envs.size:
      half = np.where(first[envs], self._half[envs], 1 - self._half[envs])
      self._snapshots = rollout.keep_memory(
        self._snapshots,
        self._carry.state.memory,
        device_replay.padded(envs, 0),
        device_replay.padded(half * self._num_envs + envs, 2 * self._num_envs),
      )

  def _cut(self, last: np.ndarray, version: int) -> None:
    """Emits the unrolls that are complete now."""
    lengths = self._time - self._start
    full = ~last & (lengths == self._length)
    complete = [
      row
      for row in np.flatnonzero(last | full)
      if (a := self._assignments[row]) is not None and a.learn
    ]
    if complete:
      places = [
        complete,
        self._start[complete] % (self._length + 1),
        lengths[complete],
        self._half[complete] * self._num_envs + complete,
      ]
      unrolls = rollout.cut(
        self._carry.log,
        self._snapshots,
        np.stack([device_replay.padded(numbers, 0) for numbers in places]),
        np.int32(version),
        self._length,
      )
      self._emit(unrolls, len(complete))
    # The last step of an unroll that is full is the first of the next.
    self._start[full] += self._length - 1
    self._half[full] = 1 - self._half[full]

  @property
  def time(self) -> int:
    """Steps that all environments made."""
    return self._time

  @property
  def arrays(self) -> dict[str, Any]:
    """What it remembers in arrays of known shapes, the last step included."""
    return {
      "carry": self._carry,
      "snapshots": self._snapshots,
      "now": self._now,
    }

  def state_dict(self) -> dict[str, Any]:
    """Returns the rest of what it remembers, but not the environments."""
    assignments = [a for a in self._assignments if a is not None]
    return {
      "time": self._time,
      "start": self._start,
      "half": self._half,
      "trial": self._trial,
      "acted_in": self._acted_in,
      "counts": self._counts,
      "keys": [a.key for a in assignments],
      "learn": [a.learn for a in assignments],
      "records": self._records.state_dict(),
    }

  def begin_anew(self, state: dict[str, Any]) -> None:
    """Goes on from what `state_dict` was, but with new episodes.

    Args:
      state: What `state_dict` returned, of which only the time is read.
    """
    self._time = int(state["time"])

  def load_state_dict(
    self,
    arrays: dict[str, Any],
    state: dict[str, Any],
    tasks: Sequence[task_lib.Task],
  ) -> None:
    """Goes on from what `arrays` and `state_dict` were.

    Args:
      arrays: On the host.
      state: The rest.
      tasks: Under way in the environments.
    """
    self._carry = device_replay.put_like(arrays["carry"], self._carry)
    self._snapshots = device_replay.put_like(
      arrays["snapshots"], self._snapshots
    )
    self._begun, self._now = True, arrays["now"]
    self._time = int(state["time"])
    for name in ("start", "half", "trial", "acted_in", "counts"):
      getattr(self, f"_{name}")[:] = state[name]
    self._assignments = [
      base.Assignment(key, task, learn)
      for key, task, learn in zip(
        state["keys"], tasks, state["learn"], strict=True
      )
    ]
    self._trials[:] = [task.trials for task in tasks]
    self._records.load_state_dict(state["records"])


def _no_step(num_envs: int, observation_spec: Any) -> land.Step:
  """A step of the shapes that all have."""
  none = np.zeros(num_envs, bool)
  return land.Step(
    observation={
      name: np.zeros((num_envs, *shape), dtype)
      for name, (shape, dtype) in observation_spec.items()
    },
    reward=np.zeros(num_envs, np.float32),
    first=none,
    last=none,
    trial_last=none,
    discount=np.zeros(num_envs, np.float32),
  )
