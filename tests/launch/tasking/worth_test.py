"""Tests of adaland.launch.tasking.worth, with made-up rewards."""

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.envs.sampling import families
from adaland.launch import errors
from adaland.launch.tasking import worth

_TASKS = [families.make("traps").held_out().task(i) for i in range(3)]


class WorthTest(absltest.TestCase):
  def _measure(self, best):
    """Returns the result if the n-th player gets n seconds per trial."""
    calls = []

    def play(env, tasks, make_policy, seed, on_progress):
      del env, make_policy
      self.assertEqual(seed, 7)
      on_progress(1.0)
      calls.append([task.trials for task in tasks])
      return [np.full(2, len(calls)) for _ in tasks]

    def expert_rewards(tasks, make_land, seed, progress):
      self.assertEqual(seed, 7)
      progress(1, len(tasks))
      return np.array(best)

    self.enter_context(absltest.mock.patch.object(worth.rollout, "play", play))
    self.enter_context(
      absltest.mock.patch.object(worth.expert, "expert_rewards", expert_rewards)
    )
    said = []
    result = worth.measure(_TASKS, 2, land.LandConfig(), 7, said.append)
    self.assertEqual(calls, [[2] * 3] * len(worth.PLAYERS))
    self.assertEqual(
      said, [*(f"{name} plays: 100%" for name in worth.PLAYERS), "expert: 33%"]
    )
    return result

  def test_scores_by_trial_without_the_tasks_that_have_none(self):
    result = self._measure([4.0, 0.0, 0.8])
    # One second of 4 s, and one of 0.8 s.
    forgetful = result["by_trial"]["forgetful"]
    np.testing.assert_allclose(forgetful["mean"], [0.75, 0.75])
    np.testing.assert_allclose(forgetful["stderr"], [0.5, 0.5])
    np.testing.assert_allclose(result["by_trial"]["explorer"]["mean"], 1.5)
    self.assertEqual(result["unscored"], ["traps test 1"])
    self.assertEqual((result["num_tasks"], result["trials"]), (3, 2))
    text = worth.table(result)
    self.assertIn("| forgetful | 0.75 ± 0.50 | 0.75 ± 0.50 |", text)
    self.assertIn("2 of 3 held-out tasks, ", text)
    self.assertIn("; it got none on the others.", text)

  def test_where_all_have_a_score_no_others_are_named(self):
    text = worth.table(self._measure([4.0, 1.0, 2.0]))
    self.assertEndsWith(text, "scored by the scripted expert's reward.")

  def test_refuses_tasks_without_any_score(self):
    with self.assertRaisesRegex(
      errors.UserError, "the expert gets no reward on 3 tasks, allowed: tasks"
    ):
      self._measure([0.0, 0.0, 0.0])


if __name__ == "__main__":
  absltest.main()
