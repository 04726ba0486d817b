"""Tests of adaland.launch.evaluation.fewshot on fake episodes."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.launch.config import preset_configs
from adaland.launch.evaluation import fewshot, policies, tasksets
from tests.launch import fakes


class FewshotTest(absltest.TestCase):
  def test_trials_are_averaged_over_repeats(self):
    tasks = [fakes.make_task("4"), fakes.make_task("7")]
    played = []

    def play(config, jobs, make_policy, seed, on_progress, recorder):
      del config, make_policy, on_progress
      self.assertIsNone(recorder)
      self.assertEqual(seed, 3)
      played.extend(jobs)
      # Trial k gives name + k, plus 10 in every other job.
      return [
        float(job.name) + 1.0 + np.arange(job.trials) + 10 * (i % 2)
        for i, job in enumerate(jobs)
      ]

    with absltest.mock.patch.object(fewshot.rollout, "play", play):
      rewards = fewshot.trial_rewards(
        land.maker(land.LandConfig()),
        tasks,
        [1, 3],
        lambda _: policies.Noop(),
        seed=3,
        repeats=2,
      )
    self.assertLen(played, 8)
    self.assertEqual(list(rewards), [1, 3])
    np.testing.assert_array_equal(rewards[1], [[10], [13]])
    np.testing.assert_array_equal(rewards[3], [[10, 11, 12], [13, 14, 15]])

  def test_the_first_of_the_longest_episodes_of_a_task_is_kept(self):
    tasks = [fakes.make_task(name) for name in "47"]

    def play(config, jobs, make_policy, seed, on_progress, recorder):
      del config, make_policy, on_progress
      for job, task in enumerate(jobs):
        for _ in range(task.trials * task.trial_steps):
          recorder.act(job, np.zeros(6))
        recorder.end(job, task, seed, job, [1.0 * job] * task.trials)
      return [np.zeros(job.trials) for job in jobs]

    with (
      absltest.mock.patch.object(fewshot.rollout, "play", play),
      absltest.mock.patch.object(
        fewshot.expert, "expert_rewards", return_value=np.ones(2)
      ),
    ):
      result = fewshot.evaluate(
        "noop",
        land.maker(land.LandConfig()),
        tasks,
        [1, 3, 2],
        policies.baseline("noop", 0),
        3,
        2,
        lambda _: None,
        keep=[1],
      )
    # Four episodes of one trial, two of three trials of the first task.
    [entry] = result["episodes"]
    self.assertEqual((entry["task"], entry["episode"]), (1, 6))
    self.assertEqual(entry["rewards"], [6, 6, 6])
    self.assertEqual(result["tasks_sha256"], tasksets.fingerprint(tasks))

  def test_the_agent_gets_its_seed_and_temperature(self):
    with (
      absltest.mock.patch.object(fewshot.builder, "agent") as agent,
      absltest.mock.patch.object(policies, "Agent") as make,
    ):
      made = fewshot.agent_policy(preset_configs.smoke(), "params", 3, 0.5)
      made(absltest.mock.Mock(num_envs=2))
    make.assert_called_once_with(agent.return_value.actor, "params", 2, 3, 0.5)

  def test_the_table_after_training(self):
    experiment = preset_configs.smoke()

    def rewards(env, tasks, trials, maker, seed):
      del env, seed
      value = {"agent": 3.0, "noop": 0.0, "random": 1.5}[maker]
      return {k: np.full((len(tasks), k), value) for k in trials}

    for name, fake in (
      ("trial_rewards", rewards),
      ("agent_policy", lambda *args: "agent"),
    ):
      self.enter_context(absltest.mock.patch.object(fewshot, name, fake))
    self.enter_context(
      absltest.mock.patch.object(policies, "baseline", lambda name, seed: name)
    )
    self.enter_context(
      absltest.mock.patch.object(
        fewshot.expert, "expert_rewards", return_value=np.array([3.0, 6.0])
      )
    )
    table = fewshot.after_training(experiment, params={})
    self.assertEqual(list(table.result), ["agent", "random", "noop"])
    agent = table.result["agent"]
    self.assertEqual(agent["trials"], list(experiment.run.eval_trials))
    self.assertEqual(agent["score"]["mean"], {"1": 0.75, "2": 0.75})
    self.assertIn("| random | 0.38 ", table.text)
    for task in agent["tasks"]:
      self.assertStartsWith(task["id"], "test ")

  def test_after_training_for_two_each_plays_with_itself(self):
    smoke = preset_configs.smoke()
    experiment = dataclasses.replace(
      smoke,
      env=dataclasses.replace(smoke.env, num_players=2),
      tasks=dataclasses.replace(smoke.tasks, two_player_probability=1.0),
    )

    def rewards(env, tasks, trials, maker, seed):
      del env, seed
      own = {"agent": 3.0, "noop": 0.0, "random": 1.5}
      first, second = maker
      self.assertEqual(first, second)
      return {k: np.full((len(tasks), k, 2), [own[first], 99]) for k in trials}

    for owner, name, fake in (
      (fewshot, "trial_rewards", rewards),
      (fewshot.pairs, "agent_side", lambda *args: "agent"),
      (fewshot.pairs, "side_maker", lambda name, seed: name),
      (fewshot.pairs, "maker", lambda *sides: sides),
      (fewshot.pairs, "best_rewards", lambda *a: np.array([[3, 1], [6, 1]])),
    ):
      self.enter_context(absltest.mock.patch.object(owner, name, fake))
    table = fewshot.after_training(experiment, params={})
    self.assertEqual(
      {name: each["score"]["mean"] for name, each in table.result.items()},
      {
        "agent": {"1": 0.75, "2": 0.75},
        "random": {"1": 0.375, "2": 0.375},
        "noop": {"1": 0.0, "2": 0.0},
      },
    )


if __name__ == "__main__":
  absltest.main()
