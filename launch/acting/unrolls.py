"""Cuts the steps of many environments into the learner's examples.

N: environments, T: steps of an unroll, A: action heads.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from adaland.agent import types


class UnrollCutter:
  """Fills one unroll per environment, hands it out when it is full or done.

  An unroll ends where its episode does or when it is full. In the latter case
  the learner only bootstraps at its last step, which therefore opens the next
  unroll of the episode too: each action is learned from exactly once.

  Args:
    num_envs: N.
    length: T.
    observation_spec: Shape and dtype of each observation, without batch.
    num_heads: A.
    num_logits: Width of the behaviour logits.
    store_memory: Whether unrolls carry the memory at their first step; not
      needed when every unroll starts an episode.
  """

  def __init__(
    self,
    num_envs: int,
    length: int,
    observation_spec: Mapping[str, tuple[tuple[int, ...], Any]],
    num_heads: int,
    num_logits: int,
    store_memory: bool,
  ):
    self._length = length
    self._store_memory = store_memory

    def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
      return np.zeros((num_envs, length, *shape), dtype)

    self._steps = types.Unroll(
      observation={
        name: zeros(shape, dtype)
        for name, (shape, dtype) in observation_spec.items()
      },
      first=zeros((), np.uint8),
      action=zeros((num_heads,), np.int8),
      behaviour_logits=zeros((num_logits,), np.float32),
      reward=zeros((), np.float32),
      discount=zeros((), np.float32),
      mask=zeros((), np.uint8),
      initial_memory={},
      params_version=np.zeros((), np.int64),
    )
    self._filled = np.zeros(num_envs, np.int64)
    # Memory at the first step of this unroll, and at that of the next.
    self._memory: list[tuple[Any, Any]] = [({}, {})] * num_envs

  def before_acting(self, memory: Callable[[int], types.MemoryState]) -> None:
    """Keeps the memory of those rows whose next step may open an unroll.

    Args:
      memory: Copies a row's memory before this step to the host.
    """
    if not self._store_memory:
      return
    opens = (self._filled == 0) | (self._filled == self._length - 1)
    for row in np.flatnonzero(opens):
      snapshot = memory(int(row))
      if self._filled[row] == 0:
        self._memory[row] = (snapshot, {})
      else:
        self._memory[row] = (self._memory[row][0], snapshot)

  def add(
    self,
    observation: Mapping[str, np.ndarray],
    first: np.ndarray,
    action: np.ndarray,
    logits: np.ndarray,
    reward: np.ndarray,
    discount: np.ndarray,
    skip: np.ndarray,
    params_version: int,
    emit: Callable[[int, types.Unroll], None],
  ) -> None:
    """Adds one step of every environment.

    Args:
      observation: What was seen, leaves [N, ...].
      first: Whether it opened an episode, bool [N].
      action: What was done then, [N, A].
      logits: The acting policy, [N, sum(sizes)].
      reward: What followed the action, [N].
      discount: 0 where the action ended the episode, [N].
      skip: Rows where no action was taken since the observation was what the
        episode's last action led to, bool [N].
      params_version: Of the acting parameters.
      emit: Called with (environment, unroll) for each unroll complete.
    """
    rows = np.flatnonzero(~skip)
    at, steps = self._filled[rows], self._steps
    for name, values in steps.observation.items():
      values[rows, at] = observation[name][rows]
    steps.first[rows, at] = first[rows]
    steps.action[rows, at] = action[rows]
    steps.behaviour_logits[rows, at] = logits[rows]
    steps.reward[rows, at] = reward[rows]
    steps.discount[rows, at] = discount[rows]
    self._filled[rows] += 1
    ended = (discount == 0) & ~skip
    for row in np.flatnonzero(ended | (self._filled == self._length)):
      emit(int(row), self._cut(row, params_version))
      if ended[row]:
        self._filled[row] = 0
      else:
        self._carry_over(row)

  def _cut(self, row: int, params_version: int) -> types.Unroll:
    length = int(self._filled[row])

    def take(x: types.Array) -> np.ndarray:
      taken = np.array(x[row])
      taken[length:] = 0
      return taken

    mask = np.zeros(self._length, np.uint8)
    mask[:length] = 1
    return types.Unroll(
      observation={k: take(v) for k, v in self._steps.observation.items()},
      first=take(self._steps.first),
      action=take(self._steps.action),
      behaviour_logits=take(self._steps.behaviour_logits),
      reward=take(self._steps.reward),
      discount=take(self._steps.discount),
      mask=mask,
      initial_memory=self._memory[row][0],
      params_version=np.asarray(params_version, np.int64),
    )

  def example(self, memory: types.MemoryState) -> types.Unroll:
    """An unroll of zeros, as they all look.

    Args:
      memory: One row of memory, or an empty dict if unrolls carry none.
    """
    return self._cut(0, 0)._replace(initial_memory=memory)

  def _carry_over(self, row: int) -> None:
    """The last step of this unroll is the first of the next."""
    for values in jax.tree.leaves(self._steps[:-2]):
      values[row, 0] = values[row, self._length - 1]
    self._filled[row] = 1
    if self._store_memory:
      self._memory[row] = (self._memory[row][1], {})
