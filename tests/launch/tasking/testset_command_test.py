"""Tests of adaland tasks testset and replay, without any play."""

import contextlib
import io
import json
import os

import numpy as np
from absl.testing import absltest

from adaland.envs.sampling.config import SamplerConfig
from adaland.launch import tasks
from adaland.launch.tasking import testset, witness

_CONFIG = SamplerConfig(split="test", trial_seconds=(2, 2))
_STEPS = 15


def _made(num_tasks):
  """Returns a test set whose first task alone got a reward: half a trial's."""
  none = np.zeros((_STEPS, 1, 6), np.int8)
  found = [witness.Witness(float(i == 0), i, none) for i in range(num_tasks)]
  return testset.TestSet(_CONFIG, "abc", found)


def _call(*argv):
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = tasks.main(list(argv))
  return code, out.getvalue(), err.getvalue()


class CommandTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.path = os.path.join(self.create_tempdir().full_path, "set.npz")

  def test_a_test_set_is_played_and_written(self):
    asked = []

    def make(num_tasks, num_players, seed, progress):
      asked.append((num_tasks, num_players, seed))
      progress(1, num_tasks)
      return _made(num_tasks)

    with absltest.mock.patch.object(testset, "make", make):
      argv = ("testset", f"--out={self.path}", "--num_tasks=4")
      code, out, err = _call(*argv, "--num_players=2", "--seed=3", "--json=-")
      self.assertEqual(code, 0, err)
      self.assertIn("1 of 4 tasks played", err)
      self.assertEqual(
        json.loads(out),
        {
          "num_tasks": 4,
          "num_players": 1,
          "num_rewarded": 1,
          "mean_reward_share": 0.125,
        },
      )
      code, out, err = _call(*argv, "--num_players=3")
      self.assertEqual((code, out), (2, ""))
      self.assertIn("--num_players=3: allowed: 1 to 2", err)
      _, out, _ = _call("testset", f"--out={self.path}")
    self.assertEqual(asked, [(4, 2, 3), (1000, 1, 0)])
    self.assertIn("num_rewarded: 1\n", out)
    self.assertLen(testset.load(self.path).witnesses, 1000)

  def test_tasks_replayed_are_spread_over_the_set(self):
    with open(self.path, "wb") as file:
      file.write(testset.encode(_made(10)))
    for wanted, indices in ((4, [0, 2, 5, 7]), (99, [*range(10)])):
      with absltest.mock.patch.object(
        testset, "check", return_value=[]
      ) as check:
        code, out, _ = _call("replay", self.path, f"--num_tasks={wanted}")
      self.assertEqual(code, 0)
      self.assertEqual(check.call_args.args[1], indices)
      self.assertIn(f"replayed: {len(indices)}\n", out)

  def test_rewards_that_differ_are_an_error(self):
    with open(self.path, "wb") as file:
      file.write(testset.encode(_made(10)))
    with absltest.mock.patch.object(testset, "check", return_value=[3, 5]):
      code, out, err = _call("replay", self.path)
    self.assertEqual((code, out), (2, ""))
    self.assertIn("rewards of the tasks [3, 5] of 10 replayed differ", err)


if __name__ == "__main__":
  absltest.main()
