"""Tests of launch.prompt; train_test has the whole command."""

import argparse
import contextlib
import dataclasses
import io
import json

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.sampling import families
from adaland.envs.tasks.task import World
from adaland.launch import errors, prompt
from adaland.launch.evaluation import demo, episode, policies, prompting
from tests.launch import fakes


class RunTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.task = fakes.make_task("1", trials=2)
    self.played = []

    builder = absltest.mock.MagicMock()
    self.make_land = builder.environments.return_value

    def play(make_land, task, make_policy, seed, *film):
      policy = make_policy(fakes.FakeLand(1, make_land, lambda _: task))
      self.assertIs(make_land, self.make_land)
      self.played.append((type(policy).__name__, seed, *film))
      taught = isinstance(policy, prompting.Prompted)
      number = len(self.played)
      rewards = np.array([5.0 if taught else 0.0, number], np.float32)
      return episode.Episode(np.zeros((30, 6)), rewards)

    experiment = absltest.mock.MagicMock()
    experiment.factories.environment = "mine:Icy"
    trained_agent = absltest.mock.MagicMock()
    trained_agent.load_config.return_value = experiment
    trained_agent.load.return_value.params = {"a": {"w": np.zeros(2)}}
    tasksets = absltest.mock.MagicMock()
    tasksets.one.side_effect = lambda *args: self.task
    tasksets.many.side_effect = lambda *args: [self.task]
    fewshot = absltest.mock.MagicMock()
    fewshot.agent_policy.side_effect = lambda *args: lambda _: fakes.Constant(0)
    for name, fake in (
      ("trained_agent", trained_agent),
      ("tasksets", tasksets),
      ("fewshot", fewshot),
      ("builder", builder),
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
    # Prompted and unprompted in turn: second trials gave 1, 3 and 2, 4.
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

  def test_the_first_episodes_are_kept(self):
    found = json.loads(self.run_it("--repeats=2", "--keep=0", "--json=-"))
    self.assertLen(found["agent_sha256"], 64)
    self.assertEqual(
      [(each["policy"], each["rewards"]) for each in found["episodes"]],
      [("prompted", [5, 1]), ("unprompted", [0, 2])],
    )
    with self.assertRaisesRegex(errors.UserError, "--keep=1: allowed for 1 "):
      self.run_it("--keep=1", "--json=-")

  def test_only_the_first_prompted_episode_is_filmed(self):
    path = self.create_tempdir().full_path + "/a.mp4"
    self.run_it("--repeats=2", f"--video={path}")
    filmed = [film[0] for _, _, *film in self.played if film]
    self.assertEqual(filmed, [path, None])

  def test_a_demonstration_is_played_from_its_own_start(self):
    recorded = demo.Demo(self.task, 9, np.zeros((30, 6), np.int32), np.ones(2))
    path = self.create_tempfile("d.npz").full_path
    with absltest.mock.patch.object(demo, "load", return_value=recorded):
      self.run_it("--repeats=1", f"--demo={path}", "--seed=4")
    self.assertEqual({seed for _, seed, *_ in self.played}, {9})

  @parameterized.parameters(
    ("guide", "task '1': the guide can't play it, allowed: a flat room"),
    ("gide", "--demo=gide: no such file, allowed: expert, .* mean 'guide'"),
  )
  def test_demonstrations_that_are_refused(self, name, message):
    self.task = fakes.make_task("1", world=World(levels=2))
    with self.assertRaisesRegex(errors.UserError, message):
      self.run_it(f"--demo={name}")
    self.assertEmpty(self.played)

  def test_one_trial_is_too_few(self):
    self.task = fakes.make_task(trials=1)
    with self.assertRaisesRegex(errors.UserError, "has 1 trial; .* at least 2"):
      self.run_it()

  @parameterized.parameters(
    ("--demo=d.npz", "--demo=d.npz: is for one task, allowed with --taskset"),
    ("--video=a.mp4", "--video=a.mp4: allowed with --task only"),
    ("--trials=1", "--trials=1: allowed for a prompted agent: 2 to 48"),
    ("--task=sample:1", "argument --task: not allowed with argument --taskset"),
  )
  def test_flags_that_task_sets_refuse(self, flag, message):
    with self.assertRaisesRegex(errors.UserError, message):
      args = prompt.make_parser().parse_args(
        ["--workdir=r", "--taskset=test", flag]
      )
      prompt.run(args)

  def test_without_a_score_there_is_no_table(self):
    curve = {"mean": [], "stderr": []}
    found = {
      "prompted": curve, "unprompted": curve, "num_scored": 0, "num_tasks": 1
    }  # fmt: skip
    args = prompt.make_parser().parse_args(["--workdir=r", "--taskset=test"])
    out = io.StringIO()
    with (
      absltest.mock.patch.object(prompting, "evaluate", return_value=found),
      contextlib.redirect_stdout(out),
    ):
      prompt.run(args)
    self.assertStartsWith(out.getvalue(), "0 of 1 tasks, scored by")

  def test_scores_over_a_task_set(self):
    def found(
      make_land,
      tasks,
      trials,
      make_agent,
      seed,
      repeats,
      say,
      keep,
      make_teacher,
    ):
      del make_agent
      self.assertIs(make_teacher, policies.Guide)
      self.assertIs(make_land, self.make_land)
      say("expert")
      self.assertEqual(keep, [])
      self.assertEqual((tasks, trials, seed, repeats), ([self.task], 2, 4, 1))
      curve = {"mean": [0.25, 0.5], "stderr": [0.0, 0.125]}
      return {
        "prompted": curve, "unprompted": curve, "num_scored": 1, "num_tasks": 1
      }  # fmt: skip

    traps = families.make("traps").held_out().task(0)
    self.task = dataclasses.replace(traps, trials=2)
    args = prompt.make_parser().parse_args(
      ["--workdir=r", "--taskset=test", "--seed=4", "--demo=guide", "--json=-"]
    )
    out = io.StringIO()
    with (
      absltest.mock.patch.object(prompting, "evaluate", found),
      contextlib.redirect_stdout(out),
    ):
      prompt.run(args)
    result = json.loads(out.getvalue())
    self.assertEqual(result["prompted"]["mean"], [0.25, 0.5])
    self.assertEqual((result["trials"], result["demo"]), (2, "guide"))
    self.assertEqual(result["environment"], "mine:Icy")


if __name__ == "__main__":
  absltest.main()
