"""The learner's pool of co-players, and what other roles are told of it."""

from typing import Any

import jax
import numpy as np

from adaland.agent import types
from adaland.launch import errors
from adaland.launch.roles import parameters, peer
from adaland.launch.run import snapshots

_SECONDS = 1.0


class PublishedPool:
  """A pool whose snapshots the actors and the curriculum get to know.

  Args:
    pool: The pool.
    publisher: Sends parameters to the parameter server.
    curriculum: The curriculum server.
    saved: The newest checkpoint's `run`; None at a run's start.
  """

  def __init__(
    self,
    pool: snapshots.SnapshotPool,
    publisher: parameters.Publisher,
    curriculum: peer.Peer,
    saved: dict[str, Any] | None,
  ):
    self._pool = pool
    self._publisher = publisher
    self._curriculum = curriculum
    self._told: list[int] | None = None
    if saved is not None:
      pool.load_state_dict(saved["coplayers"])
      publisher.publish_coplayers(pool.params)
    self._tell()

  def offer(self, updates: int, params: types.Params) -> None:
    """Adds a snapshot if one is due; see `SnapshotPool.offer`.

    Raises:
      RunError: If its file can't be written.
    """
    if self._pool.is_due(updates):
      # Later updates may take the arrays' memory.
      copied = jax.tree.map(np.array, params)
      try:
        self._pool.offer(updates, copied)
      except OSError as error:
        raise errors.RunError(errors.describe_os_error(error)) from error
      self._publisher.publish_coplayers(self._pool.params)
    if self._told != self._pool.numbers:
      self._tell()

  def _tell(self) -> None:
    """Tells the curriculum which snapshots there are; later if it is away."""
    numbers = self._pool.numbers
    try:
      self._curriculum.call("set_snapshots", numbers, timeout=_SECONDS)
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
