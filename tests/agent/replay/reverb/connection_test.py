"""Tests of connection on a fake server."""

import numpy as np
from absl.testing import absltest

from adaland.agent.replay import base
from adaland.agent.replay.reverb import connection, server
from tests.agent.replay import fake_reverb


class ConnectionTest(fake_reverb.FakeServerTest):
  def test_counts(self):
    client = connection.Connection(fake_reverb.ADDRESS, fake_reverb.SPEC)
    self.assertEqual(
      client.table_info(),
      base.Counts(size=3, inserts=300, samples=2**35),
    )
    # Such messages omit zeros.
    self.server.tables[1] = fake_reverb.message({8: server.TABLE.encode()})
    self.assertEqual(client.table_info(), (0, 0, 0))

  def test_a_server_that_is_away_is_a_timeout(self):
    client = connection.Connection(fake_reverb.ADDRESS, fake_reverb.SPEC)
    self.assertTrue(client.answers())
    self.server.up = False
    self.assertFalse(client.answers())
    self.assertFalse(client.renew())
    with self.assertRaisesRegex(
      TimeoutError, f"No replay server.*{fake_reverb.ADDRESS}"
    ):
      client.table_info()
    with self.assertRaisesRegex(
      TimeoutError, f"{fake_reverb.ADDRESS} for 0.1 s"
    ):
      connection.Connection(fake_reverb.ADDRESS, fake_reverb.SPEC, timeout=0.1)

  def test_every_new_client_has_an_address_of_its_own(self):
    client = connection.Connection(fake_reverb.ADDRESS, fake_reverb.SPEC)
    self.server.restart()
    self.assertFalse(client.answers())
    self.assertTrue(client.renew())
    self.assertTrue(client.answers())
    self.assertEqual(self.server.addresses, ["127.0.0.1:7", "127.0.0.2:7"])

  def test_a_server_is_followed_to_another_address(self):
    addresses = ["", "", "127.0.0.1:7"]
    client = connection.Connection(
      lambda: addresses.pop(0) if len(addresses) > 1 else addresses[0],
      fake_reverb.SPEC,
    )
    self.assertEqual(client.address, "127.0.0.1:7")
    self.server.restart()
    addresses[0] = "10.0.0.7:9"
    self.assertTrue(client.renew())
    self.assertEqual(self.server.addresses, ["127.0.0.1:7", "10.0.0.7:9"])
    addresses[0] = ""  # It is away.
    self.assertFalse(client.renew())

  def test_without_an_address_there_is_no_server(self):
    with self.assertRaisesRegex(TimeoutError, "at a known address for 0.1 s"):
      connection.Connection(lambda: "", fake_reverb.SPEC, timeout=0.1)

  def test_a_server_that_is_slow_gets_more_time(self):
    client = connection.Connection(fake_reverb.ADDRESS, fake_reverb.SPEC)
    self.server.restart()
    self.server.needs_seconds = 4
    tries = [client.renew() for _ in range(3)]
    self.assertEqual(tries, [False, False, True])
    self.assertEqual(self.server.timeouts, [1, 1, 2, 4])
    self.server.needs_seconds = 1
    self.assertTrue(client.answers())
    self.assertEqual(self.server.timeouts[-1], 1)

  def test_other_servers_are_refused(self):
    for tables, message in (
      ([fake_reverb.message({8: b"my_table"})], "is not a replay of ours"),
      (
        [fake_reverb.message({8: (server.COLUMNS_PREFIX + "[]").encode()})],
        "Field observation.*is unknown to the replay server",
      ),
    ):
      self.server.tables = tables
      with self.assertRaisesRegex(ValueError, message):
        connection.Connection(fake_reverb.ADDRESS, fake_reverb.SPEC)

  def test_a_server_without_the_table_is_refused(self):
    client = connection.Connection(fake_reverb.ADDRESS, fake_reverb.SPEC)
    del self.server.tables[1]
    with self.assertRaisesRegex(ValueError, "has no table of unrolls"):
      client.table_info()


class FieldsTest(absltest.TestCase):
  def test_reads_numbers_and_texts(self):
    # Field 1: 150 as a varint; 2: 'testing'; 3: a double; 4: 4 bytes; 5: {1: 3}
    message = (
      b"\x08\x96\x01"
      b"\x12\x07testing"
      b"\x19" + np.float64(1.0).tobytes() + b"\x25\x01\x02\x03\x04"
      b"\x2a\x02\x08\x03"
    )
    fields = connection._fields(message)
    self.assertEqual(fields[1], 150)
    self.assertEqual(fields[2], b"testing")
    self.assertEqual(np.frombuffer(fields[3])[0], 1.0)
    self.assertEqual(fields[4], b"\x01\x02\x03\x04")
    self.assertEqual(connection._fields(fields[5]), {1: 3})

  def test_groups_are_refused(self):
    with self.assertRaisesRegex(ValueError, "Unknown wire type 3"):
      connection._fields(b"\x0b")


class AddressesTest(absltest.TestCase):
  def test_what_is_on_this_machine_has_many_names_and_others_one(self):
    def three(address):
      names = connection._addresses(address)
      return [next(names) for _ in range(3)]

    private = [
      "unix:/f/././././././././1",
      "unix:/f/./././././././//1",
      "unix:/f/././././././//./1",
    ]
    self.assertEqual(three("unix:/f/1"), private)
    names = connection._addresses("unix:/f/1")
    self.assertLen({next(names) for _ in range(300)}, 256)
    local = ["127.0.0.1:7", "127.0.0.2:7", "127.0.0.3:7"]
    self.assertEqual(three("127.0.0.1:7"), local)
    self.assertEqual(three("localhost:7"), local)
    self.assertEqual(three("10.1.2.3:7"), ["10.1.2.3:7"] * 3)
    self.assertEqual(three("node:7"), ["node:7"] * 3)


if __name__ == "__main__":
  absltest.main()
