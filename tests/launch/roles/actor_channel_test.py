"""Tests of adaland.launch.roles.actor_channel."""

import threading

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.launch.config import preset_configs
from adaland.launch.roles import actor_channel, parameters, role
from tests.launch.roles import fakes


class _Curriculum:
  """A curriculum server with tasks 0, 1, ... that remembers reports.

  Every third task has a snapshot as co-player, if there is one.
  """

  def __init__(self):
    self.reports = []
    self.given = 0
    self.snapshot: int | None = None
    self.failing = False

  def exchange(self, actor_id, steps, first, records, wanted):
    if self.failing:
      raise ConnectionError("gone")
    self.reports.append((actor_id, steps, first, [r.key for r in records]))
    keys = range(self.given, self.given + wanted)
    self.given += wanted
    return [
      base.Assignment(
        key, None, True, coplayer=0 if key % 3 else self.snapshot or 0
      )
      for key in keys
    ]


def _record(key):
  return base.EpisodeRecord(key, True, np.zeros(1), 0.0, 0.0, 0.0, 10.0)


class ActorChannelTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.curriculum = _Curriculum()
    self.server = parameters.ParameterServer(
      role.Setup(preset_configs.smoke(), "/")
    )
    self.store = fakes.Store()
    self.reader = parameters.Reader(fakes.Peer(self.server), 3600.0, self.store)
    self.channel = actor_channel.ActorChannel(
      fakes.Peer(self.curriculum),
      self.reader,
      report_seconds=0.01,
      coplayer_seconds=0.3,
    )

  def test_tasks_come_in_order(self):
    found = [self.channel.next_task().key for _ in range(12)]
    self.assertEqual(found, list(range(12)))

  def test_it_has_a_few_tasks_in_reserve(self):
    taken = self.channel.next_task().key
    fakes.until(lambda: self.curriculum.given >= taken + 5)
    self.channel.count_steps(1)
    fakes.until(lambda: self.curriculum.reports[-1][1] == 1)
    self.assertBetween(self.curriculum.given, taken + 5, taken + 9)

  def test_a_task_comes_with_its_co_player(self):
    for number in (4, 5):
      self.server.add_coplayer(number, self.store.put(f"params {number}"))
    self.curriculum.snapshot = 5
    while self.channel.next_task().coplayer != 5:
      pass
    self.assertEqual(self.channel.snapshot(5), "params 5")

  def test_the_co_players_used_last_are_kept(self):
    for number in (3, 4, 5):
      self.server.add_coplayer(number, self.store.put(f"params {number}"))
    read = self.enter_context(
      absltest.mock.patch.object(
        self.reader, "coplayer", side_effect=self.reader.coplayer
      )
    )
    with absltest.mock.patch.object(actor_channel, "_MAX_COPLAYERS", 2):
      for number in (3, 4, 3, 5, 3):
        self.assertTrue(self.channel._fetch_coplayer(number))
    asked = [call.args[0] for call in read.call_args_list]
    self.assertEqual(asked, [3, 4, 5])
    for number in (3, 5):
      self.assertEqual(self.channel.snapshot(number), f"params {number}")
    with self.assertRaises(KeyError):
      self.channel.snapshot(4)

  def test_an_older_snapshot_does_not_stand_in_for_one_about_to_be_sent(self):
    self.server.add_coplayer(4, self.store.put("params 4"))
    timer = threading.Timer(
      0.1, self.server.add_coplayer, (5, self.store.put("params 5"))
    )
    timer.start()
    self.addCleanup(timer.join)
    self.curriculum.snapshot = 5
    while self.channel.next_task().coplayer != 5:
      pass
    self.assertEqual(self.channel.snapshot(5), "params 5")

  def test_tasks_of_a_co_player_that_is_gone_are_left_out(self):
    self.curriculum.snapshot = 5
    keys = [self.channel.next_task().key for _ in range(9)]
    after_the_first_given = [key for key in keys if key > 3]
    self.assertNotEmpty(after_the_first_given)
    self.assertEqual([key for key in after_the_first_given if key % 3 == 0], [])

  def test_it_reports_totals_and_numbered_records(self):
    reports = self.curriculum.reports
    self.channel.count_steps(3)
    fakes.until(lambda: reports and reports[-1][1] == 3)
    self.channel.report(_record(7))
    fakes.until(lambda: any(report[3] == [7] for report in reports))
    self.channel.report(_record(8))
    self.channel.count_steps(4)
    fakes.until(lambda: any(report[3] == [8] for report in reports))
    fakes.until(lambda: reports[-1][1] == 7)
    records = [report[2:] for report in reports if report[3]]
    self.assertEqual(records, [(0, [7]), (1, [8])])
    self.assertLen({report[0] for report in reports}, 1)

  def test_it_knows_the_version_that_acts(self):
    self.assertIsNone(self.channel.new_params())
    self.assertEqual(self.channel.version, -1)
    self.server.publish(1, 6, self.store.put("w"))
    self.reader.poll()
    self.assertIsNotNone(self.channel.new_params())
    self.assertEqual(self.channel.version, 6)

  def test_an_error_reaches_the_actor(self):
    self.channel.next_task()
    self.curriculum.failing = True

    def failed():
      try:
        self.channel.count_steps(1)
      except ConnectionError:
        return True
      return False

    fakes.until(failed)
    with self.assertRaises(ConnectionError):
      self.channel.next_task()


if __name__ == "__main__":
  absltest.main()
