"""Tests of tests.launch.runtimes.random_kills."""

import os
import pathlib
import random
import subprocess
import types
from typing import Any

from absl.testing import absltest

from tests.launch.runtimes import random_kills


class PlanTest(absltest.TestCase):
  def test_all_kinds_come_before_any_comes_again(self):
    planned = random_kills.plan(random.Random(1), 25, random_kills.RAY)
    moments, kinds = zip(*planned, strict=True)
    self.assertLen(planned, 25)
    self.assertEqual(list(moments), sorted(moments))
    self.assertBetween(moments[0], 0.05, moments[-1])
    self.assertBetween(moments[-1], moments[0], 0.85)
    self.assertCountEqual(kinds[:10], random_kills.RAY)
    self.assertCountEqual(kinds[10:20], random_kills.RAY)

  def test_it_follows_from_the_seed(self):
    one, same, other = (
      random_kills.plan(random.Random(seed), 20, random_kills.RAY)
      for seed in (1, 1, 2)
    )
    self.assertEqual(one, same)
    self.assertNotEqual(one, other)


class ChaosTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.child = subprocess.Popen(["sleep", "600"])
    self.addCleanup(self.child.wait)
    self.addCleanup(self.child.kill)
    pids = {"actor 0": self.child.pid, "actor 1": 0, "learner": 1}
    self.run_: Any = types.SimpleNamespace(
      pid=1,
      path=pathlib.Path(self.create_tempdir().full_path),
      seen=lambda: types.SimpleNamespace(
        pids=pids, counters={"env_steps": 3.0}
      ),
      processes=lambda: [self.child.pid],
    )
    self.said = []

  def chaos(self, *planned):
    return random_kills.Chaos(
      self.run_, random.Random(0), planned, 1e4, (1.0, 11.0), self.said.append
    )

  def test_what_is_due_is_killed_once(self):
    chaos = self.chaos((0.0, "actor"), (0.5, "actor"))
    for _ in range(20):  # Half of the time it draws an absent one.
      chaos.step()
    self.assertEqual(self.child.wait(), -9)
    self.assertLen(chaos.kills, 1)
    self.assertEqual(chaos.kills[0].names, ("actor 0",))
    self.assertIsNone(chaos.kills[0].updates)
    self.assertEqual(self.said, ["0 s, 3 steps: actor"])

  def test_a_run_that_is_fast_is_disturbed_sooner(self):
    # It is at step 3 of the steps from 1 to 11, and no time has passed.
    for moment, kills in ((0.19, 1), (0.21, 0)):
      chaos = self.chaos((moment, random_kills.HANG))
      for _ in range(5):
        chaos.step()
      self.assertLen(chaos.kills, kills)

  def test_who_is_not_there_is_waited_for(self):
    chaos = self.chaos((0.0, "all actors"))
    chaos.step()
    self.assertEmpty(chaos.kills)
    self.assertIsNone(self.child.poll())

  def test_a_hang_is_of_a_role_that_is_watched(self):
    chaos = self.chaos((0.0, random_kills.HANG))
    for _ in range(20):
      chaos.step()
    self.assertEqual(chaos.kills[0].names, ("actor 0",))
    self.assertIsNone(self.child.poll())

  def test_memory(self):
    mine = random_kills.memory_mb([os.getpid()])
    self.assertGreater(mine, 1.0)
    self.assertEqual(random_kills.memory_mb([2**22 + 1]), 0.0)


if __name__ == "__main__":
  absltest.main()
