"""Tests of adaland.envs.expert.expert.

More tasks: `python -m adaland.envs.expert --num_tasks=100 --seed=0`.
"""

import collections
import contextlib
import dataclasses
import io
import types
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.envs.expert import expert
from adaland.envs.expert.__main__ import main, sample_tasks
from adaland.envs.tasks import planner, probes
from tests.envs import fixtures
from tests.envs.expert import fakes
from tests.envs.tasks.planner_test import make_task

_CUBE, _PYRAMID = 4, 11  # Type ids of a black cube and a purple pyramid.
_NEAR = make_task("near(player1, black cube)", {"black cube": 1}, [])


class ActTest(absltest.TestCase):
  """Tests in fake environments, in which nothing moves."""

  def setUp(self):
    super().setUp()
    self.player = expert.Expert(1)

  def act(self, task, view):
    world = fakes.make_world([task], view)
    self.player.observe(world)
    [action] = self.player.act(world)
    return tuple(action.tolist())

  def test_keeps_still_only_while_its_goal_pays(self):
    rule = make_task(
      "hold(player1, black sphere)",
      {"black cube": 1},
      ["near(player1, black cube) -> black sphere"],
    )
    for task, step, reward, still in (
      (_NEAR, 1, 0.1, True),
      (_NEAR, 1, 0.0, False),
      (_NEAR, 0, 0.1, False),  # The reward is of the trial before.
      (rule, 1, 0.1, False),
    ):
      at = {0: (_CUBE, (3.0, 0.0, 0.2))}
      view = fakes.make_batch(at, step=step, reward=reward)
      self.assertEqual(self.act(task, view) == constants.NOOP_ACTION, still)

  def test_another_task_takes_the_place_of_the_first(self):
    at = {0: (_CUBE, (3.0, 0.0, 0.2)), 1: (_PYRAMID, (0.0, 3.0, 0.2))}
    view = fakes.make_batch(at)
    other = make_task(
      "near(player1, purple pyramid)", {"purple pyramid": 1}, []
    )
    self.assertEqual(self.act(_NEAR, view)[0], 2)  # Ahead,
    self.assertEqual(self.act(other, view)[2], 4)  # then to the left.

  def test_goes_where_the_way_is_short(self):
    # A high wall is between the player and the nearer cube.
    at = {0: (_CUBE, (2.5, 0.0, 0.2)), 1: (_CUBE, (-3.0, 0.0, 0.2))}
    view = fakes.make_batch(at, yaw=np.pi)
    view.heights[:, 5, :7] = 4
    self.assertEqual(self.act(_NEAR, view)[0], 2)

  def test_a_rule_needs_contact_only_for_a_moment(self):
    objects = {"black cube": 1, "purple pyramid": 1}
    touching = "touching(black cube, purple pyramid)"
    goal = make_task(touching, objects, [])
    rule = make_task(
      "hold(player1, black sphere)", objects, [f"{touching} -> black sphere"]
    )
    at = {0: (_CUBE, (0.9, 0.0, 0.5)), 1: (_PYRAMID, (1.3, 0.0, 0.2))}
    for task, walks in ((goal, False), (rule, True)):
      player = expert.Expert(1)
      world = fakes.make_world([task], fakes.make_batch(at, held=0))
      self.assertEqual(player.act(world)[0, 0] == 2, walks)

  def test_grips_nothing_that_a_rule_takes_away(self):
    objects = {"black cube": 1, "purple pyramid": 1}
    goal = "near(black cube, purple pyramid)"
    rules = [f"hold(player1, {name}) -> nothing" for name in objects]
    at = {0: (_CUBE, (1.6, 0.0, 0.2)), 1: (_PYRAMID, (1.6, 3.0, 0.2))}
    for task, grip in (
      (make_task(goal, objects, []), 1),
      (make_task(goal, objects, rules), 0),
    ):
      world = fakes.make_world([task], fakes.make_batch(at))
      self.assertEqual(expert.Expert(1).act(world)[0, 4], grip)

  def test_tries_another_way_after_failures_and_forgets_them(self):
    task = make_task(
      "near(player1, black sphere)",
      {"black cube": 1, "purple pyramid": 1},
      [
        "hold(player1, black cube) -> black sphere",
        "hold(player1, purple pyramid) -> black sphere",
      ],
    )
    at = {0: (_CUBE, (1.7, 0.0, 0.2)), 1: (_PYRAMID, (0.0, 3.5, 0.2))}
    turns = [self.act(task, fakes.make_batch(at))[2] for _ in range(75)]
    self.assertNotIn(4, turns[:70])
    self.assertEqual(turns[-1], 4)  # To the left.
    self.assertNotEqual(self.act(task, fakes.make_batch(at, step=0))[2], 4)

  def test_only_the_rows_asked_for_act(self):
    at = {0: (_CUBE, (3.0, 0.0, 0.2))}
    views = (fakes.make_batch(at, reward=r) for r in (0.1, 0.0))
    world = fakes.make_world([_NEAR, _NEAR], *views)
    player = expert.Expert(2)
    actions = player.act(world)
    self.assertEqual((actions.shape, actions.dtype), ((2, 6), np.int32))
    self.assertEqual(actions[:, 0].tolist(), [1, 2])
    np.testing.assert_array_equal(player.act(world, [1]), actions[1:])
    self.assertEqual(player.act(world, []).shape, (0, 6))


class _PayingLand:
  """A fake of `land.Land`: episodes of two steps, paid by a function."""

  def __init__(self, num_envs, next_task, pay):
    self.num_envs = num_envs
    self._next_task, self._pay = next_task, pay
    self._time = 0

  def __getattr__(self, name) -> Any:
    views = [fakes.make_batch({})] * self.num_envs
    return getattr(fakes.make_world(self.tasks, *views), name)

  def reset(self):
    self.tasks = [self._next_task(i) for i in range(self.num_envs)]
    self._paid = np.array([self._pay(task) for task in self.tasks])

  def step(self, actions):
    self._time = (self._time + 1) % 3
    if not self._time:
      self.reset()
    return types.SimpleNamespace(
      reward=self._paid / 2 * bool(self._time),
      first=np.full(self.num_envs, self._time == 0),
      last=np.full(self.num_envs, self._time == 2),
    )


class RewardsTest(absltest.TestCase):
  def test_the_best_run_of_each_task_counts(self):
    # Of 66 runs, 64 are side by side; then there are fewer than environments.
    task = make_task("hold(player1, black cube)", {"yellow cube": 1}, [])
    tasks = [dataclasses.replace(task, name=str(i)) for i in range(33)]
    plays = collections.Counter()
    made, seen = [], []

    def pay(task):
      self.assertEqual(task.trials, 1)
      plays[task.name] += 1
      first = int(task.name)
      return [32 - first, first, 99][min(plays[task.name], 3) - 1]

    def make_land(num_envs, next_task, seed=0) -> Any:
      made.append(seed)
      return _PayingLand(num_envs, next_task, pay)

    rewards = expert.expert_rewards(
      tasks, make_land, 2, 7, lambda *done: seen.append(done)
    )
    expected = [max(i, 32 - i) for i in range(33)]
    np.testing.assert_array_equal(rewards, expected)
    self.assertEqual(made, [7])
    self.assertEqual(seen, [(i, 66) for i in range(1, 67)])


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
