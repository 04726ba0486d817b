"""Plays episodes: a batch of environments, their actions, and records.

N: environments, K: trials of an episode, A: action heads.
"""

import logging
from collections.abc import Callable
from typing import Protocol

import numpy as np

from adaland.agent import acting, types
from adaland.agent.replay import base as replay_base
from adaland.curriculum import base
from adaland.envs import constants, land
from adaland.envs.tasks import task as task_lib
from adaland.launch.acting import channel as channel_lib
from adaland.launch.acting import inference as inference_lib
from adaland.launch.acting import unrolls


class Environment(Protocol):
  """What of `adaland.envs.land.Land` the loop uses."""

  def reset(self) -> land.Step:
    """Starts an episode in every environment."""
    ...

  def step(self, actions: np.ndarray) -> land.Step:
    """Takes one action in every environment."""
    ...


class ActorLoop:
  """Steps N environments with the newest parameters.

  Args:
    make_environment: From the function that gives an environment's next task,
      the batch of N environments.
    inference: Acts in them.
    cutter: Makes unrolls; for N environments.
    num_envs: N.
    gamma: Discount per step, for the TD error.
    channel: Where tasks come from and records go.
    writer: Where unrolls go.
    seed: Of the actions.
  """

  def __init__(
    self,
    make_environment: Callable[[Callable[[int], task_lib.Task]], Environment],
    inference: inference_lib.Seat,
    cutter: unrolls.UnrollCutter,
    num_envs: int,
    gamma: float,
    channel: channel_lib.Channel,
    writer: replay_base.ReplayWriter,
    seed: np.random.SeedSequence,
  ):
    self._inference = inference
    self._cutter = cutter
    self._gamma = gamma
    self._channel = channel
    self._writer = writer
    self._rng = np.random.Generator(np.random.PCG64(seed))
    self._assignments: list[base.Assignment | None] = [None] * num_envs
    self._rewards = np.zeros((num_envs, constants.MAX_TRIALS), np.float32)
    self._trial = np.zeros(num_envs, np.int64)
    # Sums over the last trial's steps: TD, value and policy error, and count.
    self._errors = np.zeros((num_envs, 4), np.float64)
    self._environment = make_environment(self._next_task)
    self._now = self._environment.reset()
    # What the step before left open: value, reward, discount, in last trial.
    self._open: tuple[np.ndarray, ...] | None = None

  def _next_task(self, row: int) -> task_lib.Task:
    assignment = self._channel.next_task()
    self._assignments[row] = assignment
    self._rewards[row] = 0.0
    self._trial[row] = 0
    self._errors[row] = 0.0
    return assignment.task

  def has_params(self) -> bool:
    """Whether there are parameters to act with."""
    return self._inference.has_params()

  def step(self) -> None:
    """Acts once in every environment, with the newest parameters.

    Raises:
      ConnectionError: If the learner's side is gone.
      BrokenBarrierError: If another thread of the actor has ended.
    """
    now = self._now
    self._cutter.before_acting(self._inference.memory)
    # Any bits are a key; making it here spares a call of JAX.
    key = self._rng.integers(2**32, size=2, dtype=np.uint32)
    output, version = self._inference.act(now.observation, now.first, key)
    action, value = np.asarray(output.action), np.asarray(output.value)
    self._close_step(output, value)
    for row in np.flatnonzero(now.last):
      self._report(row)
    then = self._environment.step(action)
    acted = ~now.last
    discount = 1.0 - then.last.astype(np.float32)
    rows = np.flatnonzero(acted)
    self._rewards[rows, self._trial[rows]] += then.reward[rows]
    last_trial = self._trial + 1 == [a.task.trials for a in self._assigned()]
    self._open = (value, then.reward, discount, acted & last_trial)
    self._trial[acted & then.trial_last] += 1
    self._cutter.add(
      now.observation,
      now.first,
      action,
      np.asarray(output.behaviour_logits),
      then.reward,
      discount,
      now.last,
      version,
      self._emit,
    )
    self._channel.count_steps(int(acted.sum()))
    self._now = then

  def close(self) -> None:
    """Sends what is pending within a bounded time."""
    self._writer.close()

  def _assigned(self) -> list[base.Assignment]:
    return [a for a in self._assignments if a is not None]

  def _close_step(self, output: acting.ActorOutput, value: np.ndarray) -> None:
    """Adds up the errors of the step before, now that its successor is seen."""
    if self._open is None:
      return
    last_value, reward, discount, counts = self._open
    td = acting.td_error(last_value, reward, discount, value, self._gamma)
    errors = [
      td,
      np.asarray(output.value_error),
      np.asarray(output.policy_error),
      np.ones_like(td),
    ]
    self._errors += np.where(counts[:, None], np.stack(errors, -1), 0.0)

  def _report(self, row: int) -> None:
    assignment = self._assignments[row]
    assert assignment is not None
    *sums, count = self._errors[row]
    td, value, policy = (float(x / max(count, 1.0)) for x in sums)
    self._channel.report(
      base.EpisodeRecord(
        key=assignment.key,
        learn=assignment.learn,
        rewards=self._rewards[row, : assignment.task.trials].copy(),
        td_error=td,
        value_error=value,
        policy_error=policy,
      )
    )

  def _emit(self, row: int, unroll: types.Unroll) -> None:
    assignment = self._assignments[row]
    assert assignment is not None
    if not assignment.learn:
      return
    while True:
      try:
        self._writer.insert(unroll)
        return
      except TimeoutError as error:
        # The learner compiles, or is behind: keep the unroll, and the actor
        # still ends if the learner is gone, or another of its threads.
        logging.info("%s", error)
        self._channel.count_steps(0)
        self._inference.check()
