"""The two ends of a Reverb server: an actor's writer, the learner's sampler.

One unroll is one item: every column is appended once and referenced as a whole,
never step by step. Every wait is bounded, and both ends survive a restart of
the server.
"""

import logging
import queue
import threading
import time
from typing import Any

import numpy as np

from adaland.agent import types
from adaland.agent.replay.reverb import binding, server
from adaland.agent.replay.reverb.connection import Address, Connection
from adaland.agent.replay.spec import UnrollSpec

__all__ = ["Connection", "ReverbSampler", "ReverbWriter"]

# The first elements of a sample: key, probability, table size, priority,
# times sampled; the columns follow.
_NUM_INFO = 5
# Priority of every item; neither of the selectors in use reads it.
_PRIORITY = 1.0
# Seconds between two checks of a connection that delivers nothing.
_POLL_SECONDS = 0.5


class ReverbWriter:
  """An actor's end, with at most one unconfirmed unroll in flight.

  If a server dies before it confirms an unroll, the writer sends the unroll to
  the next server, so an unroll may be stored twice but is not lost.
  """

  def __init__(
    self,
    address: Address,
    spec: UnrollSpec,
    insert_timeout: float = 10.0,
  ):
    """Connects; raises as Connection does.

    Args:
      address: See Connection.
      spec: Fields, shapes and dtypes of one unroll.
      insert_timeout: Seconds an insert may wait.
    """
    self._spec = spec
    self._timeout = insert_timeout
    self._connection = Connection(address, spec)
    self._writer = self._new_writer()
    self._unconfirmed: list[np.ndarray] | None = None

  def insert(self, unroll: types.Unroll) -> None:
    """Sends one unroll, once the previous one is confirmed.

    Raises:
      ValueError: If the unroll does not fit the spec.
      TimeoutError: If the previous one was not confirmed in time; this one was
        not sent.
    """
    arrays = [array.copy() for array in self._spec.flatten(unroll)]
    self.settle(self._timeout)
    self._unconfirmed = arrays
    self._send()

  def settle(self, timeout: float) -> None:
    """Waits until the last unroll is confirmed, across server restarts.

    Args:
      timeout: Seconds to wait at most.

    Raises:
      TimeoutError: If it was not confirmed in time; it stays in flight.
    """
    deadline = time.monotonic() + timeout
    while self._unconfirmed is not None:
      left = deadline - time.monotonic()
      try:
        self._writer.Flush(0, int(1000 * max(0.01, min(left, 1.0))))
        self._unconfirmed = None
      except RuntimeError as error:
        if left <= 0:
          raise TimeoutError(
            f"Replay at {self._connection.address} confirmed no unroll for "
            f"{timeout:g} s."
          ) from error
        # A server that answers is only waiting for the learner to sample.
        if not self._connection.answers() and self._connection.renew():
          self._writer.Close()
          self._writer = self._new_writer()
          self._send()

  def close(self) -> None:
    """Waits at most two seconds for the last unroll to arrive."""
    try:
      self.settle(2.0)
    except TimeoutError as error:
      logging.warning("An unroll may be lost: %s", error)
    self._writer.Close()

  def _new_writer(self) -> Any:
    pybind = binding.load()
    chunks = pybind.ConstantChunkerOptions(1, 1)
    return self._connection.client.NewTrajectoryWriter(chunks, False)

  def _send(self) -> None:
    """Hands the unconfirmed unroll to the thread that sends it."""
    if self._unconfirmed is None:
      return
    cells = self._writer.Append(self._unconfirmed)
    self._writer.CreateItem(
      server.TABLE,
      _PRIORITY,
      [[cell] for cell in cells],
      [True] * len(cells),
    )


class ReverbSampler:
  """The learner's end: a thread draws items and stacks them into batches.

  Another thread reconnects when the server was unavailable.
  """

  def __init__(
    self,
    address: Address,
    spec: UnrollSpec,
    batch_size: int,
    prefetch: int = 2,
    buffer_size: int | None = None,
  ):
    """Connects and starts drawing; raises as Connection does.

    Args:
      address: See Connection.
      spec: Fields, shapes and dtypes of one unroll.
      batch_size: Items in a batch.
      prefetch: Batches kept ready; they are drawn before they are requested.
      buffer_size: Items in flight; None for a batch. A queue loses the items in
        flight when this process dies: use 1 there.
    """
    self._spec = spec
    self._batch_size = batch_size
    self._buffer_size = buffer_size or batch_size
    self._connection = Connection(address, spec)
    self._ready: queue.Queue[types.Unroll] = queue.Queue(prefetch)
    self._items: list[list[np.ndarray]] = []
    self._lock = threading.Lock()
    self._closed = threading.Event()
    self._failure: Exception | None = None
    self._drawn = 0
    self._newest_thread = 0
    self._thread = self._start_thread()
    threading.Thread(
      target=self._watch, name="replay-sampler-watch", daemon=True
    ).start()

  def sample(self, timeout: float | None = None) -> types.Unroll:
    """Returns one batch, every leaf [B, ...].

    Raises:
      TimeoutError: If no batch was ready in time.
      ValueError: If a server with other fields now has the address.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while not self._closed.is_set():
      if self._failure is not None:
        raise self._failure
      left = 1.0 if deadline is None else deadline - time.monotonic()
      try:
        return self._ready.get(timeout=max(0.001, min(left, 1.0)))
      except queue.Empty:
        if deadline is not None and time.monotonic() >= deadline:
          raise TimeoutError(
            f"Replay at {self._connection.address} had no batch of "
            f"{self._batch_size} for {timeout:g} s."
          ) from None
    raise RuntimeError("The sampler is closed.")

  def close(self) -> None:
    """Tells the threads to stop: Reverb cannot wake a waiting one."""
    self._closed.set()

  def _start_thread(self) -> threading.Thread:
    self._newest_thread += 1
    sampler = self._connection.client.NewSampler(
      server.TABLE, -1, self._buffer_size
    )
    thread = threading.Thread(
      target=self._draw,
      args=(sampler, self._newest_thread),
      name="replay-sampler",
      daemon=True,
    )
    thread.start()
    return thread

  def _watch(self) -> None:
    """Draws over a new connection when the old one is broken.

    Reverb's own sampler finds a restarted server, but only after a back-off
    that grows, with the time without a server, to minutes. Callers may use
    short timeouts, so a thread watches the connection instead.
    """
    drawn = -1
    while not self._closed.wait(_POLL_SECONDS):
      drawn_before, drawn = drawn, self._drawn
      if drawn != drawn_before or self._ready.full():
        continue
      # A server that answers is only waiting for the actors to insert.
      if self._thread.is_alive() and self._connection.answers():
        continue
      try:
        if self._connection.renew():
          self._thread = self._start_thread()
      except ValueError as error:
        self._failure = error
        return

  def _draw(self, sampler: Any, number: int) -> None:
    """Draws until closed or until another thread takes over."""
    while number == self._newest_thread and not self._closed.is_set():
      try:
        item = sampler.GetNextTrajectory()
      except RuntimeError as error:
        logging.warning("Sampling stopped: %s", error)
        return
      self._drawn += 1
      batch = self._add(item[_NUM_INFO:])
      while batch is not None and not self._closed.is_set():
        try:
          self._ready.put(batch, timeout=0.2)
          batch = None
        except queue.Full:
          continue

  def _add(self, columns: list[np.ndarray]) -> types.Unroll | None:
    """Returns a batch when the item completes one."""
    with self._lock:
      self._items.append(columns)
      if len(self._items) < self._batch_size:
        return None
      items, self._items = self._items, []
    return self._spec.stack(items)
