"""Tests of adaland.launch.roles.actor_channel and board, without Ray."""

import time

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.launch.roles import actor_channel, parameters
from tests.launch.roles import fakes


def _until(condition, seconds=10.0):
  deadline = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < deadline, "it took too long"
    time.sleep(0.002)


class _Desk:
  """Gives tasks 0, 1, ...; remembers what it was told."""

  def __init__(self):
    self.told = []
    self.given = 0
    self.failing = False

  def exchange(self, who, steps, first, records, wanted):
    if self.failing:
      raise ConnectionError("gone")
    self.told.append((who, steps, first, [r.key for r in records]))
    tasks = list(range(self.given, self.given + wanted))
    self.given += wanted
    return tasks


def _record(key):
  return base.EpisodeRecord(key, True, np.zeros(1), 0.0, 0.0, 0.0)


class BoardTest(absltest.TestCase):
  def test_what_is_known_is_not_given_again(self):
    made = parameters.Board()
    self.assertEqual(made.read(0), parameters.Notice())
    made.post_params(5, 2, ["reference"])
    made.post_replay("there")
    notice = parameters.Notice(5, 2, ("reference",), "there")
    self.assertEqual(made.read(0), notice)
    self.assertEqual(made.read(4), notice)
    self.assertEqual(made.read(5), notice._replace(params=()))


class BoardReaderTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.board = parameters.Board()
    self.gone = False

  def look_up(self, notice):
    return None if self.gone else {"w": notice.params[0]}

  def make(self):
    return actor_channel.BoardReader(
      fakes.Peer(self.board), 3600.0, self.look_up
    )

  def test_parameters_are_taken_once(self):
    made = self.make()
    self.board.post_params(5, 2, ["x"])
    made.poll()
    newest = made.new_params()
    assert newest is not None
    self.assertEqual((newest.version, newest.params), (2, {"w": "x"}))
    made.poll()
    self.assertIsNone(made.new_params())

  def test_those_of_a_learner_that_went_back_are_taken_too(self):
    made = self.make()
    self.board.post_params(5, 9, ["x"])
    made.poll()
    self.board.post_params(6, 3, ["y"])
    made.poll()
    newest = made.new_params()
    assert newest is not None
    self.assertEqual(newest.version, 3)

  def test_those_that_are_gone_are_looked_for_again(self):
    made = self.make()
    self.board.post_params(5, 2, ["x"])
    self.gone = True
    made.poll()
    self.assertIsNone(made.new_params())
    self.gone = False
    made.poll()
    self.assertIsNotNone(made.new_params())

  def test_a_board_that_was_restarted_takes_nothing_back(self):
    self.board.post_replay("there")
    made = self.make()
    _until(lambda: made.replay() == "there")
    self.board.__init__()
    made.poll()
    self.assertEqual(made.replay(), "there")

  def test_a_board_that_is_gone_is_told(self):
    made = actor_channel.BoardReader(fakes.Peer(_Gone()), 3600.0, self.look_up)

    def told():
      try:
        made.new_params()
      except ConnectionError:
        return True
      return False

    _until(told)
    with self.assertRaises(ConnectionError):
      made.replay()


class _Gone:
  def read(self, stamp):
    raise ConnectionError("gone")


class RayChannelTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(
      absltest.mock.patch.object(actor_channel, "_TELL_SECONDS", 0.01)
    )
    self.desk = _Desk()
    reader = actor_channel.BoardReader(fakes.Peer(parameters.Board()), 3600.0)
    self.channel = actor_channel.RayChannel(fakes.Peer(self.desk), reader)

  def test_tasks_come_in_order(self):
    found = [self.channel.next_task() for _ in range(12)]
    self.assertEqual(found, list(range(12)))

  def test_totals_and_numbered_records(self):
    self.channel.count_steps(3)
    _until(lambda: self.desk.told and self.desk.told[-1][1] == 3)
    self.channel.report(_record(7))
    _until(lambda: any(told[3] == [7] for told in self.desk.told))
    self.channel.report(_record(8))
    self.channel.count_steps(4)
    _until(lambda: any(told[3] == [8] for told in self.desk.told))
    _until(lambda: self.desk.told[-1][1] == 7)
    records = [told[2:] for told in self.desk.told if told[3]]
    self.assertEqual(records, [(0, [7]), (1, [8])])
    self.assertLen({told[0] for told in self.desk.told}, 1)

  def test_without_parameters(self):
    self.assertIsNone(self.channel.new_params())
    self.assertEqual(self.channel.version, -1)

  def test_what_goes_wrong_reaches_the_actor(self):
    self.channel.next_task()
    self.desk.failing = True

    def failed():
      try:
        self.channel.count_steps(1)
      except ConnectionError:
        return True
      return False

    _until(failed)
    with self.assertRaises(ConnectionError):
      self.channel.next_task()


if __name__ == "__main__":
  absltest.main()
