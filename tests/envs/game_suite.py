"""Tests of the game in `Land` that must pass on every physics back end."""

import dataclasses

import numpy as np

from adaland.envs import constants, land
from adaland.envs.tasks.literals import Literal, Rule
from adaland.envs.tasks.task import ObjectSpec, World
from tests.envs import fixtures, land_suite

_CUBE, _SPHERE, _PYRAMID = fixtures.CUBE, fixtures.SPHERE, fixtures.PYRAMID
_WALL = fixtures.ObjectType.from_name("purple wall")


def _facing(env: land.Land, at) -> np.ndarray:
  """Returns actions that turn the players towards a point."""
  actions = fixtures.noop()
  for i in range(env.num_envs):
    view = env.state_view(i)
    way = np.asarray(at) - view.player_pos[0, :2]
    error = np.arctan2(way[1], way[0]) - view.yaw[0]
    error = (error + np.pi) % (2 * np.pi) - np.pi
    rates = np.asarray(constants.TURN_RATES) * constants.STEP_SECONDS
    actions[i, 2] = np.abs(rates - error).argmin()
  return actions


class GameSuite(land_suite.LandCase):
  """The tests; `land_test` and `gpu_land_test` run them."""

  def test_reward_is_given_while_the_goal_holds(self):
    near, far = (
      fixtures.make_task(
        [(_CUBE, (x, 0.0))],
        Literal("near", fixtures.PLAYER, _CUBE),
        trials=2,
      )
      for x in (0.8, 2.0)
    )
    env = self.land(near, far)
    np.testing.assert_array_equal(env.reset().reward, 0)
    for _ in range(3):
      step = env.step(fixtures.noop())
      np.testing.assert_allclose(step.reward, [constants.STEP_SECONDS, 0])
      np.testing.assert_array_equal(
        step.observation["last_reward"], step.reward
      )
    paid = env.state_view(0).trial_rewards
    np.testing.assert_allclose(paid, [[3 * constants.STEP_SECONDS], [0]])
    for _ in range(14):  # Into the next trial.
      env.step(fixtures.noop())
    paid = env.state_view(0).trial_rewards
    expected = [[15 * constants.STEP_SECONDS], [2 * constants.STEP_SECONDS]]
    np.testing.assert_allclose(paid, expected, rtol=1e-5)
    for _ in range(15):  # Into the next episode, with tasks swapped.
      env.step(fixtures.noop())
    paid = env.batch_view().trial_rewards[:, 0, 0]
    np.testing.assert_allclose(paid, [0, constants.STEP_SECONDS])

  def test_a_firing_rule_spawns_its_object(self):
    task = fixtures.make_task(
      [(_CUBE, (2.0, 0.0)), (_SPHERE, (2.0, 0.7))],
      Literal("see", fixtures.PLAYER, _PYRAMID),
      [Rule(Literal("near", _CUBE, _SPHERE), (_PYRAMID,))],
    )
    env = self.land(task)
    env.reset()
    env.step(_facing(env, (2.0, 0.35)))
    view = env.state_view(0)
    self.assertEqual(list(view.slot_types), [_PYRAMID.type_id] + [0] * 5)
    np.testing.assert_allclose(view.object_pos[0, :2], [2, 0.35], atol=0.02)
    np.testing.assert_array_equal(view.fired, [1, 0, 0, 0, 0, 0])
    for _ in range(12):
      step = env.step(_facing(env, (2.0, 0.35)))
    # The object stays in place and is seen; the next trial starts without it.
    view = env.state_view(0)
    np.testing.assert_allclose(view.object_pos[0, :2], [2, 0.35], atol=0.05)
    np.testing.assert_allclose(step.reward, constants.STEP_SECONDS)
    env.step(fixtures.noop())
    env.step(fixtures.noop())
    self.assertEqual(env.state_view(0).slot_types[1], _SPHERE.type_id)
    env.step(fixtures.noop())
    self.assertTrue(env.state_view(0).fired[0])
    env.reset()
    self.assertFalse(env.state_view(0).fired[0])

  def test_spawns_without_a_free_slot_are_counted(self):
    task = fixtures.make_task(
      [(_CUBE, (0.8, 0.0)), *[(_SPHERE, (-2, y)) for y in (-2, -1, 0, 1)]],
      Literal("hold", fixtures.PLAYER, _CUBE),
      [Rule(Literal("near", fixtures.PLAYER, _CUBE), (_PYRAMID,) * 4)],
      trials=1,
    )
    env = self.land(task, fixtures.busy_task(trials=1))
    env.reset()
    before = env.dropped_spawns
    env.step(fixtures.noop())
    np.testing.assert_array_equal(env.dropped_spawns, [2, 0])
    np.testing.assert_array_equal(before, 0)  # The caller's own.
    for _ in range(15):  # Into the next episode, with tasks swapped.
      step = env.step(fixtures.noop())
    np.testing.assert_array_equal(step.first, True)
    np.testing.assert_array_equal(env.dropped_spawns, 0)
    env.step(fixtures.noop())
    np.testing.assert_array_equal(env.dropped_spawns, [0, 2])

  def test_what_takes_the_slot_of_a_frozen_object_is_not_frozen(self):
    task = fixtures.make_task(
      [(_CUBE, (0.8, 0.0))],
      Literal("hold", fixtures.PLAYER, _SPHERE),
      [Rule(Literal("near", fixtures.PLAYER, _CUBE), (_SPHERE,))],
      frozen=True,
    )
    env = self.land(task)
    env.reset()
    self.assertTrue(env.state_view(0).frozen[0])
    env.step(fixtures.noop())
    view = env.state_view(0)
    self.assertEqual(view.slot_types[0], _SPHERE.type_id)
    self.assertFalse(view.frozen[0])

  def test_a_rule_that_consumes_what_is_held_empties_the_hand(self):
    held = Literal("hold", fixtures.PLAYER, _CUBE)
    task = fixtures.make_task(
      [(_CUBE, (1.2, 0.0))], held, [Rule(held)], trial_seconds=8.0
    )
    env = self.land(task)
    env.reset()
    paid = np.zeros(fixtures.NUM_ENVS)
    for _ in range(40):
      actions = _facing(env, (1.2, 0.0))
      actions[:, 4] = 1
      step = env.step(actions)
      paid += np.asarray(step.reward)
      view = env.state_view(0)
      if view.fired[0]:
        break
    self.assertTrue(view.fired[0])
    self.assertEqual(view.held[0], -1)
    self.assertEqual(step.observation["proprio"][0, 0], 0)
    np.testing.assert_array_equal(paid, 0)
    # It was in sight, and is not any more.
    self.assertFalse(view.visible[0, 1])
    np.testing.assert_array_equal(step.observation["entities"][0, 0], 0)

  def test_walks_to_an_object_grips_carries_and_drops_it(self):
    task = fixtures.make_task(
      [(_CUBE, (1.5, 0.0))],
      Literal("hold", fixtures.PLAYER, _CUBE),
      trial_seconds=8.0,
    )
    env = self.land(task)
    env.reset()
    for _ in range(20):
      env.step(_facing(env, (1.5, 0.0)))
    for _ in range(8):
      actions = _facing(env, env.state_view(0).object_pos[0, :2])
      actions[:, 4] = 1
      step = env.step(actions)
    view = env.state_view(0)
    self.assertEqual(view.held[0], 0)
    np.testing.assert_allclose(step.reward, constants.STEP_SECONDS)
    np.testing.assert_allclose(step.observation["proprio"][:, 0], 1)
    np.testing.assert_array_equal(step.observation["entities"][:, 0, 5], 1)
    for _ in range(5):
      actions = fixtures.noop()
      actions[:, 0], actions[:, 4] = 0, 1  # Backwards.
      step = env.step(actions)
    view = env.state_view(0)
    self.assertEqual(view.held[0], 0)
    self.assertLess(view.object_pos[0, 0], 1.0)
    step = env.step(fixtures.noop())
    self.assertEqual(env.state_view(0).held[0], -1)
    np.testing.assert_array_equal(step.reward, 0)

  def test_touching_objects_satisfy_the_goal(self):
    def make(sphere_at):
      return fixtures.make_task(
        [(_CUBE, (2.0, 0.0)), (_SPHERE, sphere_at)],
        Literal("touching", _CUBE, _SPHERE),
      )

    env = self.land(make((2.0, 0.42)), make((2.0, 0.6)))
    env.reset()
    step = env.step(fixtures.noop())
    np.testing.assert_allclose(step.reward, [constants.STEP_SECONDS, 0])

  def test_frozen_objects_are_not_gripped(self):
    task = fixtures.make_task(
      [(_CUBE, (1.2, 0.0))],
      Literal("hold", fixtures.PLAYER, _CUBE),
      frozen=True,
      trial_seconds=4.0,
    )
    env = self.land(task)
    env.reset()
    for _ in range(25):
      actions = _facing(env, (1.2, 0.0))
      actions[:, 4] = 1
      step = env.step(actions)
    self.assertEqual(step.observation["entities"][0, 0, 0], 1)
    self.assertEqual(env.state_view(0).held[0], -1)

  def test_hidden_objects_are_not_gripped(self):
    free = fixtures.make_task(
      [(_CUBE, (1.7, 0.0))],
      Literal("hold", fixtures.PLAYER, _CUBE),
      trial_seconds=4.0,
    )
    wall = ObjectSpec(_WALL, at=((1.2, 0.0),), frozen=True)
    hidden = dataclasses.replace(free, objects=(*free.objects, wall))
    env = self.land(hidden, free)
    env.reset()
    for _ in range(25):
      actions = _facing(env, (1.7, 0.0))
      actions[:, 4] = 1
      env.step(actions)
    np.testing.assert_array_equal(env.batch_view().held[:, 0], [-1, 0])

  def test_a_trial_that_starts_elsewhere_hides_nothing(self):
    # On uneven ground, rays tell what is in sight.
    heights = np.zeros((6, 6), int)
    heights[0, 0] = 1
    short, long = (
      dataclasses.replace(
        fixtures.make_task(
          [(_CUBE, (2.0, 0.0))],
          Literal("hold", fixtures.PLAYER, _CUBE),
          trial_seconds=seconds,
        ),
        world=World(tiles=(6, 6), levels=2, heights=heights.tolist()),
      )
      for seconds in (2.0, 4.0)
    )
    env = self.land(short, long)
    env.reset()
    for _ in range(15):
      step = env.step(_facing(env, (2.0, 0.0)))
    np.testing.assert_array_equal(step.trial_last, [True, False])
    self.assertTrue(env.state_view(1).visible[0, 1])
    self.assertEqual(step.observation["entities"][1, 0, 0], 1)
    # The other player now looks away, and sees nothing that it saw before.
    view = env.state_view(0)
    way = view.object_pos[0, :2] - view.player_pos[0, :2]
    error = np.arctan2(way[1], way[0]) - view.yaw[0]
    self.assertLess(np.cos(error), np.cos(constants.FOV_X / 2))
    self.assertFalse(view.visible[0, 1])

  def test_a_wall_hides_objects_behind_it(self):
    # The line from the eye at 0.85 m to the centre of a cube 2 m away passes
    # the wall, which is 0.5 m high, at a height of 0.4 m.
    task = fixtures.make_task(
      [(_WALL, (1.4, 0.0)), (_CUBE, (2.0, 0.0)), (_SPHERE, (2.0, 1.6))],
      Literal("see", fixtures.PLAYER, _CUBE),
      trial_seconds=8.0,
    )
    env = self.land(task)
    env.reset()
    for _ in range(25):
      step = env.step(_facing(env, (2.0, 0.0)))
    view = env.state_view(0)
    np.testing.assert_array_equal(view.visible[0, 1:4], [True, False, True])
    rows = step.observation["entities"][0]
    np.testing.assert_array_equal(rows[:3, 0], [1, 0, 1])
    np.testing.assert_array_equal(rows[1], 0)
    np.testing.assert_array_equal(step.reward, 0)
    # The sphere, ahead and to the left, seen from the eye.
    np.testing.assert_allclose(rows[2, 1:3], [0.2, 0.16], atol=0.01)

  def test_an_object_between_two_others_blocks_their_sight(self):
    def make(wall_at):
      return fixtures.make_task(
        [(_SPHERE, (-2.0, 2.0)), (_CUBE, (-2.0, -2.0)), (_WALL, wall_at)],
        Literal("see", _CUBE, _SPHERE),
      )

    env = self.land(make((-2.0, 0.0)), make((-1.0, 0.0)))
    env.reset()
    step = env.step(fixtures.noop())
    np.testing.assert_allclose(step.reward, [0, constants.STEP_SECONDS])
