"""Actor: steps environments and cuts their steps into unrolls.

All decisions on the host depend only on the tasks' lengths. So with
environments that stay on a device nothing waits for the device, except reports
of episodes that ended some steps ago.

N: environments, P: players, R = N P: rows, with an environment's players next
to each other, T: steps of an unroll, U: unrolls cut at once.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from adaland.agent import acting, types
from adaland.curriculum import base, coplayers
from adaland.envs import land
from adaland.envs.tasks import task
from adaland.launch.acting import (
  arrays,
  coplaying,
  cutting,
  episode_records,
  rollout,
  starts,
  teaching,
  unroll_cutter,
)

# Arrays on the host that a checkpoint holds under the same names.
_COUNTERS = ("trial", "acted_in", "counts")


class Environment(Protocol):
  """A batch of environments, as the actor uses `adaland.envs.land.Land`."""

  def reset(self) -> land.Step:
    """Starts an episode in every environment."""
    ...

  def step(self, actions: Any) -> land.Step:
    """Takes one action in every environment."""
    ...


class Actor:
  """A policy acting in N environments.

  An unroll ends with its episode or when it is full. The last step of a full
  unroll has no return in it: the other steps bootstrap from it. It is therefore
  also the first step of the episode's next unroll, so that each action's return
  is learned from exactly once.

  With two players, the policy plays both sides of an environment: each player
  is a row with its own memory, and its unrolls hold its own observations and
  rewards. Where a co-player has the second seat, or the task has no second
  player, only player 1 is learned from. The records are player 1's.

  Args:
    make_environment: Makes the batch of N environments, from a function that
      returns an environment's next task, prepared or not.
    functions: The acting functions.
    observation_spec: Shape and dtype of each observation, without batch.
    action_sizes: Sizes of the action heads.
    num_envs: N.
    length: T, from 2.
    gamma: Discount per step, for the TD error.
    store_memory: Whether unrolls carry the memory at their first step; not
      needed when every unroll starts an episode.
    next_task: Returns a task to act in.
    report: Takes the record of a finished episode.
    emit: Takes complete unrolls, leaves [U, T, ...] on the device, and the
      number of them that count, the first ones.
    seed: Seed of the actions.
    device: Device of the arrays.
    guide: Players that label states and demonstrate, if any.
    rules: Shape of the true rules that unrolls carry; None if they carry none.
    num_players: P.
    seats: The co-players; None if the agent plays all players.

  Attributes:
    environment: The batch of environments.
  """

  def __init__(
    self,
    make_environment: Callable[[Callable[[int], Any]], Environment],
    functions: acting.ActorCore,
    observation_spec: rollout.ObservationSpec,
    action_sizes: Sequence[int],
    num_envs: int,
    length: int,
    gamma: float,
    store_memory: bool,
    next_task: Callable[[], base.Assignment],
    report: Callable[[base.EpisodeRecord], None],
    emit: Callable[[types.Unroll, int], None],
    seed: int,
    device: jax.Device,
    guide: teaching.Teaching | None = None,
    rules: tuple[int, int] | None = None,
    num_players: int = 1,
    seats: coplaying.CoplayerSeats | None = None,
  ):
    num_rows = num_envs * num_players
    self._num_players = num_players
    self._assign = next_task
    self._advance = rollout.make_step(functions, gamma, tuple(action_sizes))
    self._teaching = guide
    self._seats = seats
    labels = "none" if guide is None else guide.labels
    self._rules = None
    if rules is not None:
      self._rules = np.zeros((num_envs, *rules), np.int32)
    key = jax.random.fold_in(jax.random.PRNGKey(seed), 1)
    self._key = jax.device_put(key, device)
    self._carry = jax.device_put(
      rollout.empty(
        functions, observation_spec, num_rows, length, action_sizes, labels
      ),
      device,
    )
    snapshots: Any = {}
    if store_memory:
      memory = functions.init(cutting.num_snapshots(length) * num_rows).memory
      snapshots = jax.device_put(memory, device)
    self._cutter = unroll_cutter.UnrollCutter(
      num_envs, num_players, length, snapshots, emit
    )
    self._time = 0
    self._version = 0  # Version of the parameters that acted last.
    self._trial = np.zeros(num_envs, np.int64)
    self._trials = np.ones(num_envs, np.int64)
    # Trial of the last action, and whether it was the episode's last trial.
    self._acted_in = np.zeros(num_envs, np.int64)
    self._counts = np.zeros(num_envs, bool)
    self._assignments: list[base.Assignment | None] = [None] * num_envs
    # True where the avatar does nothing.
    self._idle = np.zeros(num_envs, bool)
    # Players whose unrolls are learned from.
    self._learned = np.zeros((num_envs, num_players), bool)
    self._records = episode_records.EpisodeRecords(report)
    self.environment = make_environment(self._next_task)
    self._now = starts.no_step(num_envs, observation_spec, num_players)
    self._begun = False

  def _next_task(self, row: int) -> Any:
    assignment = starts.with_trials(self._assign())
    self._trial[row] = 0
    self._seat(row, assignment)
    return assignment.task

  def _seat(self, row: int, assignment: base.Assignment) -> None:
    """Records an episode's players, its rules, and who is learned from."""
    self._assignments[row] = assignment
    if self._rules is not None:
      self._rules[row] = starts.true_rules(
        assignment.task, self._rules.shape[1]
      )
    self._idle[row] = assignment.idle
    self._trials[row] = assignment.task.trials
    present = starts.num_players(assignment.task)
    coplayer = assignment.coplayer if present > 1 else coplayers.SELF
    if self._seats is not None:
      self._seats.seat(row, coplayer)
    players = np.arange(self._num_players)
    playing = present if coplayer == coplayers.SELF else 1
    self._learned[row] = assignment.learn & (players < playing)

  def step(self, params: types.Params, version: int) -> int:
    """Acts once in every environment.

    Args:
      params: Parameters of the acting network.
      version: Learner update count of these parameters.

    Returns:
      The number of environment steps. An environment whose episode has ended
      starts another one instead, which does not count.
    """
    if not self._begun:
      self._begun, self._now = True, self.environment.reset()
    now, time = self._now, self._time
    first, last = np.asarray(now.first), np.asarray(now.last)
    self._cutter.keep_memory(time, first, last, self._carry.state.memory)
    control = np.stack([first, last, self._counts, self._acted_in])
    guidance = None
    if self._teaching is not None:
      guidance = self._teaching.guide(self.environment, now, self._trial)
    idle = self._idle & ~last
    if idle.any():
      guidance = teaching.with_idle(
        guidance, np.repeat(idle, self._num_players)
      )
    if self._seats is not None:
      guidance = guidance or teaching.no_guidance(self._learned.size)
      guidance = self._seats.guide(guidance, now, time)
    output, self._carry = self._advance(
      params,
      self._carry,
      now.observation,
      now.reward,
      control.astype(np.int32),
      guidance,
      self._key,
      np.int32(time),
    )
    self._cutter.cut(
      time, last, self._learned, self._carry.buffer, self._version, self._rules
    )
    self._version = version
    for row in np.flatnonzero(last):
      assignment = self._assignments[row]
      assert assignment is not None
      guided = self._idle[row] or (
        self._teaching is not None and self._teaching.guided[row]
      )
      self._records.add(
        time,
        int(row) * self._num_players,
        assignment,
        output.rewards,
        output.errors,
        bool(guided),
      )
    self._records.report_due(time)
    then = self.environment.step(output.action)
    acted = ~last
    self._counts = acted & (self._trial + 1 == self._trials)
    self._acted_in = self._trial.copy()
    self._trial[acted & np.asarray(then.trial_last)] += 1
    self._now, self._time = then, time + 1
    return int(acted.sum())

  @property
  def time(self) -> int:
    """Steps taken so far by each environment."""
    return self._time

  @property
  def playing(self) -> set[int]:
    """Numbers of the snapshots that play as co-players."""
    return set() if self._seats is None else self._seats.playing

  @property
  def arrays(self) -> dict[str, Any]:
    """The part of the state in arrays of fixed shapes."""
    found = {
      "carry": self._carry,
      "snapshots": self._cutter.snapshots,
      "now": self._now,
    }
    if self._seats is not None:
      found["seats"] = self._seats.state
    return found

  def state_dict(self) -> dict[str, Any]:
    """Returns the rest of the state, without the environments'."""
    assignments = [a for a in self._assignments if a is not None]
    return {
      "time": self._time,
      "version": self._version,
      "start": self._cutter.start,
      "slot": self._cutter.slot,
      **{name: getattr(self, f"_{name}") for name in _COUNTERS},
      "keys": [a.key for a in assignments],
      "learn": [a.learn for a in assignments],
      "idle": [a.idle for a in assignments],
      "coplayers": [a.coplayer for a in assignments],
      "records": self._records.state_dict(),
    }

  def restart_episodes(self, state: dict[str, Any]) -> None:
    """Restores only the step count and starts new episodes.

    Args:
      state: As `state_dict` returned it.
    """
    self._time = int(state["time"])

  def load_state_dict(
    self,
    saved: dict[str, Any],
    state: dict[str, Any],
    tasks: Sequence[task.Task],
  ) -> None:
    """Restores the whole state, but not the environments'.

    Args:
      saved: The value of `arrays`, on the host.
      state: As `state_dict` returned it.
      tasks: The environments' tasks.
    """
    self._carry = arrays.put_like(saved["carry"], self._carry)
    cutter = self._cutter
    cutter.snapshots = arrays.put_like(saved["snapshots"], cutter.snapshots)
    self._begun, self._now = True, saved["now"]
    self._time = int(state["time"])
    self._version = int(state["version"])
    cutter.start[:], cutter.slot[:] = state["start"], state["slot"]
    for name in _COUNTERS:
      getattr(self, f"_{name}")[:] = state[name]
    # Checkpoints of earlier versions lack idle flags and co-players.
    idle = state.get("idle", [False] * len(tasks))
    seated = state.get("coplayers", [coplayers.SELF] * len(tasks))
    for row, (key, played, learn, still, coplayer) in enumerate(
      zip(state["keys"], tasks, state["learn"], idle, seated, strict=True)
    ):
      self._seat(
        row, base.Assignment(key, played, learn, idle=still, coplayer=coplayer)
      )
    if self._seats is not None:
      self._seats.state = arrays.put_like(saved["seats"], self._seats.state)
    self._records.load_state_dict(state["records"])
