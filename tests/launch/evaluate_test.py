"""Tests of launch.evaluate with made-up rewards; train_test has an agent."""

import contextlib
import dataclasses
import io
import json
import os
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.checkpoint import weights
from adaland.launch import evaluate
from adaland.launch.config import factories, overrides, preset_configs
from adaland.launch.evaluation import trained_agent


def _call(*argv):
  """Runs the command; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = evaluate.main(list(argv))
  return code, out.getvalue(), err.getvalue()


class EvaluateTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.asked: Any = None
    self.normalised: Any = None

    def rewards(
      env, tasks, trials, make_policy, seed, repeats, progress, recorder
    ):
      self.asked = env, tasks, trials, type(make_policy(None)), seed, repeats
      progress(0.5)
      self.recorder = recorder
      return {k: np.full((len(tasks), k), 1.0 * k) for k in trials}

    def best(tasks, env, seed, progress):
      self.normalised = env
      progress(1, 2)
      return np.full(len(tasks), 4.0)

    for target, name, fake in (
      (evaluate.fewshot, "trial_rewards", rewards),
      (evaluate.fewshot.expert, "expert_rewards", best),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, fake))

  def test_json(self):
    code, out, err = _call(
      "--policy=noop",
      "--preset=smoke",
      "--num_tasks=3",
      "--trials=4,2,4",
      "--repeats=5",
      "--seed=6",
      "--json=-",
    )
    self.assertEqual(code, 0, err)
    result = json.loads(out)
    self.assertEqual(result["score"]["mean"], {"2": 0.5, "4": 1.0})
    for name, value in (
      ("policy", "noop"),
      ("trials", [2, 4]),
      ("taskset", "test"),
      ("repeats", 5),
      ("seed", 6),
      ("num_tasks", 3),
      ("workdir", None),
      ("environment", ""),
    ):
      self.assertEqual(result[name], value)
    _, tasks, trials, policy, seed, repeats = self.asked
    self.assertEqual((trials, seed, repeats), ([2, 4], 6, 5))
    self.assertEqual(policy.__name__, "Noop")
    self.assertEqual(
      [task.name for task in tasks], ["test 0", "test 1", "test 2"]
    )

  def test_an_agent_plays_in_the_environment_of_its_run(self):
    own = factories.FactoriesConfig(environment="mine:Icy")
    config = dataclasses.replace(preset_configs.smoke(), factories=own)
    saved = trained_agent.SavedAgent(
      config, {"w": np.zeros(2)}, absltest.mock.Mock()
    )
    patch = absltest.mock.patch.object
    made = self.enter_context(patch(evaluate.builder, "environments"))
    for target, name, value in (
      (evaluate.trained_agent, "load_config", config),
      (evaluate.trained_agent, "load", saved),
      (evaluate.fewshot, "agent_policy", lambda _: None),
    ):
      self.enter_context(patch(target, name, return_value=value))
    for workdir, shown in (
      ("run", os.path.abspath("run")), ("agent:icy", "agent:icy")
    ):  # fmt: skip
      code, out, err = _call(f"--workdir={workdir}", "--own_parts", "--json=-")
      self.assertEqual(code, 0, err)
      made.assert_called_with(config)
      self.assertIs(self.asked[0], made.return_value)
      self.assertIs(self.normalised, made.return_value)
      result = json.loads(out)
      self.assertEqual(result["environment"], "mine:Icy")
      self.assertEqual(result["workdir"], shown)

  def test_text_and_report(self):
    folder = os.path.join(self.create_tempdir().full_path, "new")
    code, out, err = _call(
      "--policy=random", "--taskset=probe", "--num_tasks=2", "--trials=1",
      f"--report={folder}",
    )  # fmt: skip
    self.assertEqual(code, 0, err)
    self.assertIn("| random | 0.25 ± 0.00 |", out)
    self.assertIn("expert plays: 50%", err)
    self.assertEqual(
      sorted(os.listdir(folder)), ["curve.png", "results.json", "table.md"]
    )
    with open(os.path.join(folder, "table.md")) as file:
      self.assertEqual(file.read(), out)

  def test_episodes_are_kept_in_the_json(self):
    flags = ["--policy=noop", "--preset=smoke", "--num_tasks=3", "--trials=1"]
    code, out, err = _call(*flags, "--json=-")
    self.assertEqual(code, 0, err)
    self.assertIsNone(self.recorder)
    self.assertNotIn("episodes", json.loads(out))
    code, out, err = _call(*flags, "--keep=2,0,2", "--json=-")
    self.assertEqual(code, 0, err)
    self.assertIsNotNone(self.recorder)
    self.assertEqual(json.loads(out)["episodes"], [])  # None was played.

  @parameterized.parameters(
    (["--keep=0"], "--keep: allowed with --json only"),
    (["--keep=3", "--json=-"], "--keep=3: allowed for 3 tasks: 0 to 2"),
    (["--keep=-1", "--json=-"], "'-1' is not a list of at most 16 numbers"),
    (["--keep=a", "--json=-"], "'a' is not a list"),
    (["--keep=" + ",".join(map(str, range(17)))], "at most 16 numbers from 0"),
  )
  def test_episodes_that_can_not_be_kept(self, flags, message):
    code, out, err = _call("--policy=noop", "--num_tasks=3", *flags)
    self.assertEqual((code, out), (2, ""))
    self.assertIn(message, err)
    self.assertIsNone(self.asked)

  def fake_pairs(self):
    def rewards(make_land, tasks, trials, make_policy, seed, repeats, progress):
      progress(1.0)
      world = make_land(1, lambda _: tasks[0])
      self.assertEqual(world.config.num_players, 2)
      return {k: np.full((len(tasks), k, 2), [1.0, 2.0]) for k in trials}

    self.enter_context(
      absltest.mock.patch.object(evaluate.fewshot, "trial_rewards", rewards)
    )
    self.enter_context(
      absltest.mock.patch.object(
        evaluate.pairs, "best_rewards", return_value=np.full((2, 2), 4.0)
      )
    )

  def test_pairs_of_an_agent_know_it(self):
    self.fake_pairs()
    config = overrides.apply(
      preset_configs.smoke(),
      ["env.num_players=2", "tasks.two_player_probability=1"],
    )
    params = {"w": np.ones(2)}
    saved = trained_agent.SavedAgent(config, params, absltest.mock.Mock())
    for name, value in (("load_config", config), ("load", saved)):
      self.enter_context(
        absltest.mock.patch.object(
          evaluate.trained_agent, name, return_value=value
        )
      )
    code, out, err = _call(
      "--workdir=run", "--taskset=two_player_probe", "--num_tasks=2",
      "--trials=1", "--coplayer=self,random", "--json=-",
    )  # fmt: skip
    self.assertEqual(code, 0, err)
    for pair in json.loads(out)["pairs"]:
      self.assertEqual(pair["agent_sha256"], weights.fingerprint(params))
      self.assertEqual(pair["temperature"], 1.0)

  def test_pairs_have_a_table_and_both_players_numbers(self):
    self.fake_pairs()
    arguments = (
      "--policy=noop", "--taskset=two_player_probe", "--num_tasks=2",
      "--trials=1", "--coplayer=self,random",
    )  # fmt: skip
    code, out, err = _call(*arguments)
    self.assertEqual(code, 0, err)
    for row in (
      "noop with self |", "noop with self, player 2 |",
      "noop with random |", "noop with random, player 2 |",
    ):  # fmt: skip
      self.assertIn(f"| {row}", out)
    code, out, err = _call(*arguments, "--json=-")
    result = json.loads(out)
    self.assertEqual(result["score"]["mean"], {"1": 0.25})
    self.assertEqual(result["player2"]["score"]["mean"], {"1": 0.5})
    self.assertEqual(
      [pair["coplayer"] for pair in result["pairs"]], ["self", "random"]
    )
    self.assertEqual(result["taskset"], "two_player_probe")
    self.assertIsNone(result["agent_sha256"])

  @parameterized.parameters(
    ("--control=swapped", "--control=swapped: allowed on tasks of one player"),
    ("--keep=0,1", "--keep=0,1: allowed on tasks of one player"),
  )
  def test_flags_for_one_player_are_refused_on_pairs(self, flag, message):
    config = overrides.apply(
      preset_configs.smoke(),
      ["env.num_players=2", "tasks.two_player_probability=1"],
    )
    self.enter_context(
      absltest.mock.patch.object(
        evaluate.trained_agent, "load_config", return_value=config
      )
    )
    code, out, err = _call(
      "--workdir=run", "--num_tasks=2", "--trials=2", "--json=-", flag
    )
    self.assertEqual((code, out), (2, ""))
    self.assertIn(message, err)

  @parameterized.parameters(
    ("1,2,3", [1, 2, 3]), ("48", [48]), ("3, 1,3", [1, 3])
  )
  def test_numbers_of_trials(self, text, expected):
    self.assertEqual(evaluate._trials(text), expected)

  @parameterized.parameters("", "1,", "49", "0", "1.5", "-1,2", "1;2")
  def test_bad_numbers_of_trials(self, text):
    code, out, err = _call("--policy=noop", f"--trials={text}")
    self.assertEqual((code, out), (2, ""))
    self.assertIn(f"{text!r} is not a list of numbers from 1 to 48", err)
    self.assertIsNone(self.asked)


if __name__ == "__main__":
  absltest.main()
