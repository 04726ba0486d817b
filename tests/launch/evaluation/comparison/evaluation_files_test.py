"""Tests of adaland.launch.evaluation.comparison.evaluation_files."""

import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.evaluation import scores
from adaland.launch.evaluation.comparison import evaluation_files
from tests.launch.evaluation.comparison import evaluations
from tests.launch.evaluation.comparison.evaluations import evaluation


class ReadTest(evaluations.FolderTest):
  def test_what_an_evaluation_of_many_tasks_writes_is_read(self):
    ids = [f"traps:{i}" for i in range(1000)]
    rewards = np.random.Generator(np.random.PCG64(0)).random((1000, 24))
    content = {
      **scores.summary("agent", ids, {24: rewards}, [1.0] * 1000),
      "tasks_sha256": "abc",
      "controls": {"swapped": {"trial_rewards": rewards.tolist()}},
    }
    path = self.write("a.json", json.dumps(content, indent=1))
    self.assertGreater(pathlib.Path(path).stat().st_size, 10**6)
    found = evaluation_files.read(path)
    np.testing.assert_array_equal(found.rewards[""], rewards)
    np.testing.assert_array_equal(found.rewards[", swapped memory"], rewards)

  def test_an_evaluation_that_is_too_large_is_refused(self):
    path = self.write("a.json", evaluation())
    with (
      absltest.mock.patch.object(evaluation_files, "MAX_BYTES", 100),
      self.assertRaisesRegex(errors.UserError, "a.json: larger than 100 bytes"),
    ):
      evaluation_files.read(path)

  def test_an_own_environment_may_pay_less_than_nothing(self):
    rewards = [(-1.0, 2.0), (2.0, 4.0), (9.0, 9.0)]
    path = self.write("a.json", evaluation(rewards, environment="mine:Icy"))
    np.testing.assert_array_equal(
      evaluation_files.read(path).rewards[""], rewards
    )

  def test_one_pair_of_players_is_read(self):
    path = self.write("a.json", evaluation(coplayer="self", pairs=[{}]))
    self.assertEqual(evaluation_files.read(path).coplayer, "self")

  @parameterized.parameters(
    ("{", "no JSON"),
    ("[]", "is not a result of adaland evaluate"),
    ("{}", "is not a result of adaland evaluate"),
    ({"tasks_sha256": "a"}, "is not of the expected form"),
    (
      {"tasks_sha256": "a", "tasks": [{"expert": 1}]},
      "is not of the expected form",
    ),
    ({"tasks_sha256": "a", "tasks": 3}, "tasks is 3, allowed: a list of tasks"),
    ({"tasks_sha256": "a", "tasks": []}, "has no rewards by trial"),
    (evaluation([(1,), (2, 3), (1,)]), "trial_rewards of 1 to 2 trials, "),
    (
      evaluation([("1",), ("2",), ("3",)]),
      'trial_rewards is "1", allowed: a n',
    ),
    (
      evaluation() | {"tasks": [{"trial_rewards": "12", "expert": 1}]},
      'trial_rewards is "12", allowed: a list of rewards',
    ),
    (evaluation([(1,), (-2,), (3,)]), "trial_rewards is -2, allowed: a reward"),
    (evaluation(expert=(1, 2, "nan")), "expert is .*, allowed: a number"),
    (evaluation(expert=(1, 2, 1e-320)), "expert is .*, allowed: 0, or from"),
    (json.dumps(evaluation()).replace("9.0", "1e999"), "1e999 is given, allow"),
    (evaluation(tasks_sha256=3), "tasks_sha256 is 3, allowed: a text"),
    (evaluation(environment=3), "environment is 3, allowed: a text"),
    (evaluation(coplayer=3), "coplayer is 3, allowed: a text"),
    (evaluation(pairs=3), "pairs is 3, allowed: a list of pairs"),
    (evaluation(pairs=[{}, {}]), "has 2 pairs of players, allowed: one"),
    (evaluation(agent_sha256=[]), "agent_sha256 is .*, allowed: a text"),
    (
      evaluation(controls={"swapped": {"trial_rewards": [[1, 2]]}}),
      "has rewards on 1 tasks of 2 trials, allowed: 2 on each of 3",
    ),
  )
  def test_broken_files_are_refused_in_one_line(self, content, message):
    path = self.write("a.json", content)
    with self.assertRaisesRegex(errors.UserError, message) as caught:
      evaluation_files.read(path)
    self.assertIn(path, str(caught.exception))


if __name__ == "__main__":
  absltest.main()
