"""A store in the process that owns it, for threads and for encoded unrolls.

Every column is one array [capacity, ...]; item number i is in row i % capacity,
so the oldest item is overwritten first and a batch is one gather per column.
Rows that were never written use no memory.
"""

import contextlib
import glob
import json
import os
import threading
from typing import IO

import numpy as np

from adaland.agent import types
from adaland.agent.replay import base, saved
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec

_FILE = "replay.npz"


class InMemoryReplay:
  """A store of the newest unrolls, safe to use from many threads.

  It is its own store, writer and sampler: `writer()` and `sampler()` give
  handles whose `close` leaves the store alone.
  """

  def __init__(
    self,
    config: ReplayConfig,
    spec: UnrollSpec,
    seed: int = 0,
  ):
    """Makes an empty store.

    Args:
      config: The store's settings.
      spec: Fields, shapes and dtypes of one unroll.
      seed: Seed of the draws.
    """
    self._config = config
    self._spec = spec
    self._limits = config.rate_limits()
    self._rng = np.random.Generator(np.random.PCG64(seed))
    self._rows = [
      np.zeros((config.capacity, *c.shape), c.wire_dtype) for c in spec.columns
    ]
    self._inserts = 0
    self._samples = 0
    self._oldest = 0  # Number of the oldest item stored.
    self._closed = False
    self._changed = threading.Condition()

  def writer(self) -> "_Handle":
    """Returns an actor's end."""
    return _Handle(self)

  def sampler(self) -> "_Handle":
    """Returns the learner's end."""
    return _Handle(self)

  def info(self) -> base.Counts:
    """Returns the numbers of items stored, inserted and sampled."""
    with self._changed:
      return base.Counts(self._size(), self._inserts, self._samples)

  def insert(self, unroll: types.Unroll) -> None:
    """Copies one unroll into the store.

    Raises:
      ValueError: If the unroll does not fit the spec.
      TimeoutError: If the store accepted nothing for `insert_timeout` seconds;
        the unroll was not stored.
    """
    self._insert(self._spec.flatten(unroll))

  def insert_encoded(self, data: bytes) -> None:
    """Stores an unroll encoded by `UnrollSpec.encode` in any process."""
    self._insert(self._spec.decode(data))

  def _insert(self, arrays: list[np.ndarray]) -> None:
    timeout = self._config.insert_timeout
    with self._changed:
      if not self._changed.wait_for(self._may_insert, timeout):
        raise TimeoutError(
          f"Replay took no unroll for {timeout:g} s: "
          f"{self._inserts} inserted, {self._samples} sampled."
        )
      self._check_open()
      row = self._inserts % self._config.capacity
      for rows, array in zip(self._rows, arrays, strict=True):
        rows[row] = array
      self._inserts += 1
      self._oldest = max(self._oldest, self._inserts - self._config.capacity)
      self._changed.notify_all()

  def sample(self, timeout: float | None = None) -> types.Unroll:
    """Returns one batch, every leaf [B, ...], owned by the caller.

    Args:
      timeout: Seconds to wait; None waits until there is a batch.

    Raises:
      TimeoutError: If no batch was ready in time.
    """
    with self._changed:
      if not self._changed.wait_for(self._may_sample, timeout):
        raise TimeoutError(
          f"Replay had no batch of {self._config.batch_size} for "
          f"{timeout:g} s: {self._inserts} inserted, {self._samples} sampled."
        )
      self._check_open()
      drawn = self._draw()
      batch = [rows[drawn] for rows in self._rows]
      self._samples += self._config.batch_size
      if self._config.sampling == "queue":
        self._oldest += self._config.batch_size
      self._changed.notify_all()
    return self._spec.unflatten(batch)

  def checkpoint(self, path: str) -> None:
    """Writes the store's content, counters and generator into `path`.

    Args:
      path: A directory, to which no other process writes; the file in it is
        replaced atomically.
    """
    os.makedirs(path, exist_ok=True)
    target = os.path.join(path, _FILE)
    # Whole copies, left by processes that were killed while writing.
    for remains in glob.glob(f"{glob.escape(target)}.*.tmp"):
      with contextlib.suppress(FileNotFoundError):
        os.remove(remains)
    aside = f"{target}.{os.getpid()}.tmp"
    with self._changed:
      rows = self._row(np.arange(self._size()))
      arrays = {
        f"column_{i}": column[rows] for i, column in enumerate(self._rows)
      }
      arrays["counters"] = np.array([self._inserts, self._samples], np.int64)
      arrays["columns"] = np.array(self._spec.to_json())
      arrays["generator"] = np.array(json.dumps(self._rng.bit_generator.state))
    try:
      with open(aside, "wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
      os.replace(aside, target)
    finally:
      if os.path.exists(aside):
        os.remove(aside)

  def restore(self, path: str) -> None:
    """Reads back the checkpoint in `path`.

    If the capacity differs, the newest items that fit are kept.

    Raises:
      FileNotFoundError: If there is none.
      ValueError: If it is broken or holds other fields.
    """
    source = os.path.join(path, _FILE)
    with open(source, "rb") as file:
      self.read(file, f"the checkpoint {source}")

  def read(self, file: IO[bytes], name: str) -> None:
    """Reads a whole checkpoint; a broken one changes nothing.

    Args:
      file: The file that `checkpoint` wrote.
      name: Name of the checkpoint, for errors.

    Raises:
      ValueError: If it is broken or holds other fields.
    """
    arrays, generator = saved.load(file, self._spec, name)
    stored = len(arrays["column_0"])
    inserts, samples = arrays["counters"].tolist()
    kept = min(stored, self._config.capacity)
    with self._changed:
      self._inserts, self._oldest = inserts, inserts - kept
      # Items that dropped out of a queue are never sampled.
      queue = self._config.sampling == "queue"
      self._samples = self._oldest if queue else samples
      rows = self._row(np.arange(kept))
      for i, column in enumerate(self._rows):
        column[rows] = arrays[f"column_{i}"][stored - kept :]
      self._rng = np.random.Generator(generator)
      self._changed.notify_all()

  def close(self) -> None:
    """Wakes all waiting threads, which then raise an error."""
    with self._changed:
      self._closed = True
      self._changed.notify_all()

  def _size(self) -> int:
    return self._inserts - self._oldest

  def _row(self, index: np.ndarray) -> np.ndarray:
    """Returns the rows of items given by index from the oldest."""
    return (self._oldest + index) % self._config.capacity

  def _may_insert(self) -> bool:
    return self._closed or self._limits.can_insert(self._inserts, self._samples)

  def _may_sample(self) -> bool:
    return self._closed or self._limits.can_sample(
      self._inserts, self._samples, self._size(), self._config.batch_size
    )

  def _check_open(self) -> None:
    if self._closed:
      raise RuntimeError("Replay is closed.")

  def _draw(self) -> np.ndarray:
    """Returns the rows of one batch, [B]."""
    size, n = self._size(), self._config.batch_size
    if self._config.sampling == "queue":
      return self._row(np.arange(n))
    return self._row(self._rng.integers(size, size=n))


class _Handle:
  """One user's end of the store."""

  def __init__(self, replay: InMemoryReplay):
    self.insert = replay.insert
    self.sample = replay.sample

  def close(self) -> None:
    """Does nothing: the store stays open."""
