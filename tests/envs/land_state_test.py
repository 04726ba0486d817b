"""Tests that saved environments continue bit-exactly."""

import dataclasses
import json

import numpy as np
from absl.testing import absltest
from mujoco import batch as mujoco_batch

from adaland.agent.checkpoint import document
from adaland.envs import constants, land, land_state
from adaland.envs.physics import cpu
from adaland.envs.tasks.literals import Literal, Rule
from adaland.envs.tasks.task import World
from tests.envs import fixtures

_CUBE, _SPHERE, _PYRAMID = fixtures.CUBE, fixtures.SPHERE, fixtures.PYRAMID
_WALL = fixtures.ObjectType.from_name("purple wall")


def _tasks():
  """Returns a task with a cube in reach on flat ground, and one on hills."""
  objects = [
    (_CUBE, (0.9, 0.0)),
    (_SPHERE, (-1.5, 1.5)),
    (_PYRAMID, (-1.5, 2.0)),
    (_WALL, (2.0, -2.0)),
  ]
  rules = [Rule(Literal("near", _SPHERE, _PYRAMID), (_SPHERE, _SPHERE))]
  first = fixtures.make_task(
    objects,
    Literal("touching", fixtures.PLAYER, _CUBE),
    rules,
    trial_seconds=4.0,
  )
  checkers = tuple(tuple((x + y) % 2 for y in range(10)) for x in range(10))
  rugged = dataclasses.replace(
    first, world=World(tiles=(10, 10), levels=2, heights=checkers)
  )
  return first, rugged


def _take_the_cube(env: land.Land) -> np.ndarray:
  """Turns to the cube with a closed hand, then goes backwards with it."""
  actions = fixtures.noop()
  actions[:, 4] = 1
  for i in range(env.num_envs):
    view = env.state_view(i)
    if view.held[0] >= 0:
      actions[i, 0] = 0
      continue
    way = view.object_pos[0, :2] - view.player_pos[0, :2]
    error = np.arctan2(way[1], way[0]) - view.yaw[0]
    error = (error + np.pi) % (2 * np.pi) - np.pi
    rates = np.asarray(constants.TURN_RATES) * constants.STEP_SECONDS
    actions[i, 2] = np.abs(rates - error).argmin()
    actions[i, 3] = 0 if view.pitch[0] > -0.7 else 1
  return actions


def _batch(env: land.Land) -> mujoco_batch.Batch:
  assert isinstance(env.physics, cpu.CpuPhysics)
  return env.physics.batch


class LandStateTest(absltest.TestCase):
  def test_loaded_environments_continue_bit_by_bit(self):
    first, rugged = _tasks()
    one = fixtures.make_land(first, rugged, seed=4)
    asleep = _batch(one).bind("tree_asleep")
    one.reset()
    for _ in range(24):
      one.step(_take_the_cube(one))
    views = [one.state_view(i) for i in range(one.num_envs)]
    # One player holds the cube, and rules fired in all environments.
    self.assertTrue(any(view.held[0] == 0 for view in views))
    for view in views:
      self.assertEqual((view.slot_types == _SPHERE.type_id).sum(), 2)
    self.assertGreater((np.asarray(asleep) >= 0).sum(), one.num_envs)
    land_state.settle(one)
    saved = document.from_json(
      json.loads(json.dumps(document.to_json(land_state.save(one))))
    )
    # These have other tasks at first, which must leave no trace.
    other = fixtures.make_land(rugged, first, seed=99)
    land_state.load(other, saved)
    rng = np.random.default_rng(0)
    ends = 0
    for step in range(60):
      actions = (
        _take_the_cube(one) if step < 4 else fixtures.random_actions(rng)
      )
      a, b = one.step(actions), other.step(actions)
      ends += a.last.sum() + a.trial_last.sum()
      if a.last.any():
        break  # The next tasks are not part of the saved state.
      for field in ("reward", "first", "last", "trial_last", "discount"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
      for name, value in a.observation.items():
        np.testing.assert_array_equal(value, b.observation[name], name)
      for i in range(one.num_envs):
        for x, y in zip(one.state_view(i), other.state_view(i), strict=True):
          np.testing.assert_array_equal(x, y)
      np.testing.assert_array_equal(_batch(one).state, _batch(other).state)
    self.assertGreater(ends, one.num_envs)

  def test_absent_players_stay_absent(self):
    task, _ = _tasks()
    config = dataclasses.replace(fixtures.CONFIG, num_players=2)
    one = fixtures.make_land(task, config=config)
    one.reset()
    saved = land_state.save(one)
    episodes = saved["episodes"].copy()
    other = fixtures.make_land(task, config=config)
    land_state.load(other, saved)
    actions = np.tile(fixtures.noop()[:, None], (1, 2, 1))
    for name, value in other.step(actions).observation.items():
      self.assertFalse(value[:, 1].any(), name)
    other.reset()
    np.testing.assert_array_equal(saved["episodes"], episodes)

  def test_lost_spawns_are_counted_on(self):
    task = fixtures.make_task(
      [(_CUBE, (0.8, 0.0)), *[(_SPHERE, (-2, y)) for y in (-2, -1, 0, 1)]],
      Literal("hold", fixtures.PLAYER, _CUBE),
      [Rule(Literal("near", fixtures.PLAYER, _CUBE), (_PYRAMID,) * 4)],
    )
    one = fixtures.make_land(task)
    one.reset()
    one.step(fixtures.noop())
    other = fixtures.make_land(task)
    land_state.load(other, land_state.save(one))
    np.testing.assert_array_equal(other.dropped_spawns, 2)

  def test_the_next_episode_follows_one_that_ended(self):
    one, other = (
      fixtures.make_land(fixtures.busy_task(trials=1), seed=seed)
      for seed in (4, 9)
    )
    one.reset()
    for _ in range(31):  # To the end of the second episode.
      step = one.step(fixtures.noop())
    self.assertTrue(step.last.all())
    land_state.load(other, land_state.save(one))
    for env in (one, other):
      self.assertTrue(env.step(fixtures.noop()).first.all())
    # The yaws depend on the number of the episode.
    np.testing.assert_array_equal(other.batch_view().yaw, one.batch_view().yaw)

  def test_settling_changes_nothing_visible(self):
    env = fixtures.make_land(fixtures.busy_task())
    env.reset()
    for _ in range(5):
      env.step(fixtures.noop())
    before = [env.state_view(i) for i in range(env.num_envs)]
    land_state.settle(env)
    for i, view in enumerate(before):
      for x, y in zip(view, env.state_view(i), strict=True):
        np.testing.assert_array_equal(x, y)


if __name__ == "__main__":
  absltest.main()
