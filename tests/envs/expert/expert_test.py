"""Tests of adaland.envs.expert.expert.

More tasks: `python -m adaland.envs.expert --num_tasks=100 --seed=0`.
"""

import contextlib
import dataclasses
import io

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.envs.expert import expert
from adaland.envs.expert.__main__ import main, sample_tasks
from adaland.envs.tasks import planner, probes
from tests.envs import fixtures
from tests.envs.tasks.planner_test import make_task


class ExpertTest(absltest.TestCase):
  def test_solves_held_out_tasks(self):
    sampled = sample_tasks(10, seed=0, max_rules=2)
    tasks = [task for _, task in sampled]
    for task in tasks:
      rules = planner.shortest_length(task)
      self.assertIsNotNone(rules)
      self.assertLessEqual(rules, 2)
    rewards = expert.expert_rewards(
      tasks, land.maker(land.LandConfig()), runs=1
    )
    self.assertGreaterEqual(np.count_nonzero(rewards), 9)
    seconds = np.array([task.trial_seconds for task in tasks])
    self.assertTrue(np.all(rewards <= seconds + 1e-3))
    self.assertGreater(float(np.mean(rewards / seconds)), 0.5)

  def test_the_command_refuses_negative_numbers(self):
    for flag in ("--seed", "--max_rules"):
      argv, err = ["expert", f"{flag}=-1"], io.StringIO()
      with (
        absltest.mock.patch("sys.argv", argv),
        contextlib.redirect_stderr(err),
        self.assertRaises(SystemExit) as exit_,
      ):
        main()
      self.assertEqual(exit_.exception.code, 2)
      self.assertIn("'-1' is not a whole number from 0", err.getvalue())

  def test_rewards_repeat_and_more_runs_are_no_worse(self):
    task = make_task("hold(player1, black cube)", {"black cube": 2}, [])
    make_land = land.maker(fixtures.CONFIG)
    first = expert.expert_rewards([task, task], make_land, runs=1, seed=3)
    again = expert.expert_rewards([task, task], make_land, runs=1, seed=3)
    np.testing.assert_array_equal(first, again)
    seen = []
    expert.expert_rewards(
      [task], make_land, 2, progress=lambda *done: seen.append(done)
    )
    self.assertEqual(sorted(seen), [(1, 2), (2, 2)])
    self.assertEmpty(expert.expert_rewards([], make_land))

  def test_acts_through_trials_and_tasks_without_resets(self):
    tasks = [
      dataclasses.replace(
        make_task(f"hold(player1, {name})", {name: 1}, []),
        trials=2,
        trial_seconds=8.0,
      )
      for name in ("black cube", "yellow sphere")
    ]
    waiting = iter([tasks[0], tasks[0], tasks[1], tasks[1]])
    world = land.Land(2, fixtures.CONFIG, lambda _: next(waiting))
    player = expert.Expert(2)
    world.reset()
    rewards = []  # In each trial of environment 0.
    total = 0.0
    for _ in range(2 * 2 * tasks[0].trial_steps + 1):
      player.observe(world)
      step = world.step(player.act(world))
      total += float(step.reward[0])
      if step.trial_last[0]:
        rewards.append(total)
        total = 0.0
    self.assertLen(rewards, 4)
    for reward in rewards:
      self.assertGreater(reward, 2.0)

  def test_does_nothing_where_nothing_helps(self):
    task = make_task("hold(player1, black cube)", {"yellow cube": 1}, [])
    world = land.Land(2, fixtures.CONFIG, lambda _: task)
    world.reset()
    np.testing.assert_array_equal(
      expert.Expert(2).act(world), [constants.NOOP_ACTION] * 2
    )

  def test_leaves_alone_what_is_solved(self):
    task = probes.load("dont-act")
    [reward] = expert.expert_rewards(
      [task], land.maker(fixtures.CONFIG), runs=2
    )
    self.assertAlmostEqual(reward, task.trial_seconds, places=3)


if __name__ == "__main__":
  absltest.main()
