"""A connection to a Reverb server that bounds every wait.

Most calls of Reverb's client wait forever while the server is unavailable, and
a client that lost its server reconnects to the same address only after seconds
of back-off. So after a loss a new client uses another spelling of the socket's
path, or another of this machine's loopback addresses (127.0.0.2, ...), which
has no back-off.
"""

import ipaddress
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from adaland.agent.replay import base
from adaland.agent.replay.reverb import binding, private, server
from adaland.agent.replay.spec import UnrollSpec

# ServerInfo's deadline is in whole seconds. On a busy machine a server may need
# more than one to answer, so the deadline doubles after each failure.
_INFO_TIMEOUT = 1
_MAX_INFO_TIMEOUT = 4

Address = str | Callable[[], str]


class Connection:
  """A client of one server, replaced when the server stops answering it."""

  def __init__(
    self,
    address: Address,
    spec: UnrollSpec,
    timeout: float = 10.0,
  ):
    """Connects and compares fields with the server.

    Args:
      address: 'unix:path' or 'host:port', or a function that returns it, for
        a server that may restart at another address; it returns an empty
        string while there is no server.
      spec: Fields, shapes and dtypes of one unroll here.
      timeout: Seconds to wait for the server.

    Raises:
      TimeoutError: If no server answered in time.
      ValueError: If the server holds other fields.
    """
    self._find = address if callable(address) else lambda: address
    self.address = ""
    self._spec = spec
    self._hosts: Iterator[str] = iter(())
    self._info_timeout = _INFO_TIMEOUT
    self.client: Any = None
    deadline = time.monotonic() + timeout
    while not self.renew():
      if time.monotonic() > deadline:
        where = self.address or "a known address"
        raise TimeoutError(f"No replay server at {where} for {timeout:g} s.")
      time.sleep(0.05)

  def answers(self) -> bool:
    """Returns True if the server answers this client now."""
    try:
      self.client.ServerInfo(self._info_timeout)
    except RuntimeError:
      return False
    self._info_timeout = _INFO_TIMEOUT
    return True

  def renew(self) -> bool:
    """Connects a new client at a new address if the server answers there."""
    address = self._find()
    if not address:
      return False
    if address != self.address:
      self.address, self._hosts = address, _addresses(address)
    client = binding.load().Client(next(self._hosts))
    try:
      tables = client.ServerInfo(self._info_timeout)
    except RuntimeError:
      self._info_timeout = min(2 * self._info_timeout, _MAX_INFO_TIMEOUT)
      return False
    self._check_fields(tables)
    self.client, self._info_timeout = client, _INFO_TIMEOUT
    return True

  def table_info(self) -> base.Counts:
    """Returns the table's counts.

    Raises:
      TimeoutError: If the server does not answer.
    """
    try:
      tables = self.client.ServerInfo(self._info_timeout)
    except RuntimeError as error:
      raise TimeoutError(f"No replay server at {self.address}.") from error
    for table in map(_fields, tables):
      if table[_NAME].decode() == server.TABLE:
        limiter = _fields(table.get(_LIMITER, b""))
        inserts, samples = (
          _fields(limiter.get(field, b"")).get(_COMPLETED, 0)
          for field in (_INSERT_STATS, _SAMPLE_STATS)
        )
        return base.Counts(table.get(_SIZE, 0), inserts, samples)
    raise ValueError(f"The server at {self.address} has no table of unrolls.")

  def _check_fields(self, tables: list[bytes]) -> None:
    prefix = server.COLUMNS_PREFIX
    for table in map(_fields, tables):
      name = table[_NAME].decode()
      if name.startswith(prefix):
        server_name = f"the replay server at {self.address}"
        self._spec.check_columns(name.removeprefix(prefix), server_name)
        return
    raise ValueError(f"The server at {self.address} is not a replay of ours.")


def _addresses(address: str) -> Iterator[str]:
  """Yields all spellings of an address on this machine, endlessly."""
  if address.startswith(private.PREFIX):
    return (
      private.spelling(address, k)
      for k in itertools.cycle(range(private.NUM_SPELLINGS))
    )
  host, port = address.rsplit(":", 1)
  try:
    loopback = ipaddress.ip_address(host).is_loopback
  except ValueError:
    loopback = host == "localhost"
  if not loopback:
    return itertools.repeat(address)
  return (f"127.0.0.{k}:{port}" for k in itertools.cycle(range(1, 255)))


# Fields of Reverb's TableInfo, RateLimiterInfo and RateLimiterCallStats
# messages in the protocol buffers' wire format, decoded here so that no process
# needs TensorFlow's message classes.
_SIZE, _NAME, _LIMITER = 7, 8, 5
_INSERT_STATS, _SAMPLE_STATS, _COMPLETED = 5, 6, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def _fields(message: bytes) -> dict[int, Any]:
  """Returns a message's fields by number; supports only numbers and bytes."""
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
  """Reads seven bits per byte, lowest first, until a byte lacks the top bit."""
  value = 0
  for shift in itertools.count(0, 7):
    byte = next(data)
    value |= (byte & 0x7F) << shift
    if byte < 0x80:
      return value
  return value
