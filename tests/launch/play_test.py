"""Tests of launch.play without physics; commands_test plays for real."""

import contextlib
import io
import json
import os
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.envs.tasks import json_files, probes
from adaland.launch import errors, play
from adaland.launch.config import preset_configs
from adaland.launch.evaluation import demo, episode
from tests.launch import fakes


class PlayTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.played: Any = None
    self.folder = self.create_tempdir().full_path
    self.task = "probe:" + probes.names()[0]

    def fake(env, task, make_policy, seed, video, player):
      self.played = env, task, type(make_policy(1)).__name__, seed, video
      self.assertEqual(player, "noop")
      actions = np.tile([1, 1, 2, 1, 0, 1], (task.trial_steps, 1))
      return episode.Episode(actions, np.array([0.5, 1.25], np.float32))

    self.enter_context(absltest.mock.patch.object(episode, "play", fake))

  def run_it(self, *argv):
    args = play.make_parser().parse_args(
      [f"--task={self.task}", "--policy=noop", *argv]
    )
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
      play.run(args)
    return out.getvalue()

  def test_result(self):
    text = self.run_it("--seed=3")
    self.assertEqual(text, "reward by trial, seconds: 0.50 1.25\n")
    task = probes.load(probes.names()[0])
    self.assertEqual(self.played[1:], (task, "Noop", 3, None))
    self.assertEqual(
      json.loads(self.run_it("--json=-")),
      {
        "task": task.name,
        "policy": "noop",
        "seed": 0,
        "rewards": [0.5, 1.25],
      },
    )

  def test_a_run_s_own_environment_is_played_in(self):
    config = preset_configs.smoke()
    patch = absltest.mock.patch.object
    self.enter_context(
      patch(play.trained_agent, "load_config", return_value=config)
    )
    made = self.enter_context(patch(play.builder, "environments"))
    task = json_files.to_json(fakes.make_task(trials=2))
    path = os.path.join(self.folder, "task.json")
    with open(path, "w") as file:
      json.dump(task, file)
    self.run_it("--workdir=run", f"--task={path}")
    made.assert_called_once_with(config)
    self.assertIs(self.played[0], made.return_value)

  def test_what_was_played_is_kept(self):
    path = os.path.join(self.folder, "d.npz")
    film = os.path.join(self.folder, "a.mp4")
    self.run_it("--seed=3", f"--record={path}", f"--video={film}")
    self.assertEqual(self.played[-1], film)
    kept = demo.load(path)
    self.assertEqual(kept.task, self.played[1])
    self.assertEqual(kept.seed, 3)
    np.testing.assert_array_equal(kept.rewards, [0.5, 1.25])

  def test_an_episode_that_was_ended_is_kept_from_a_trial_on(self):
    path = os.path.join(self.folder, "d.npz")
    task = probes.load(probes.names()[0])
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
      self.run_it(f"--record={path}")
    total = task.trials * task.trial_steps
    self.assertIn(f"ended after {task.trial_steps} of {total}", said.getvalue())
    self.assertTrue(os.path.exists(path))
    os.unlink(path)
    short = episode.Episode(np.zeros((3, 6), np.int32), np.zeros(1, np.float32))
    with (
      absltest.mock.patch.object(episode, "play", lambda *args: short),
      contextlib.redirect_stderr(said),
    ):
      self.run_it(f"--record={path}")
    self.assertIn("ended after 3 of", said.getvalue())
    self.assertIn(f"--record={path}: not saved: a demon", said.getvalue())
    self.assertFalse(os.path.exists(path))

  def test_bad_flags_play_nothing(self):
    for argv, message in (
      (["--policy=agent"], "--workdir is missing"),
      (["--policy=exprt"], "did you mean 'expert'"),
      ([f"--video={self.folder}/a.avi"], "must end in .mp4"),
      (["--preset=lap", "--task=sample:1"], "^preset: 'lap'"),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        self.run_it(*argv)
    self.assertIsNone(self.played)

  def test_a_task_of_two_players_is_refused(self):
    path = os.path.join(self.folder, "two.json")
    with open(path, "w") as file:
      json.dump(
        {
          "format": "adaland.task/1",
          "objects": [{"type": "black cube"}],
          "players": [
            {"goal": "hold(player1, black cube)"},
            {"goal": "hold(player2, black cube)"},
          ],
        },
        file,
      )
    error = io.StringIO()
    with contextlib.redirect_stderr(error):
      code = play.main([f"--task={path}", "--policy=expert"])
    self.assertEqual(code, 2)
    self.assertRegex(
      error.getvalue(),
      r"^error: --task=.*two.json: task .* has 2 players; .*\n$",
    )
    self.assertIsNone(self.played)


if __name__ == "__main__":
  absltest.main()
