"""Tests of agent.replay.reverb_client on a server that is made up.

What a real server does to it is in reverb_replay_test; here the server can be
told to stay away, to confirm nothing, or to come back empty.
"""

import queue

import numpy as np
from absl.testing import absltest

from agent.replay import priorities, reverb_client, reverb_lite
from agent.replay import reverb_server as server_lib
from agent.replay import spec as spec_lib
from tests.agent.replay import examples

_SPEC = spec_lib.UnrollSpec.from_unroll(examples.unroll())
_ADDRESS = "127.0.0.1:7"


def _message(fields):
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
  """A server and the Reverb module whose clients reach it."""

  ConstantChunkerOptions = staticmethod(lambda *args: args)

  def __init__(self):
    self.up = True
    self.confirms = True
    # Clients of an earlier life get no answer, as with Reverb.
    self.life = 0
    self.addresses = []
    self.stored = []
    self.items = queue.Queue()
    self.tables = [
      _message({8: (server_lib.COLUMNS_PREFIX + _SPEC.to_json()).encode()}),
      _message(
        {
          8: server_lib.TABLE.encode(),
          7: 3,
          5: _message({5: _message({2: 300}), 6: _message({2: 2**35})}),
        }
      ),
    ]

  def Client(self, address):  # noqa: N802 (Reverb's name)
    self.addresses.append(address)
    return FakeClient(self)

  def restart(self):
    self.life += 1


class FakeClient:
  """What reverb's C++ client does, as far as ours uses it."""

  def __init__(self, server):
    self._server = server
    self._life = server.life
    self._written = None

  def _reach(self):
    if not self._server.up or self._life != self._server.life:
      raise RuntimeError("deadline exceeded")

  def ServerInfo(self, timeout):  # noqa: N802
    del timeout
    self._reach()
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
    return self

  def GetNextTrajectory(self):  # noqa: N802
    number = self._server.items.get()
    if number is None:
      raise RuntimeError("cancelled")
    return [0, 0.5, 10, 1.0, 1, *_SPEC.flatten(examples.unroll(number))]


class _FakeServerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.server = FakeServer()
    self.enter_context(
      absltest.mock.patch.object(reverb_lite, "load", return_value=self.server)
    )


class ConnectionTest(_FakeServerTest):
  def test_counts(self):
    connection = reverb_client.Connection(_ADDRESS, _SPEC)
    self.assertEqual(
      connection.table_info(),
      reverb_client.TableInfo(size=3, inserts=300, samples=2**35),
    )
    # Zeros are left out of such messages.
    self.server.tables[1] = _message({8: server_lib.TABLE.encode()})
    self.assertEqual(connection.table_info(), (0, 0, 0))

  def test_a_server_that_is_away_is_a_timeout(self):
    connection = reverb_client.Connection(_ADDRESS, _SPEC)
    self.assertTrue(connection.answers())
    self.server.up = False
    self.assertFalse(connection.answers())
    self.assertFalse(connection.renew())
    with self.assertRaisesRegex(TimeoutError, f"No replay server.*{_ADDRESS}"):
      connection.table_info()
    with self.assertRaisesRegex(TimeoutError, f"{_ADDRESS} for 0.1 s"):
      reverb_client.Connection(_ADDRESS, _SPEC, timeout=0.1)

  def test_every_new_client_has_an_address_of_its_own(self):
    connection = reverb_client.Connection(_ADDRESS, _SPEC)
    self.server.restart()
    self.assertFalse(connection.answers())
    self.assertTrue(connection.renew())
    self.assertTrue(connection.answers())
    self.assertEqual(self.server.addresses, ["127.0.0.1:7", "127.0.0.2:7"])

  def test_other_servers_are_refused(self):
    for tables, message in (
      ([_message({8: b"my_table"})], "is not a replay of ours"),
      (
        [_message({8: (server_lib.COLUMNS_PREFIX + "[]").encode()})],
        "Field observation.*is unknown to the replay server",
      ),
    ):
      self.server.tables = tables
      with self.assertRaisesRegex(ValueError, message):
        reverb_client.Connection(_ADDRESS, _SPEC)

  def test_a_server_without_the_table_is_refused(self):
    connection = reverb_client.Connection(_ADDRESS, _SPEC)
    del self.server.tables[1]
    with self.assertRaisesRegex(ValueError, "has no table of unrolls"):
      connection.table_info()


class WriterTest(_FakeServerTest):
  def writer(self):
    return reverb_client.ReverbWriter(_ADDRESS, _SPEC, insert_timeout=0.1)

  def numbers(self):
    version = [c.name for c in _SPEC.columns].index("params_version")
    return [int(columns[version]) for _, _, columns, _ in self.server.stored]

  def test_items_are_whole_columns_with_clipped_priorities(self):
    writer = self.writer()
    writer.insert(examples.unroll(4), np.nan)
    writer.flush()
    [(table, priority, columns, squeeze)] = self.server.stored
    self.assertEqual(table, server_lib.TABLE)
    self.assertEqual(priority, priorities.MIN_PRIORITY)
    self.assertEqual(squeeze, [True] * len(_SPEC.columns))
    for column, expected in zip(
      columns, _SPEC.flatten(examples.unroll(4)), strict=True
    ):
      np.testing.assert_array_equal(column, expected)

  def test_at_most_one_is_on_its_way(self):
    self.server.confirms = False
    writer = self.writer()
    writer.insert(examples.unroll(1))
    with self.assertRaisesRegex(TimeoutError, "no unroll for 0.1 s"):
      writer.insert(examples.unroll(2))
    self.server.confirms = True
    writer.flush()
    self.assertEqual(self.numbers(), [1])  # The second was refused.
    writer.insert(examples.unroll(3))
    writer.close()
    self.assertEqual(self.numbers(), [1, 3])

  def test_what_a_dead_server_did_not_confirm_goes_to_the_next(self):
    writer = self.writer()
    writer.insert(examples.unroll(1))
    self.server.restart()
    writer.insert(examples.unroll(2))
    writer.flush()
    self.assertEqual(self.numbers(), [1, 2])


class SamplerTest(_FakeServerTest):
  def sampler(self, batch_size=2):
    sampler = reverb_client.ReverbSampler(_ADDRESS, _SPEC, batch_size)
    self.addCleanup(self.server.items.put, None)  # Ends its thread.
    self.addCleanup(sampler.close)
    return sampler

  def test_batches_are_stacked_in_order(self):
    sampler = self.sampler()
    for number in (5, 3, 8, 1, 9):
      self.server.items.put(number)
    for expected in ([5, 3], [8, 1]):
      batch = sampler.sample(timeout=5)
      self.assertEqual(batch.params_version.tolist(), expected)
    np.testing.assert_array_equal(batch.reward[1], examples.unroll(1).reward)
    with self.assertRaisesRegex(TimeoutError, "no batch of 2 for 0.05 s"):
      sampler.sample(timeout=0.05)
    # The fifth waits for its companion.
    self.server.items.put(2)
    self.assertEqual(sampler.sample(timeout=5).params_version.tolist(), [9, 2])

  def test_it_goes_on_with_a_server_that_came_back(self):
    sampler = self.sampler(batch_size=1)
    self.server.restart()
    self.server.items.put(None)  # The old connection breaks.
    with self.assertRaises(TimeoutError):
      sampler.sample(timeout=0.05)
    self.server.items.put(6)
    self.assertEqual(sampler.sample(timeout=5).params_version.tolist(), [6])

  def test_closed(self):
    sampler = self.sampler()
    sampler.close()
    with self.assertRaisesRegex(RuntimeError, "sampler is closed"):
      sampler.sample(timeout=1)


class FieldsTest(absltest.TestCase):
  def test_reads_numbers_and_texts(self):
    # Field 1: 150 as a varint; 2: 'testing'; 3: a double; 4: 4 bytes; 5: {1: 3}
    message = (
      b"\x08\x96\x01"
      b"\x12\x07testing"
      b"\x19" + np.float64(1.0).tobytes() + b"\x25\x01\x02\x03\x04"
      b"\x2a\x02\x08\x03"
    )
    fields = reverb_client._fields(message)
    self.assertEqual(fields[1], 150)
    self.assertEqual(fields[2], b"testing")
    self.assertEqual(np.frombuffer(fields[3])[0], 1.0)
    self.assertEqual(fields[4], b"\x01\x02\x03\x04")
    self.assertEqual(reverb_client._fields(fields[5]), {1: 3})

  def test_groups_are_refused(self):
    with self.assertRaisesRegex(ValueError, "Unknown wire type 3"):
      reverb_client._fields(b"\x0b")


class AddressesTest(absltest.TestCase):
  def test_loopback_has_many_names_and_others_one(self):
    def three(address):
      names = reverb_client._addresses(address)
      return [next(names) for _ in range(3)]

    local = ["127.0.0.1:7", "127.0.0.2:7", "127.0.0.3:7"]
    self.assertEqual(three("127.0.0.1:7"), local)
    self.assertEqual(three("localhost:7"), local)
    self.assertEqual(three("10.1.2.3:7"), ["10.1.2.3:7"] * 3)
    self.assertEqual(three("node:7"), ["node:7"] * 3)


# It has no tests of its own.
del _FakeServerTest


if __name__ == "__main__":
  absltest.main()
