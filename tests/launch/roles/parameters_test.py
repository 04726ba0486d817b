"""Tests of adaland.launch.roles.parameters."""

import time

from absl.testing import absltest

from adaland.launch.config import preset_configs
from adaland.launch.roles import parameters, role
from tests.launch.roles import fakes


def _server():
  return parameters.ParameterServer(role.Setup(preset_configs.smoke(), "/run"))


class ParameterServerTest(absltest.TestCase):
  def test_a_known_reference_is_not_sent_again(self):
    server = _server()
    self.assertEqual(server.read(0), parameters.Snapshot())
    server.publish(5, 2, "reference")
    server.set_replay_address("there")
    snapshot = parameters.Snapshot(5, 2, "reference", "there")
    self.assertEqual(server.read(0), snapshot)
    # Stamps have no order.
    for stamp in (4, 6):
      self.assertEqual(server.read(stamp), snapshot)
    self.assertEqual(server.read(5), snapshot._replace(reference=None))

  def test_the_co_player_nearest_in_age_stands_in(self):
    server = _server()
    self.assertIsNone(server.coplayer(4))
    self.assertEqual(server.keep_coplayers(1, [4, 6]), [4, 6])
    for number in (4, 6):
      server.add_coplayer(number, f"reference {number}")
    self.assertEqual(server.keep_coplayers(1, [6, 7]), [7])
    self.assertEqual(server.coplayer(6), "reference 6")
    self.assertEqual(server.coplayer(4), "reference 6")
    # The parameters of this snapshot have yet to be sent.
    self.assertIsNone(server.coplayer(7))
    # Snapshots of a learner that died may be lost.
    self.assertEqual(server.keep_coplayers(2, [6, 7]), [6, 7])
    self.assertIsNone(server.coplayer(6))


class PublisherTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.server = _server()
    self.peer = fakes.Peer(self.server)
    self.store = fakes.Store()

  def make(self, min_seconds=0.0, repeat_seconds=3600.0):
    made = parameters.Publisher(
      self.peer, self.store, min_seconds, repeat_seconds
    )
    self.addCleanup(made.close)
    return made

  def test_a_restarted_server_gets_the_same_snapshot_again(self):
    self.make(repeat_seconds=0.01).publish(1, "a")
    fakes.until(lambda: self.server.read(0).version == 1)
    first = self.server.read(0)
    self.peer.role = _server()
    fakes.until(lambda: self.peer.role.read(0) == first)
    self.assertEqual(self.store.kept, ["a"])

  def test_co_players_are_sent_once_and_again_to_a_restarted_server(self):
    made = self.make(repeat_seconds=0.01)
    made.publish_coplayers({3: "a", 4: "b"})
    fakes.until(lambda: self.server.coplayer(4) is not None)
    made.publish_coplayers({4: "b", 5: "c"})
    fakes.until(lambda: self.sent(4, 5) == ["b", "c"])
    self.assertEqual(self.server.coplayer(3), self.server.coplayer(4))
    self.peer.role = _server()
    fakes.until(lambda: self.sent(4, 5) == ["b", "c"])
    self.assertEqual(self.store.kept, ["a", "b", "c"])

  def sent(self, *numbers):
    """Returns the parameters that the server gives for co-players."""
    found = [self.peer.role.coplayer(number) for number in numbers]
    return [each and self.store.get(each) for each in found]

  def test_publications_keep_their_distance_but_the_last(self):
    made = self.make(min_seconds=3600.0)
    made.publish(1, "a")
    fakes.until(lambda: self.server.read(0).version == 1)
    made.publish(2, "b")
    made.publish(3, "c")
    time.sleep(0.05)
    self.assertEqual(self.server.read(0).version, 1)
    made.close()
    self.assertEqual(self.server.read(0).version, 3)
    self.assertEqual(self.store.kept, ["a", "c"])

  def test_parameters_that_come_while_others_are_stored_are_sent_too(self):
    made = self.make()
    put = self.store.put

    def put_slowly(params):
      if params == "a":
        made.publish(2, "b")
      return put(params)

    with absltest.mock.patch.object(self.store, "put", put_slowly):
      made.publish(1, "a")
      fakes.until(lambda: self.server.read(0).version == 2)
    self.assertEqual(self.store.kept, ["a", "b"])

  def test_a_failure_does_not_end_it(self):
    self.store.failing = True
    made = self.make()
    with self.assertLogs(level="ERROR"):
      made.publish(1, "a")
      fakes.until(lambda: self.store.failures == 1)
    self.store.failing = False
    made.publish(2, "b")
    fakes.until(lambda: self.server.read(0).version == 2)

  def test_parameters_that_could_not_be_stored_are_sent_later(self):
    self.store.failing = True
    made = self.make(repeat_seconds=0.01)
    with self.assertLogs(level="ERROR"):
      made.publish(1, "a")
      fakes.until(lambda: self.store.failures > 0)
    self.store.failing = False
    fakes.until(lambda: self.server.read(0).version == 1)
    self.assertEqual(self.store.kept, ["a"])

  def test_parameters_that_could_not_be_stored_are_sent_at_the_end(self):
    self.store.failing = True
    made = self.make()
    with self.assertLogs(level="ERROR"):
      made.publish(1, "a")
      fakes.until(lambda: self.store.failures > 0)
    self.store.failing = False
    made.close()
    self.assertEqual(self.server.read(0).version, 1)


class ReaderTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.server = _server()
    self.store = fakes.Store()

  def make(self, server=None):
    return parameters.Reader(
      fakes.Peer(server or self.server), 3600.0, self.store
    )

  def test_parameters_are_taken_once(self):
    made = self.make()
    self.server.publish(5, 2, self.store.put("x"))
    made.poll()
    newest = made.new_params()
    assert newest is not None
    self.assertEqual((newest.version, newest.params), (2, "x"))
    made.poll()
    self.assertIsNone(made.new_params())

  def test_older_ones_of_a_learner_that_was_restarted_are_taken(self):
    made = self.make()
    self.server.publish(5, 9, self.store.put("x"))
    made.poll()
    self.server.publish(6, 3, self.store.put("y"))
    made.poll()
    newest = made.new_params()
    assert newest is not None
    self.assertEqual(newest.version, 3)

  def test_lost_ones_are_asked_for_again(self):
    made = self.make()
    self.server.publish(5, 2, self.store.put("x"))
    self.store.lost = True
    made.poll()
    self.assertIsNone(made.new_params())
    self.store.lost = False
    made.poll()
    self.assertIsNotNone(made.new_params())

  def test_without_a_store_only_the_address_is_read(self):
    made = parameters.Reader(fakes.Peer(self.server), 0.01)
    self.server.publish(5, 2, self.store.put("x"))
    self.server.set_replay_address("there")
    fakes.until(lambda: made.replay_address() == "there")
    self.assertIsNone(made.new_params())

  def test_without_a_store_there_are_no_co_players(self):
    self.server.add_coplayer(3, self.store.put("x"))
    self.assertEqual(self.make().coplayer(3), "x")
    self.assertIsNone(self.make().coplayer(4))
    made = parameters.Reader(fakes.Peer(self.server), 3600.0)
    self.assertIsNone(made.coplayer(3))

  def test_an_address_is_kept_while_a_restarted_server_lacks_it(self):
    self.server.set_replay_address("there")
    made = self.make()
    fakes.until(lambda: made.replay_address() == "there")
    self.server.set_replay_address("")
    made.poll()
    self.assertEqual(made.replay_address(), "there")

  def test_a_server_that_is_gone_for_good_is_an_error(self):
    made = self.make(_Gone())

    def fails():
      try:
        made.new_params()
      except ConnectionError:
        return True
      return False

    fakes.until(fails)
    with self.assertRaises(ConnectionError):
      made.replay_address()


class _Gone:
  def read(self, known_stamp):
    raise ConnectionError("gone")


if __name__ == "__main__":
  absltest.main()
