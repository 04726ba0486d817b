"""The two ends of a Reverb server: what actors write, what the learner draws.

One unroll is one item: every column is appended once and referred to whole,
never step by step. Most calls of Reverb's client wait for ever while a server
is away, and a client that lost its server comes back to the same address only
after seconds of back-off; so every wait here is bounded, and after a loss a
new client takes another of this machine's loopback addresses (127.0.0.2, ...),
which has no back-off.
"""

import ipaddress
import itertools
import logging
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from agent import types
from agent.replay import priorities as priorities_lib
from agent.replay import reverb_lite
from agent.replay import reverb_server as server_lib
from agent.replay import spec as spec_lib

# The first elements of a sample: key, probability, table size, priority,
# times sampled; the columns follow.
_NUM_INFO = 5
# ServerInfo counts its deadline in whole seconds.
_INFO_TIMEOUT = 1


class TableInfo(NamedTuple):
  """What a server says about its table."""

  size: int
  inserts: int
  samples: int


class Connection:
  """A client of one server, replaced by a fresh one when it stops answering."""

  def __init__(
    self, address: str, spec: spec_lib.UnrollSpec, timeout: float = 10.0
  ):
    """Connects and compares fields with the server.

    Args:
      address: 'host:port'.
      spec: What one unroll looks like here.
      timeout: Seconds to wait for the server.

    Raises:
      TimeoutError: If no server answered in time.
      ValueError: If the server holds other fields.
    """
    self.address = address
    self._spec = spec
    self._hosts = _addresses(address)
    self.client: Any = None
    deadline = time.monotonic() + timeout
    while not self.renew():
      if time.monotonic() > deadline:
        raise TimeoutError(f"No replay server at {address} for {timeout:g} s.")
      time.sleep(0.05)

  def answers(self) -> bool:
    """Whether the server answers this client now."""
    try:
      self.client.ServerInfo(_INFO_TIMEOUT)
    except RuntimeError:
      return False
    return True

  def renew(self) -> bool:
    """Takes a client on a fresh address if the server answers that."""
    client = reverb_lite.load().Client(next(self._hosts))
    try:
      tables = client.ServerInfo(_INFO_TIMEOUT)
    except RuntimeError:
      return False
    self._check_fields(tables)
    self.client = client
    return True

  def table_info(self) -> TableInfo:
    """Returns the table's counts.

    Raises:
      TimeoutError: If the server does not answer.
    """
    try:
      tables = self.client.ServerInfo(_INFO_TIMEOUT)
    except RuntimeError as error:
      raise TimeoutError(f"No replay server at {self.address}.") from error
    for table in map(_fields, tables):
      if table[_NAME].decode() == server_lib.TABLE:
        limiter = _fields(table.get(_LIMITER, b""))
        inserts, samples = (
          _fields(limiter.get(field, b"")).get(_COMPLETED, 0)
          for field in (_INSERT_STATS, _SAMPLE_STATS)
        )
        return TableInfo(table.get(_SIZE, 0), inserts, samples)
    raise ValueError(f"The server at {self.address} has no table of unrolls.")

  def _check_fields(self, tables: list[bytes]) -> None:
    prefix = server_lib.COLUMNS_PREFIX
    for table in map(_fields, tables):
      name = table[_NAME].decode()
      if name.startswith(prefix):
        whose = f"the replay server at {self.address}"
        self._spec.check_columns(name.removeprefix(prefix), whose)
        return
    raise ValueError(f"The server at {self.address} is not a replay of ours.")


class ReverbWriter:
  """An actor's end: at most one unroll is on its way, unconfirmed.

  An unroll whose confirmation was lost with its server is sent again to the
  next one, so it may be stored twice but is not lost.
  """

  def __init__(
    self,
    address: str,
    spec: spec_lib.UnrollSpec,
    insert_timeout: float = 10.0,
  ):
    """Connects; see Connection for what it raises.

    Args:
      address: 'host:port' of the server.
      spec: What one unroll looks like.
      insert_timeout: Seconds an insert may wait.
    """
    self._spec = spec
    self._timeout = insert_timeout
    self._connection = Connection(address, spec)
    self._writer = self._new_writer()
    self._unconfirmed: tuple[list[np.ndarray], float] | None = None

  def insert(self, unroll: types.Unroll, priority: float = 1.0) -> None:
    """Sends one unroll, once the one before it is confirmed.

    Raises:
      ValueError: If the unroll does not fit the spec.
      TimeoutError: If the one before was not confirmed in time; this one was
        not sent.
    """
    arrays = [array.copy() for array in self._spec.flatten(unroll)]
    self._settle(self._timeout)
    self._unconfirmed = arrays, priorities_lib.clip_priority(priority)
    self._send()

  def flush(self, timeout: float | None = None) -> None:
    """Waits until the last unroll is confirmed.

    Raises:
      TimeoutError: If it was not in time; it stays on its way.
    """
    self._settle(self._timeout if timeout is None else timeout)

  def close(self) -> None:
    """Waits at most two seconds for the last unroll to arrive."""
    try:
      self._settle(2.0)
    except TimeoutError as error:
      logging.warning("An unroll may be lost: %s", error)
    self._writer.Close()

  def _new_writer(self) -> Any:
    pybind = reverb_lite.load()
    chunks = pybind.ConstantChunkerOptions(1, 1)
    return self._connection.client.NewTrajectoryWriter(chunks, False)

  def _send(self) -> None:
    """Hands the unconfirmed unroll to the thread that sends it."""
    if self._unconfirmed is None:
      return
    arrays, priority = self._unconfirmed
    cells = self._writer.Append(arrays)
    self._writer.CreateItem(
      server_lib.TABLE,
      priority,
      [[cell] for cell in cells],
      [True] * len(cells),
    )

  def _settle(self, timeout: float) -> None:
    """Waits until nothing is on its way, over server restarts if need be."""
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


class ReverbSampler:
  """The learner's end: a thread draws items and stacks them into batches."""

  def __init__(
    self,
    address: str,
    spec: spec_lib.UnrollSpec,
    batch_size: int,
    prefetch: int = 2,
    buffer_size: int | None = None,
  ):
    """Connects, see Connection for what it raises, and starts to draw.

    Args:
      address: 'host:port' of the server.
      spec: What one unroll looks like.
      batch_size: Items in a batch.
      prefetch: Batches kept ready; they were drawn earlier than asked for.
      buffer_size: Items in flight; None for a batch. What was in flight in a
        process that dies is lost to a queue: choose 1 there.
    """
    self._spec = spec
    self._batch_size = batch_size
    self._buffer_size = buffer_size or batch_size
    self._connection = Connection(address, spec)
    self._ready: queue.Queue[types.Unroll] = queue.Queue(prefetch)
    self._items: list[list[np.ndarray]] = []
    self._lock = threading.Lock()
    self._closed = threading.Event()
    self._newest_thread = 0
    self._start_thread()

  def sample(self, timeout: float | None = None) -> types.Unroll:
    """Returns one batch, every leaf [B, ...].

    Raises:
      TimeoutError: If there was none in time.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while not self._closed.is_set():
      left = 2.0 if deadline is None else deadline - time.monotonic()
      try:
        return self._ready.get(timeout=max(0.001, min(left, 2.0)))
      except queue.Empty:
        if deadline is not None and time.monotonic() >= deadline:
          raise TimeoutError(
            f"Replay at {self._connection.address} had no batch of "
            f"{self._batch_size} for {timeout:g} s."
          ) from None
        if not self._connection.answers() and self._connection.renew():
          self._start_thread()
    raise RuntimeError("The sampler is closed.")

  def close(self) -> None:
    """Lets the thread go: Reverb has no way to wake it if it waits."""
    self._closed.set()

  def _start_thread(self) -> None:
    self._newest_thread += 1
    sampler = self._connection.client.NewSampler(
      server_lib.TABLE, -1, self._buffer_size
    )
    threading.Thread(
      target=self._draw,
      args=(sampler, self._newest_thread),
      name="replay-sampler",
      daemon=True,
    ).start()

  def _draw(self, sampler: Any, number: int) -> None:
    """Draws until closed, or until another thread took over."""
    while number == self._newest_thread and not self._closed.is_set():
      try:
        item = sampler.GetNextTrajectory()
      except RuntimeError as error:
        logging.warning("Sampling stopped: %s", error)
        return
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


def _addresses(address: str) -> Iterator[str]:
  """Yields an address and, on loopback, all its equals, round and round."""
  host, port = address.rsplit(":", 1)
  try:
    loopback = ipaddress.ip_address(host).is_loopback
  except ValueError:
    loopback = host == "localhost"
  if not loopback:
    return itertools.repeat(address)
  return (f"127.0.0.{k}:{port}" for k in itertools.cycle(range(1, 255)))


# Fields of Reverb's TableInfo, RateLimiterInfo and RateLimiterCallStats
# messages, and of the wire format of protocol buffers, read here so that no
# process needs TensorFlow's message classes.
_SIZE, _NAME, _LIMITER = 7, 8, 5
_INSERT_STATS, _SAMPLE_STATS, _COMPLETED = 5, 6, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def _fields(message: bytes) -> dict[int, Any]:
  """Returns the fields of a message by number; numbers and bytes only."""
  fields: dict[int, Any] = {}
  data = iter(message)
  for first in data:
    number, kind = divmod(_varint(itertools.chain([first], data)), 8)
    if kind == _VARINT:
      fields[number] = _varint(data)
    elif kind == _BYTES:
      fields[number] = bytes(itertools.islice(data, _varint(data)))
    elif kind in (_FIXED64, _FIXED32):
      fields[number] = bytes(itertools.islice(data, 8 if kind == 1 else 4))
    else:
      raise ValueError(f"Unknown wire type {kind} in a message of Reverb.")
  return fields


def _varint(data: Iterator[int]) -> int:
  """Reads seven bits a byte, the lowest first, until one has no top bit."""
  value = 0
  for shift in itertools.count(0, 7):
    byte = next(data)
    value |= (byte & 0x7F) << shift
    if byte < 0x80:
      return value
  return value
