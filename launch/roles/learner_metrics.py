"""What the learner gives out: parameters, and what its updates say."""

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

import jax

from adaland.launch.roles import peer

# A board that was restarted is told within this time.
_POST_SECONDS = 2.0


def put(params: Any) -> Any:
  """Stores parameters for all machines; returns a reference to them."""
  import ray

  return ray.put(params)


class Publisher:
  """Puts up parameters from a thread, the newest only, again and again.

  Args:
    board: Where.
    put: Stores parameters; returns a reference.
    quiet_seconds: Time between two publications, which cost the more of the
      engine's work the more there are of them.
  """

  def __init__(
    self,
    board: peer.Peer,
    put: Callable[[Any], Any],
    quiet_seconds: float = 0.0,
  ):
    self._board = board
    self._put = put
    self._quiet_seconds = quiet_seconds
    self._changed = threading.Event()
    self._newest: tuple[int, Any] | None = None
    # Kept: what nobody refers to is dropped from the store.
    self._posted: tuple[int, int, list[Any]] | None = None
    self._closed = threading.Event()
    self._thread = threading.Thread(target=self._run, daemon=True)
    self._thread.start()

  def publish(self, version: int, params: Any) -> None:
    """Has parameters put up; leaves must be NumPy arrays."""
    self._newest = version, params
    self._changed.set()

  def _run(self) -> None:
    while not self._closed.is_set():
      self._changed.wait(_POST_SECONDS)
      self._changed.clear()
      self._try_to_post()
      self._closed.wait(self._quiet_seconds)
    self._try_to_post()

  def _try_to_post(self) -> None:
    try:
      self.post()
    except Exception:
      # The next may go well; without this thread, none would.
      logging.exception("cannot publish parameters")

  def close(self) -> None:
    """Ends the thread, with the newest put up."""
    self._closed.set()
    self._changed.set()
    self._thread.join()

  def post(self) -> None:
    """Puts up the newest, or once more what hangs there already."""
    newest, self._newest = self._newest, None
    if newest is not None:
      version, params = newest
      stamp = secrets.randbits(63) + 1
      self._posted = stamp, version, [self._put(params)]
    if self._posted is not None:
      self._board.call("post_params", *self._posted)


class Sums:
  """Sums of what updates say, for a reader who takes differences.

  Values stay where they were computed until somebody asks.
  """

  def __init__(self):
    self._lock = threading.Lock()
    self._reading = threading.Lock()
    self._waiting: list[Mapping[str, Any]] = []
    self._sums: dict[str, float] = {}
    self._steps = 0
    self._lag = 0.0
    self._count = 0

  def add(self, values: Mapping[str, Any], steps: int, lag: float) -> None:
    """See `learning.Report.add`."""
    with self._lock:
      self._waiting.append(values)
      self._steps += steps
      # Unrolls of parameters that were lost with a learner are from ahead.
      self._lag += max(0.0, lag)
      self._count += 1

  def read(self) -> dict[str, Any]:
    """Number of updates, steps learned from, and sums by name."""
    with self._reading:
      with self._lock:
        waiting, self._waiting = self._waiting, []
        count, steps, lag = self._count, self._steps, self._lag
      # Updates under way are waited for here, and not by the learner.
      for values in jax.device_get(waiting):
        for name, value in values.items():
          self._sums[name] = self._sums.get(name, 0.0) + float(value)
      return {
        "count": count,
        "learned": steps,
        "lag_sum": lag,
        "sums": dict(self._sums),
      }
