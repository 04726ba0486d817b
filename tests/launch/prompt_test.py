"""Tests of launch.prompt; train_test has the whole command."""

import argparse
import contextlib
import io
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.launch import errors, prompt
from adaland.launch.evaluation import demo, episode
from tests.launch import fakes


def _land(task) -> tuple[Any, Any]:
  made = fakes.FakeLand(1, None, lambda i: task)
  return made, made.reset()


class PromptedTest(absltest.TestCase):
  def test_the_teacher_acts_in_the_first_trial_and_the_agent_observes(self):
    land, now = _land(fakes.make_task(trials=3))
    agent, teacher = fakes.Constant(2), fakes.Constant(1)
    prompted = prompt.Prompted(agent, teacher)
    while not now.last[0]:
      now = land.step(prompted.act(now))
    done = np.array(land.actions)[:, 0, 0].tolist()
    self.assertEqual(done, [1] * 15 + [2] * 30)
    self.assertEqual((agent.num_calls, teacher.num_calls), (45, 15))

  def test_recorded_actions_come_one_by_one(self):
    recorded = prompt.Recorded(np.arange(12).reshape(2, 6))
    _, now = _land(fakes.make_task())
    for start in (0, 6):
      np.testing.assert_array_equal(
        recorded.act(now), [np.arange(start, start + 6)]
      )


class RunTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.task = fakes.make_task("1", trials=2)
    self.played = []

    def play(env, task, make_policy, seed, *film):
      policy = make_policy(fakes.FakeLand(1, env, lambda _: task))
      self.played.append((type(policy).__name__, seed, *film))
      taught = isinstance(policy, prompt.Prompted)
      number = len(self.played)
      rewards = np.array([5.0 if taught else 0.0, number], np.float32)
      return episode.Episode(np.zeros((30, 6)), rewards)

    experiment = absltest.mock.MagicMock()
    trained_agent = absltest.mock.MagicMock()
    trained_agent.load_config.return_value = experiment
    tasksets = absltest.mock.MagicMock()
    tasksets.one.side_effect = lambda *args: self.task
    fewshot = absltest.mock.MagicMock()
    fewshot.agent_policy.side_effect = lambda *args: lambda _: fakes.Constant(0)
    for name, fake in (
      ("trained_agent", trained_agent),
      ("tasksets", tasksets),
      ("fewshot", fewshot),
    ):
      self.enter_context(absltest.mock.patch.object(prompt, name, fake))
    self.enter_context(absltest.mock.patch.object(episode, "play", play))

  def run_it(self, *argv):
    args = prompt.make_parser().parse_args(
      ["--workdir=r", "--task=sample:1", *argv]
    )
    self.assertIsInstance(args, argparse.Namespace)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
      prompt.run(args)
    return out.getvalue()

  def test_means_with_and_without_the_demonstration(self):
    text = self.run_it("--repeats=2", "--seed=4")
    # Prompted and alone in turn: second trials gave 1, 3 and 2, 4.
    self.assertEqual(
      [line.split() for line in text.splitlines()[:3]],
      [
        ["trial", "1", "2"],
        ["prompted", "5.00", "2.00"],
        ["unprompted", "0.00", "3.00"],
      ],
    )
    self.assertEqual(
      [name for name, *_ in self.played],
      ["Prompted", "Constant", "Prompted", "Constant"],
    )
    self.assertEqual({seed for _, seed, *_ in self.played}, {4})

  def test_only_the_first_prompted_episode_is_filmed(self):
    path = self.create_tempdir().full_path + "/a.mp4"
    self.run_it("--repeats=2", f"--video={path}")
    filmed = [film[0] for _, _, *film in self.played if film]
    self.assertEqual(filmed, [path, None])

  def test_a_demonstration_is_played_from_its_own_start(self):
    recorded = demo.Demo(self.task, 9, np.zeros((30, 6), np.int32), np.ones(2))
    with absltest.mock.patch.object(demo, "load", return_value=recorded):
      self.run_it("--repeats=1", "--demo=d.npz", "--seed=4")
    self.assertEqual({seed for _, seed, *_ in self.played}, {9})

  def test_one_trial_is_too_few(self):
    self.task = fakes.make_task(trials=1)
    with self.assertRaisesRegex(errors.UserError, "has 1 trial; .* at least 2"):
      self.run_it()


if __name__ == "__main__":
  absltest.main()
