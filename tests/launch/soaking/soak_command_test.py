"""Tests of adaland tasks soak."""

import contextlib
import io
import json
import pathlib

import numpy as np
from absl.testing import absltest

from adaland.envs.tasks import json_files, probes
from adaland.launch import tasks
from adaland.launch.evaluation import demo
from adaland.launch.soaking import soak
from tests.launch import fakes


def _violation():
  task = fakes.make_task("broken")
  actions = np.tile([2, 1, 2, 1, 0, 1], (15, 1))
  played = demo.Demo(task, 7, actions, np.zeros(1, np.float32))
  return soak.Violation("inside", "slot 0 is outside", 3, played)


def _call(*argv):
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = tasks.main(["soak", *argv])
  return code, out.getvalue(), err.getvalue()


class CommandTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.played = []
    self.found = []

    def play(chosen, config, num_envs, seed, on_violation, on_progress):
      self.played.append((chosen, config.num_players, num_envs, seed))
      for violation in self.found:
        on_violation(violation)
      return soak.Summary(tasks=len(chosen), steps=100)

    self.enter_context(absltest.mock.patch.object(soak, "play", play))

  def test_plays_probes_and_tasks_of_the_distribution(self):
    code, out, _ = _call("--preset=smoke", "--num_tasks=40", "--json=-")
    self.assertEqual(code, 0)
    [(chosen, num_players, num_envs, seed)] = self.played
    self.assertLen(chosen, 40)
    self.assertEqual({task.trials for task in chosen}, {2})
    self.assertIn("train 0", [task.name for task in chosen])
    self.assertIn("dont act", [task.name for task in chosen])
    self.assertEqual((num_players, num_envs, seed), (1, 32, 0))
    result = json.loads(out)
    self.assertEqual((result["tasks"], result["steps"]), (40, 100))
    self.assertEqual(set(result["violations"].values()), {0})

  def test_tasks_of_two_players_are_played_by_two(self):
    code, _, err = _call(
      *("--preset=smoke", "--num_tasks=60", "--set"),
      *("tasks.two_player_probability=1", "env.num_players=2"),
    )
    self.assertEqual(code, 0, err)
    self.assertEqual([players for _, players, _, _ in self.played], [1, 2])
    self.assertLen(self.played[0][0], len(probes.names(1)))
    self.assertLen(self.played[1][0], len(probes.names(2)) + 2)
    names = [task.name for task in self.played[1][0]]
    self.assertContainsSubset({"kickball", "train 0"}, names)

  def test_writes_what_breaks_a_law(self):
    self.found = [_violation()] * 2
    out_folder = self.folder / "new" / "broken"
    code, out, err = _call("--num_tasks=1", f"--out={out_folder}")
    self.assertEqual(code, 1)
    self.assertIn("'inside': 2", out)
    self.assertIn("inside_1: 'broken', step 3: slot 0 is outside", err)
    self.assertIn("error: laws were broken 2 times", err)
    task = json_files.load(out_folder / "inside_0.json")
    played = demo.load(str(out_folder / "inside_1.npz"))
    self.assertEqual(task, _violation().played.task)
    np.testing.assert_array_equal(played.actions, _violation().played.actions)

  def test_replays_a_demonstration(self):
    path = str(self.folder / "a.npz")
    demo.save(path, _violation().played)
    for found, code, text in (
      ([], 0, "no law was broken\n"),
      ([_violation()], 1, "step 3: inside: slot 0 is outside\n"),
    ):
      with absltest.mock.patch.object(soak, "replay", lambda *_, f=found: f):
        self.assertEqual(_call(f"--replay={path}")[:2], (code, text))

  def test_bad_flags(self):
    file = self.create_tempfile().full_path
    for argv, message in (
      (f"--out={file}", "--out: "),
      ("--trials=99", "allowed: 1 to 48"),
      (f"--replay={self.folder}/none", "No such file"),
      ("--num_envs=0", "whole number from 1"),
    ):
      code, _, err = _call(argv)
      self.assertEqual((code, err.count("\n")), (2, 1), err)
      self.assertIn(message, err)
    self.assertEmpty(self.played)


if __name__ == "__main__":
  absltest.main()
