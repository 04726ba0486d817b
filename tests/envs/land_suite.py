"""Tests of `Land`'s interface that must pass on every physics back end."""

import dataclasses

import jax
import numpy as np
from absl.testing import parameterized

from adaland.envs import constants, land
from adaland.envs.tasks.arrays import to_arrays
from adaland.envs.tasks.literals import Literal, Rule
from adaland.envs.tasks.task import PlayerSpec
from tests.envs import fixtures

_CUBE, _SPHERE = fixtures.CUBE, fixtures.SPHERE


class LandCase(parameterized.TestCase):
  """A test of environments on some physics back end."""

  def land(self, *tasks, config=fixtures.CONFIG, seed=0) -> land.Land:
    """Makes environments that start the tasks in turn."""
    return fixtures.make_land(*tasks, config=config, seed=seed)


class LandSuite(LandCase):
  """The tests; `land_test` and `gpu_land_test` run them."""

  def test_observations_match_their_spec(self):
    env = self.land(fixtures.busy_task())
    for step in (env.reset(), env.step(fixtures.noop())):
      spec = env.observation_spec()
      self.assertEqual(set(step.observation), set(spec))
      for name, (shape, dtype) in spec.items():
        value = step.observation[name]
        self.assertEqual(value.shape, (fixtures.NUM_ENVS, *shape), name)
        self.assertEqual(value.dtype, dtype, name)

  def test_episode_protocol(self):
    first = fixtures.busy_task(trials=2)
    second = fixtures.make_task(
      [(_CUBE, (1.2, 0.0))],
      Literal("hold", fixtures.PLAYER, _CUBE),
      trials=1,
      trial_seconds=4.0,
    )
    env = self.land(first, second)  # Environment 1 starts with second.
    steps = [env.reset()] + [env.step(fixtures.noop()) for _ in range(32)]

    def when(field):
      flags = np.stack([getattr(step, field) for step in steps])
      return [list(np.flatnonzero(flags[:, i])) for i in range(2)]

    self.assertEqual(when("first"), [[0, 31], [0, 31]])
    self.assertEqual(when("last"), [[30], [30]])
    self.assertEqual(when("trial_last"), [[15, 30], [30]])
    self.assertEqual(env.tasks, [second, first])
    for step in steps:  # Trials do not end the return.
      np.testing.assert_array_equal(step.discount, 1 - step.last)
    np.testing.assert_array_equal(steps[31].reward, 0)
    np.testing.assert_array_equal(
      steps[31].observation["last_action"], np.full([2, 6], -1)
    )
    # Two trials remain, then one; the step after the last action of trial 1
    # already belongs to trial 2.
    clock = np.stack([step.observation["clock"][0] for step in steps])
    self.assertEqual(list(clock[14, :2]), [0, 1])
    self.assertEqual(list(clock[15, :2]), [1, 0])

  def test_host_and_device_clocks_agree(self):
    lengths = ((1, 2.0), (3, 2.5), (2, 3.0))
    tasks = [fixtures.busy_task(*length) for length in lengths]
    env = self.land(*tasks)
    rng = np.random.default_rng(0)
    env.reset()
    ends = 0
    for _ in range(130):
      on_device = env.stepper.state.clock
      for host, device in zip(env.clock.now, on_device, strict=True):
        np.testing.assert_array_equal(host, device)
      ends += env.step(fixtures.random_actions(rng)).last.sum()
    self.assertGreater(ends, 4)

  def test_action_in_the_step_that_starts_an_episode_is_ignored(self):
    task = fixtures.busy_task(trials=1)
    envs = [self.land(task) for _ in range(2)]
    rng = np.random.default_rng(0)
    for env in envs:
      env.reset()
      for _ in range(15):
        env.step(fixtures.noop())
    a = envs[0].step(fixtures.noop())
    b = envs[1].step(fixtures.random_actions(rng))
    for name in a.observation:
      np.testing.assert_array_equal(a.observation[name], b.observation[name])

  @parameterized.parameters("entities", "pixels")
  def test_bit_equal_at_any_number_of_threads(self, observation):
    tasks = [fixtures.busy_task(), fixtures.busy_task(trials=3)]
    rollouts = []
    for threads in (1, 2):
      config = dataclasses.replace(
        fixtures.PIXELS, num_threads=threads, observation=observation
      )
      env = self.land(*tasks, config=config, seed=5)
      rng = np.random.default_rng(7)
      steps = [env.reset()]
      steps += [env.step(fixtures.random_actions(rng)) for _ in range(40)]
      rollouts.append(steps)
    for a, b in zip(*rollouts, strict=True):
      np.testing.assert_array_equal(a.reward, b.reward)
      for name in a.observation:
        np.testing.assert_array_equal(a.observation[name], b.observation[name])
    # The rollout is not trivial: some goals were satisfied.
    self.assertGreater(sum(step.reward.sum() for step in rollouts[0]), 0)

  def test_world_is_restored_between_trials_except_yaw(self):
    env = self.land(fixtures.busy_task(trials=3))
    env.reset()
    start = env.state_view(0)
    rng = np.random.default_rng(1)
    actions = [fixtures.random_actions(rng) for _ in range(15)]
    for action in actions[:-1]:
      env.step(action)
    self.assertFalse(
      np.array_equal(env.state_view(0).object_pos, start.object_pos)
      and np.array_equal(env.state_view(0).slot_types, start.slot_types)
    )
    env.step(actions[-1])
    again = env.state_view(0)
    for field in ("slot_types", "object_pos", "object_quat", "player_pos"):
      np.testing.assert_array_equal(
        getattr(again, field), getattr(start, field)
      )
    self.assertNotEqual(again.yaw[0], start.yaw[0])
    self.assertEqual((again.trial, again.step, again.held[0]), (1, 0, -1))

  def test_yaw_depends_on_seed_episode_task_and_trial_alone(self):
    task = fixtures.busy_task()
    a = self.land(fixtures.busy_task(trials=1), task, seed=[1, 9])
    b = self.land(task, seed=[9, 4])
    a.reset()
    b.reset()
    first = b.state_view(0).yaw[0]
    self.assertEqual(a.state_view(1).yaw[0], first)
    self.assertNotEqual(first, b.state_view(1).yaw[0])
    # A repeated task starts in another direction.
    other = b.state_view(1).yaw[0]
    b.reset()
    self.assertNotEqual(first, b.state_view(0).yaw[0])
    b.seed([9, None])
    b.reset()
    self.assertEqual(first, b.state_view(0).yaw[0])
    self.assertNotEqual(other, b.state_view(1).yaw[0])

  def test_one_and_two_players_share_a_batch(self):
    goal = Literal("near", fixtures.PLAYER, _CUBE)
    alone = fixtures.make_task([(_CUBE, (0.8, 0.0))], goal, trials=1)
    both = dataclasses.replace(
      alone,
      players=(*alone.players, PlayerSpec(goal, (-1.5, 0.0))),
      hiding=(),
    )
    config = dataclasses.replace(fixtures.CONFIG, num_players=2)
    env = self.land(alone, both, config=config)
    rng = np.random.default_rng(0)
    env.reset()
    for _ in range(2):  # The tasks are swapped after an episode.
      absent = int(len(env.tasks[0].players) == 2)
      paid = np.zeros((2, 2))
      for _ in range(14):
        actions = rng.integers(0, constants.ACTION_SIZES, (2, 2, 6))
        actions[:, 0, :2] = 1  # The first player stays near the cube.
        actions[:, 0, 4] = 0
        step = env.step(actions)
        paid += step.reward
        observation = jax.tree.map(np.asarray, step.observation)
        for name, value in observation.items():
          self.assertFalse(value[absent, 1].any(), name)
        for name in ("clock", "goal"):
          self.assertTrue(observation[name][absent, 0].any(), name)
          self.assertTrue(observation[name][1 - absent].any(), name)
        view = env.state_view(absent)
        self.assertLess(view.player_pos[1, 2], -10)
        self.assertFalse(view.visible[0, 1])
      self.assertGreater(paid[:, 0].min(), 0.5)
      self.assertEqual(paid[absent, 1], 0)
      self.assertEqual(paid[1 - absent, 1], paid[1 - absent, 0])
      for _ in range(2):  # The episode's last step and the next one's first.
        env.step(actions)

  def test_observed_rules_have_hidden_parts(self):
    task = fixtures.busy_task()
    observation = self.land(task).reset().observation
    arrays = to_arrays(task)
    np.testing.assert_array_equal(observation["goal"][0], arrays.goal[0])
    np.testing.assert_array_equal(
      observation["rules"][0], arrays.seen_rules[0, :6]
    )
    self.assertEqual(observation["rules"][0, 0, 1], constants.HIDDEN_RULE)

  @parameterized.parameters(
    ([[0] * 5] * 2, r"shape \(2, 5\), allowed: \(2, 6\)"),
    ([[0] * 6] * 3, r"shape \(3, 6\), allowed: \(2, 6\)"),
    ([[3, 0, 0, 0, 0, 0]] * 2, "range"),
    ([[0, 0, 0, 0, -1, 0]] * 2, "range"),
    ([[2**32, 0, 0, 0, 0, 0]] * 2, "range"),
    ([[0.9, 0, 0, 0, 0, 0]] * 2, "actions are float64, allowed: integers"),
  )
  def test_refuses_bad_actions(self, actions, word):
    env = self.land(fixtures.busy_task())
    env.reset()
    with self.assertRaisesRegex(ValueError, word):
      env.step(np.asarray(actions))

  def test_refuses_too_many_rules(self):
    rule = Rule(Literal("near", _CUBE, _SPHERE), ())
    task = fixtures.make_task(
      [(_CUBE, None)], Literal("near", fixtures.PLAYER, _CUBE), [rule] * 7
    )
    with self.assertRaisesRegex(ValueError, "7, allowed: at most 6"):
      self.land(task).reset()
