"""Unroll cutter: tracks the unrolls under way and emits complete ones.

N: environments, P: players, R = N P: rows, with an environment's players next
to each other, T: steps of an unroll.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from adaland.agent import types
from adaland.launch.acting import arrays, cutting, rollout


class UnrollCutter:
  """The unrolls under way of all rows.

  The players of an environment begin and end their unrolls together, but each
  has its own.

  Args:
    num_envs: N.
    num_players: P.
    length: T, from 2.
    snapshots: Memories, leaves [S * R, ...], to be replaced by those at the
      unrolls' first steps; an empty dict if unrolls carry none.
    emit: Takes complete unrolls, leaves [U, T, ...] on the device, and the
      number of them that count, the first ones.

  Attributes:
    start: First step of each environment's unroll, int64 [N].
    slot: Memory snapshot of each environment's unroll, int64 [N].
    snapshots: See above.
  """

  def __init__(
    self,
    num_envs: int,
    num_players: int,
    length: int,
    snapshots: types.MemoryState,
    emit: Callable[[types.Unroll, int], None],
  ):
    self._num_players = num_players
    self._num_rows = num_envs * num_players
    self._length = length
    self._num_snapshots = cutting.num_snapshots(length)
    self._emit = emit
    self.snapshots: Any = snapshots
    self.start = np.zeros(num_envs, np.int64)
    self.slot = np.zeros(num_envs, np.int64)

  def keep_memory(
    self,
    time: int,
    first: np.ndarray,
    last: np.ndarray,
    memory: types.MemoryState,
  ) -> None:
    """Copies the memory of environments whose next step opens an unroll.

    Args:
      time: Steps taken so far.
      first: Environments whose episode starts, bool [N].
      last: Environments whose episode has ended, bool [N].
      memory: The current memory, leaves [R, ...].
    """
    self.start[first] = time
    if not self.snapshots:
      return
    elapsed = time - self.start
    # Unrolls that follow each other overlap by one step.
    opened, rest = np.divmod(elapsed, self._length - 1)
    envs = np.flatnonzero(first | (~last & (elapsed > 0) & (rest == 0)))
    if envs.size:
      rows = self._rows(envs)
      slot = (self.slot[envs] + opened[envs]) % self._num_snapshots
      past = self._num_snapshots * self._num_rows
      self.snapshots = cutting.keep_memory(
        self.snapshots,
        memory,
        arrays.padded(rows, 0),
        arrays.padded(self._snapshot_of(rows, slot), past),
      )

  def cut(
    self,
    time: int,
    last: np.ndarray,
    learned: np.ndarray,
    buffer: rollout.RolloutBuffer,
    version: int,
    rules: np.ndarray | None,
  ) -> None:
    """Emits the unrolls that are complete now.

    Args:
      time: Steps taken so far.
      last: Environments whose episode has ended, bool [N].
      learned: Players whose unrolls are learned from, bool [N, P].
      buffer: The latest steps.
      version: Version of the parameters that acted last.
      rules: The true rules of each environment's task, or None.
    """
    lengths = time - self.start
    full = ~last & (lengths == self._length)
    envs = np.flatnonzero((last | full) & learned.any(axis=1))
    if envs.size:
      counted = learned[envs].reshape(-1)
      rows = self._rows(envs)[counted]
      envs = np.repeat(envs, self._num_players)[counted]
      indices = [
        rows,
        self.start[envs] % (self._length + 1),
        lengths[envs],
        self._snapshot_of(rows, self.slot[envs]),
      ]
      unrolls = cutting.cut(
        buffer,
        self.snapshots,
        np.stack([arrays.padded(numbers, 0) for numbers in indices]),
        np.int32(version),
        # Copied, as the program may read it after the next tasks have arrived.
        None if rules is None else rules.copy(),
        self._length,
      )
      self._emit(unrolls, len(rows))
    # The last step of a full unroll is the first step of the next.
    self.start[full] += self._length - 1
    self.slot[full] = (self.slot[full] + 1) % self._num_snapshots

  def _rows(self, envs: np.ndarray) -> np.ndarray:
    """Returns the rows of the players of environments, in order."""
    players = np.arange(self._num_players)
    return (envs[:, None] * self._num_players + players).reshape(-1)

  def _snapshot_of(self, rows: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """Returns rows of the snapshots, from one slot for each row or env."""
    slots = np.repeat(slot, len(rows) // len(slot))
    return slots * self._num_rows + rows
