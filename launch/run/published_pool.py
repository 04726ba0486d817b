"""The learner's pool of co-players, published to other roles."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from adaland.agent import types
from adaland.launch import errors
from adaland.launch.run import snapshots


class PublishedPool:
  """A pool that announces its snapshots to the actors and the curriculum.

  Args:
    pool: The pool.
    publish: Sends all snapshots' parameters, by their numbers, to the actors.
    tell: Tells the curriculum the numbers of all snapshots. It raises
      ConnectionError or TimeoutError if the curriculum can't be reached, and is
      then called again later.
    saved: The newest checkpoint's `run`; None at a run's start.
  """

  def __init__(
    self,
    pool: snapshots.SnapshotPool,
    publish: Callable[[dict[int, types.Params]], None],
    tell: Callable[[list[int]], None],
    saved: dict[str, Any] | None,
  ):
    self._pool = pool
    self._publish = publish
    self._tell_curriculum = tell
    self._told: list[int] | None = None
    if saved is not None:
      pool.load_state_dict(saved["coplayers"])
      publish(pool.params)
    self._tell()

  def offer(self, updates: int, params: types.Params) -> None:
    """Adds a snapshot if one is due; see `SnapshotPool.offer`.

    Raises:
      RunError: If its file can't be written.
    """
    if self._pool.is_due(updates):
      # Later updates may reuse the arrays' memory.
      copied = jax.tree.map(np.array, params)
      try:
        self._pool.offer(updates, copied)
      except OSError as error:
        raise errors.RunError(errors.describe_os_error(error)) from error
      self._publish(self._pool.params)
    if self._told != self._pool.numbers:
      self._tell()

  def _tell(self) -> None:
    numbers = self._pool.numbers
    try:
      self._tell_curriculum(numbers)
    except (ConnectionError, TimeoutError):
      return
    self._told = numbers

  def state_dict(self) -> dict[str, Any]:
    """Returns the state that a checkpoint keeps.

    The curriculum, which may have been restarted since, is told again.
    """
    self._tell()
    return self._pool.state_dict()

  def tidy(self) -> None:
    """Removes files that no checkpoint needs, after one was written."""
    self._pool.tidy()
