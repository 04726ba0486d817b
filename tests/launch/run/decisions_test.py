"""Tests of adaland.launch.run.decisions; see also counted_curriculum_test."""

import json
import pathlib

from absl.testing import absltest

from adaland.curriculum import base, coplayers
from adaland.envs.tasks import complexity
from adaland.launch.run import decisions
from tests.launch import fakes


def _decision(index, accepted=True):
  return base.Decision(index, accepted, "passes", 0.5)


class DecisionLogTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.asked: list[int] = []

  def task_of(self, index):
    self.asked.append(index)
    return fakes.make_task(trials=1 + index % 8)

  def lines(self):
    text = (self.folder / decisions.FILE).read_text()
    return [json.loads(line) for line in text.splitlines()]

  def test_of_a_pair_task_and_co_player_are_logged(self):
    log = decisions.DecisionLog(str(self.folder), self.task_of, paired=True)
    pair = coplayers.join(7, coplayers.RANDOM)
    log.add([_decision(pair), _decision(8)], 30)
    log.flush()
    self.assertEqual(
      [(each["task"], each["coplayer"]) for each in self.lines()],
      [(7, "random"), (8, "self")],
    )
    self.assertEqual(self.asked, [7, 8])

  def test_without_pairs_there_is_no_co_player(self):
    log = decisions.DecisionLog(str(self.folder), self.task_of)
    pair = coplayers.join(7, coplayers.RANDOM)
    log.add([_decision(pair)], 30)
    log.flush()
    [line] = self.lines()
    self.assertEqual(line["task"], pair)
    self.assertNotIn("coplayer", line)

  def test_the_complexity_of_the_first_of_many_is_measured(self):
    log = decisions.DecisionLog(str(self.folder), self.task_of)
    with absltest.mock.patch.object(decisions, "_MOST_MEASURED", 2):
      log.add([_decision(index) for index in range(4)], 30)
      log.flush()
    lines = self.lines()
    self.assertEqual([each["task"] for each in lines], [0, 1, 2, 3])
    self.assertEqual(
      ["complexity" in each for each in lines], [True, True, False, False]
    )
    self.assertEqual(self.asked, [0, 1])
    self.assertEqual(
      lines[1]["complexity"], complexity.measures(fakes.make_task(trials=2))
    )

  def test_means_are_of_accepted_and_of_refused_tasks(self):
    log = decisions.DecisionLog(str(self.folder), self.task_of)
    log.add([_decision(0), _decision(1), _decision(4, accepted=False)], 30)
    log.flush()
    # The mean of 1 and 2 trials, the former of which counts 0.99 times.
    means = log.metrics()
    self.assertAlmostEqual(means["accepted/trials"], 2.99 / 1.99)
    self.assertAlmostEqual(means["refused/trials"], 5.0)

  def test_what_could_not_be_written_is_written_once_when_it_can(self):
    folder = self.folder / "run"
    log = decisions.DecisionLog(str(folder), self.task_of)
    for index in (1, 2):
      log.add([_decision(index)], 10 * index)
      with self.assertRaisesRegex(OSError, decisions.FILE):
        log.flush()
    folder.mkdir()
    for index in (3, 4):
      log.add([_decision(index)], 10 * index)
      log.flush()
    text = (folder / decisions.FILE).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    self.assertEqual(
      [(each["env_steps"], each["task"]) for each in lines],
      [(10, 1), (20, 2), (30, 3), (40, 4)],
    )
    self.assertEqual(self.asked, [1, 2, 3, 4])

  def test_the_oldest_of_many_that_wait_are_dropped(self):
    with absltest.mock.patch.object(decisions, "_MOST_WAITING", 2):
      log = decisions.DecisionLog(str(self.folder), self.task_of)
    log.add([_decision(index) for index in range(3)], 30)
    log.flush()
    self.assertEqual([each["task"] for each in self.lines()], [1, 2])

  def test_a_long_log_is_thinned_evenly(self):
    def log(numbers):
      for number in numbers:
        made.add([_decision(number), _decision(100 + number)], number)
        made.flush()

    with absltest.mock.patch.object(decisions, "_MOST_BYTES", 3000):
      made = decisions.DecisionLog(str(self.folder), self.task_of)
      log(range(3))
      self.assertNotIn("one_in", self.lines()[0])
      log(range(3, 20))
      [rate] = {line["one_in"] for line in self.lines()}
      self.assertEqual(rate, 8)
      # A run that resumes goes on at that rate.
      made = decisions.DecisionLog(str(self.folder), self.task_of)
      log(range(20, 24))
    found = [line["task"] for line in self.lines()]
    self.assertEqual(found, [0, 4, 8, 12, 16, 20])
    self.assertEqual({line["one_in"] for line in self.lines()}, {rate})

  def test_damaged_lines_are_dropped(self):
    whole = {"env_steps": 3, "task": 5}
    for first in ("[]", "{", "\xff", '{"one_in": "x", "task": 0}'):
      lines = [first, "{}", json.dumps(whole), "{}", "[]", "{}"]
      path = self.folder / decisions.FILE
      path.write_bytes("".join(f"{x}\n" for x in lines).encode("latin-1"))
      log = decisions.DecisionLog(str(self.folder), self.task_of)
      log.add([_decision(7)], 30)
      with absltest.mock.patch.object(decisions, "_MOST_BYTES", 10):
        log.flush()
      found = self.lines()
      self.assertEqual({line["one_in"] for line in found}, {2}, first)
      self.assertEqual([x["task"] for x in found if x["task"]], [5, 7], first)

  def test_without_decisions_there_is_no_file(self):
    log = decisions.DecisionLog(str(self.folder), self.task_of)
    log.add([], 30)
    log.flush()
    log.drop_lost(10)
    self.assertEmpty(list(self.folder.iterdir()))


if __name__ == "__main__":
  absltest.main()
