"""Tests of adaland.launch.evaluation.scores."""

import json

import numpy as np
from absl.testing import absltest

from adaland.launch.evaluation import scores

_IDS = ["a", "b", "c", "d"]


def _summary():
  rewards = {
    1: np.array([[0.0], [1.0], [2.0], [5.0]]),
    3: np.array([[1.0, 0, 2], [0, 0, 2], [0, 1, 4], [7, 8, 9]]),
  }
  return scores.summary("agent", _IDS, rewards, [2.0, 4.0, 4.0, 0.0])


class ScoresTest(absltest.TestCase):
  def test_numbers_by_hand(self):
    result = _summary()
    self.assertEqual(result["trials"], [1, 3])
    self.assertEqual(result["reward"]["mean"], {"1": 2.0, "3": 4.25})
    # s² of 0 1 2 5 is (4 + 1 + 0 + 9) / 3.
    self.assertAlmostEqual(result["reward"]["stderr"]["1"], np.sqrt(14 / 3) / 2)
    # Task d has no score: the expert gets nothing there.
    self.assertEqual((result["num_tasks"], result["num_scored"]), (4, 3))
    score = result["score"]
    self.assertAlmostEqual(score["mean"]["1"], (0 + 0.25 + 0.5) / 3)
    self.assertAlmostEqual(score["median"]["1"], 0.25)
    self.assertAlmostEqual(score["median"]["3"], 1.0)
    self.assertAlmostEqual(score["p20"]["1"], 0.1)
    self.assertAlmostEqual(score["stderr"]["1"], 0.25 / np.sqrt(3))
    self.assertEqual(
      result["tasks"][3],
      {
        "id": "d",
        "rewards": {"1": 5.0, "3": 9.0},
        "trial_rewards": [7.0, 8.0, 9.0],
        "expert": 0.0,
      },
    )
    json.dumps(result)

  def test_any_reward_of_the_expert_gives_a_score(self):
    rewards = {1: np.array([[1.0], [3.0]])}
    result = scores.summary("agent", ["a", "b"], rewards, [0.5, 0.0])
    self.assertEqual(result["score"]["mean"], {"1": 2.0})
    self.assertEqual(result["by_trial"], {"mean": [2.0], "stderr": [0.0]})
    self.assertEqual(result["num_scored"], 1)

  def test_trials_of_the_longest_episodes(self):
    # Scores of tasks a, b, c: .5 0 1, 0 0 .5, 0 .25 1.
    found = _summary()["by_trial"]
    np.testing.assert_allclose(found["mean"], [0.5 / 3, 0.25 / 3, 2.5 / 3])
    # s² of each is (4 + 1 + 1) / 9 / 2 of the unit .5, .25 and .5.
    np.testing.assert_allclose(
      found["stderr"], [0.5 / 3, 0.25 / 3, 0.5 / 3], atol=1e-12
    )

  def test_the_longest_episodes_need_not_be_the_last(self):
    rewards = {2: np.array([[1.0, 3.0]]), 1: np.array([[8.0]])}
    result = scores.summary("agent", ["a"], rewards, [2.0])
    self.assertEqual(result["by_trial"]["mean"], [0.5, 1.5])
    self.assertEqual(result["tasks"][0]["trial_rewards"], [1.0, 3.0])

  def test_standard_errors_of_few(self):
    self.assertEqual(scores.standard_error(np.array([3.0])), 0.0)
    # s = √2.
    self.assertAlmostEqual(scores.standard_error(np.array([1.0, 3.0])), 1.0)

  def test_bootstrap_of_the_median(self):
    self.assertEqual(scores.median_error(np.full(5, 3.0)), 0.0)
    # The median of 101 uniform numbers has standard deviation 1 / (2 √103).
    values = (np.arange(101) + 0.5) / 101
    self.assertAlmostEqual(
      scores.median_error(values), 1 / (2 * np.sqrt(103)), delta=0.01
    )

  def test_no_solvable_task(self):
    result = scores.summary("noop", ["a"], {2: np.zeros((1, 2))}, [0.0])
    self.assertEqual(result["score"]["mean"], {})
    self.assertEqual(result["by_trial"], {"mean": [], "stderr": []})
    text = scores.table([result])
    self.assertIn("| noop | - |", text)
    self.assertIn("0 of 1", text)
    self.assertNotIn("score in each trial", text)

  def test_table(self):
    text = scores.table([_summary()])
    self.assertIn("| k=1 | k=3 |", text)
    self.assertIn("| agent | 0.25 ± 0.14 | 0.83 ± 0.17 | 4.25 ± 1.65 s |", text)
    self.assertIn("3 of 4 held-out tasks", text)
    self.assertIn("| trial 1 | trial 2 | trial 3 |", text)
    self.assertIn("| agent | 0.17 ± 0.17 | 0.08 ± 0.08 | 0.83 ± 0.17 |", text)
    for taskset, tasks in (("2*traps", "held-out tasks"), ("probe", "tasks")):
      text = scores.table([_summary() | {"taskset": taskset}])
      self.assertIn(f"3 of 4 {tasks}", text)

  def test_a_control_stands_below_its_policy(self):
    controlled = _summary()
    controlled["controls"] = {
      "swapped": {"by_trial": {"mean": [0.25] * 3, "stderr": [0.5] * 3}}
    }
    self.assertIn(
      "| agent, swapped memory | 0.25 ± 0.50 | 0.25 ±",
      scores.table([controlled]),
    )


if __name__ == "__main__":
  absltest.main()
