"""A fake Reverb server, and a fake module for its clients.

Tests can make the server stay down, confirm nothing, or restart empty.
"""

import queue

from absl.testing import absltest

from adaland.agent.replay.reverb import binding, server
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples

SPEC = UnrollSpec.from_unroll(examples.unroll())
ADDRESS = "127.0.0.1:7"


def message(fields):
  """Writes a protocol buffer of numbers and bytes."""
  data = b""
  for number, value in fields.items():
    if isinstance(value, int):
      data += _varint(8 * number) + _varint(value)
    else:
      data += _varint(8 * number + 2) + _varint(len(value)) + value
  return data


def _varint(value):
  data = b""
  while value >= 0x80:
    data += bytes([value & 0x7F | 0x80])
    value >>= 7
  return data + bytes([value])


class FakeServer:
  """A fake server, and the Reverb module of its clients."""

  ConstantChunkerOptions = staticmethod(lambda *args: args)

  def __init__(self):
    self.up = True
    self.confirms = True
    # Seconds that `ServerInfo` takes, and the timeouts it was given.
    self.needs_seconds = 0
    self.timeouts = []
    # Whether samplers created from now on never draw anything.
    self.hangs = False
    # Clients from before a restart of the server get no answer, as in Reverb.
    self.life = 0
    self.addresses = []
    self.stored = []
    self.items = queue.Queue()
    self.tables = [
      message({8: (server.COLUMNS_PREFIX + SPEC.to_json()).encode()}),
      message(
        {
          8: server.TABLE.encode(),
          7: 3,
          5: message({5: message({2: 300}), 6: message({2: 2**35})}),
        }
      ),
    ]

  def Client(self, address):  # noqa: N802 (Reverb's name)
    self.addresses.append(address)
    return FakeClient(self)

  def restart(self):
    self.life += 1


class FakeClient:
  """The part of Reverb's C++ client that Adaland uses."""

  def __init__(self, server):
    self._server = server
    self._life = server.life
    self._written = None
    self._items = server.items

  def _reach(self):
    if not self._server.up or self._life != self._server.life:
      raise RuntimeError("deadline exceeded")

  def ServerInfo(self, timeout):  # noqa: N802
    self._server.timeouts.append(timeout)
    self._reach()
    if timeout < self._server.needs_seconds:
      raise RuntimeError("deadline exceeded")
    return self._server.tables

  def NewTrajectoryWriter(self, chunks, validate):  # noqa: N802
    del chunks, validate
    return self

  def Append(self, arrays):  # noqa: N802
    return arrays

  def CreateItem(self, table, priority, cells, squeeze):  # noqa: N802
    self._written = table, priority, [cell[0] for cell in cells], squeeze

  def Flush(self, keep, milliseconds):  # noqa: N802
    del keep, milliseconds
    self._reach()
    if not self._server.confirms:
      raise RuntimeError("timeout")
    if self._written is not None:
      self._server.stored.append(self._written)
      self._written = None

  def Close(self):  # noqa: N802
    self._written = None

  def NewSampler(self, table, samples, buffer):  # noqa: N802
    del table, samples, buffer
    self._items = queue.Queue() if self._server.hangs else self._server.items
    return self

  def GetNextTrajectory(self):  # noqa: N802
    number = self._items.get()
    if number is None:
      raise RuntimeError("cancelled")
    return [0, 0.5, 10, 1.0, 1, *SPEC.flatten(examples.unroll(number))]


class FakeServerTest(absltest.TestCase):
  """A test case with a `server` that all clients of the test connect to."""

  def setUp(self):
    super().setUp()
    self.server = FakeServer()
    self.enter_context(
      absltest.mock.patch.object(binding, "load", return_value=self.server)
    )
