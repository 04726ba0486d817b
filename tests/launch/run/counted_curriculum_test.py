"""Tests of adaland.launch.run.counted_curriculum."""

import json
import os
import pathlib

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base, paired, uniform
from adaland.envs.tasks import complexity
from adaland.launch.run import counted_curriculum, decisions
from tests.launch import fakes
from tests.launch.run import file_limit


def _uniform(seed=0):
  return uniform.UniformCurriculum(lambda i: fakes.make_task(str(i)), seed)


def _rewarded(*rewards):
  return base.EpisodeRecord(
    0, True, np.array(rewards, np.float32), 0.0, 0.0, 0.0, 10.0
  )


class _Deciding(uniform.UniformCurriculum):
  """A curriculum that takes even tasks and refuses odd ones."""

  def __init__(self):
    super().__init__(lambda i: fakes.make_task(str(i)), 0)
    self._number = 0

  def take_decisions(self):
    self._number += 1
    index, even = self._number, self._number % 2 == 0
    return [base.Decision(index, even, "even" if even else "odd", 0.5)]


class CountedCurriculumTest(absltest.TestCase):
  def test_tasks_are_the_curriculum_s(self):
    made = counted_curriculum.CountedCurriculum(_uniform(3))
    self.assertEqual(made.next_tasks(4), _uniform(3).next_tasks(4))
    self.assertEqual(made.curriculum_metrics()["tasks_drawn"], 4)

  def test_counts(self):
    made = counted_curriculum.CountedCurriculum(_uniform())
    made.count_steps(7)
    made.count_steps(5)
    made.report(_rewarded(1.0))
    made.count_episodes(3)
    self.assertEqual(made.counters(), {"env_steps": 12, "episodes": 4})

  def test_rewards_by_trial_of_episodes_of_different_length(self):
    made = counted_curriculum.CountedCurriculum(_uniform())
    self.assertEqual(made.trial_rewards(), [])
    made.report(_rewarded(1.0, 2.0))
    made.report(_rewarded(3.0, 5.0, 6.0))
    made.report(_rewarded(5.0))
    self.assertEqual(made.trial_rewards(), [3.0, 3.5, 6.0])

  def test_only_recent_episodes_are_shown(self):
    made = counted_curriculum.CountedCurriculum(_uniform())
    for _ in range(200):
      made.report(_rewarded(1.0))
    self.assertEqual(made.trial_rewards(), [1.0])
    for _ in range(200):
      made.report(_rewarded(4.0))
    self.assertEqual(made.trial_rewards(), [4.0])

  def test_an_episode_s_reward_is_not_the_sum_over_trials(self):
    made = counted_curriculum.CountedCurriculum(_uniform())
    self.assertEqual(made.episode_reward(), 0.0)
    made.report(_rewarded(2.0))
    made.report(_rewarded(2.0, 2.0, 2.0, 2.0))
    self.assertEqual(made.trial_rewards(), [2.0] * 4)
    self.assertEqual(made.episode_reward(), 5.0)

  def test_guided_episodes_count_but_are_no_rewards_of_the_agent(self):
    made = counted_curriculum.CountedCurriculum(_uniform())
    made.report(_rewarded(2.0))
    made.report(_rewarded(8.0, 8.0)._replace(guided=True))
    self.assertEqual(made.counters()["episodes"], 2)
    self.assertEqual(made.trial_rewards(), [2.0])
    self.assertEqual(made.episode_reward(), 2.0)

  def test_only_a_curriculum_of_pairs_learns_of_snapshots(self):
    pairs = absltest.mock.Mock(spec=paired.PairedCurriculum)
    for curriculum in (pairs, _uniform()):
      made = counted_curriculum.CountedCurriculum(curriculum)
      made.set_snapshots([3, 4])
    pairs.set_snapshots.assert_called_once_with([3, 4])

  def test_it_goes_on_from_its_state(self):
    one, two = (
      counted_curriculum.CountedCurriculum(_uniform(1)),
      counted_curriculum.CountedCurriculum(_uniform(2)),
    )
    one.next_tasks(3)
    one.count_steps(9)
    one.report(_rewarded(1.0))
    two.load_state_dict(one.state_dict())
    self.assertEqual(two.counters(), {"env_steps": 9, "episodes": 1})
    self.assertEqual(two.next_tasks(2), one.next_tasks(2))

  def test_decisions_are_logged_with_the_task_s_complexity(self):
    folder = self.create_tempdir().full_path
    log = decisions.DecisionLog(folder, lambda i: fakes.make_task(str(i)))
    made = counted_curriculum.CountedCurriculum(_Deciding(), log)
    for _ in range(2):
      made.count_steps(10)
      made.log_decisions()
    with open(os.path.join(folder, decisions.FILE)) as file:
      first, second = map(json.loads, file)
    measures = complexity.measures(fakes.make_task("1"))
    self.assertEqual(
      first,
      {
        "env_steps": 10,
        "task": 1,
        "accepted": False,
        "why": "odd",
        "score": 0.5,
        "complexity": measures,
      },
    )
    self.assertEqual((second["env_steps"], second["why"]), (20, "even"))
    metrics = made.curriculum_metrics()
    for kind in ("accepted", "refused"):
      self.assertAlmostEqual(
        metrics[f"{kind}/initial_objects"], measures["initial_objects"]
      )

  def test_decisions_that_are_taken_again_are_dropped(self):
    folder = self.create_tempdir().full_path
    log = decisions.DecisionLog(folder, lambda i: fakes.make_task(str(i)))
    made = counted_curriculum.CountedCurriculum(_Deciding(), log)
    path = os.path.join(folder, decisions.FILE)
    for _ in range(3):
      made.count_steps(10)
      made.log_decisions()
    with open(path, "a") as file:
      file.write('{"env_steps": 20, "task"')  # A full disk, say.
    again = counted_curriculum.CountedCurriculum(_Deciding(), log)
    again.count_steps(20)
    again.drop_lost_decisions()
    with open(path) as file:
      steps = [json.loads(line)["env_steps"] for line in file]
    self.assertEqual(steps, [10, 20])

  def test_decisions_that_a_full_disk_cuts_short_are_written_later(self):
    folder = self.create_tempdir().full_path
    log = decisions.DecisionLog(folder, lambda i: fakes.make_task(str(i)))
    made = counted_curriculum.CountedCurriculum(_Deciding(), log)
    path = pathlib.Path(folder, decisions.FILE)
    made.count_steps(10)
    made.log_decisions()
    made.count_steps(10)
    with (
      file_limit.at(path.stat().st_size + 5),
      self.assertLogs(level="WARNING") as logs,
    ):
      made.log_decisions()
      made.count_steps(10)
      made.state_dict()
      made.count_steps(10)
      made.log_decisions()
    [warning] = logs.output
    self.assertIn("decisions.jsonl: File too large; decisions are k", warning)
    made.log_decisions()
    steps = [json.loads(x)["env_steps"] for x in path.read_text().splitlines()]
    self.assertEqual(steps, [10, 20, 30, 40, 40])

  def test_decisions_before_a_checkpoint_have_no_later_step(self):
    folder = self.create_tempdir().full_path
    log = decisions.DecisionLog(folder, lambda i: fakes.make_task(str(i)))
    made = counted_curriculum.CountedCurriculum(_Deciding(), log)
    made.count_steps(10)
    state = made.state_dict()
    made.count_steps(10)
    made.log_decisions()
    again = counted_curriculum.CountedCurriculum(_Deciding(), log)
    again.load_state_dict(state)
    again.drop_lost_decisions()
    with open(os.path.join(folder, decisions.FILE)) as file:
      [line] = map(json.loads, file)
    self.assertEqual((line["env_steps"], line["task"]), (10, 1))

  def test_a_curriculum_without_decisions_has_no_log(self):
    folder = self.create_tempdir().full_path
    log = decisions.DecisionLog(folder, lambda i: fakes.make_task(str(i)))
    made = counted_curriculum.CountedCurriculum(_uniform(), log)
    made.log_decisions()
    self.assertEmpty(os.listdir(folder))


if __name__ == "__main__":
  absltest.main()
