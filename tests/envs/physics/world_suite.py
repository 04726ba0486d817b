"""Tests of objects and of repeated worlds, which every back end must pass.

`cpu_test` and `gpu.physics_test` run them.
"""

import numpy as np
from absl.testing import parameterized

from adaland.envs import constants
from adaland.envs.physics import parts
from tests.envs.physics import backends, fakes

_TYPES = (fakes.WALL, fakes.CUBE, fakes.SPHERE, fakes.PYRAMID)


class ObjectSuite(backends.BackendTest):
  @parameterized.parameters(*_TYPES)
  def test_objects_come_to_rest_in_place(self, type_id):
    physics = self.world(fakes.scene((type_id, 1.2, -0.7), yaws=[0.6]))
    start = physics.state()
    np.testing.assert_allclose(
      start.object_quat[0, 0], [np.cos(0.3), 0, 0, np.sin(0.3)], atol=1e-6
    )
    state = fakes.walk(physics, (0, 0), 30)
    np.testing.assert_allclose(
      state.object_pos[0, 0], start.object_pos[0, 0], atol=0.005
    )
    self.assertTrue(self.asleep(physics)[0].all())

  @parameterized.parameters(*_TYPES)
  def test_frozen_objects_never_move(self, type_id):
    """Pushed, hit from above, floating, or in contact from the start."""
    physics = self.world(
      fakes.scene(
        (type_id, 1.0, 0.0, 0.9),
        (type_id, -1.0, 0.0),
        (fakes.CUBE, 1.0, 0.0, 2.0),
        frozen=[0, 1],
        yaws=[0.4],
      )
    )
    start, contacts = physics.state(), np.zeros(2, int)
    for way in (1, -1, 1, -1):
      for _ in range(20):
        state = fakes.walk(physics, (2.5 * way, 0.0), 1)
        contacts = contacts + state.touching[0, [0, 1], [2, 3]]
    for name in ("object_pos", "object_quat"):
      np.testing.assert_array_equal(
        getattr(state, name)[:, :2], getattr(start, name)[:, :2]
      )
    self.assertGreater(contacts[0], 0)  # The player met the second object,
    self.assertGreater(contacts[1], 0)  # the falling cube the first.

  def test_empty_slots_sleep_outside_the_arena(self):
    physics = self.world(fakes.scene())
    state = fakes.walk(physics, (1, 0), 10)
    np.testing.assert_array_equal(
      state.object_pos, np.tile(np.array(parts.PARKING, np.float32), (1, 6, 1))
    )
    self.assertTrue(self.asleep(physics)[0].all())

  @parameterized.parameters((2.0, 0.0), (3.0, 1.5))
  def test_objects_cannot_be_carried_or_thrown_out(self, over, fling):
    """A hand reaches over the outer wall, whose top is at 2 m."""
    physics = self.world(
      fakes.scene((fakes.CUBE, 1.5, 0.0), heights=np.zeros((6, 6)))
    )
    rise = np.column_stack(
      [np.full(8, 1.5), np.zeros(8), np.linspace(0.2, 2.5, 8)]
    )
    out = np.column_stack(
      [np.linspace(1.5, 1.5 + over, 8), np.zeros(8), np.full(8, 2.5)]
    )
    out[-3:, 2] += np.linspace(0.0, fling, 3)
    states = fakes.hold(physics, 0, np.concatenate([rise, out]))
    self.assertGreater(states[-1].object_pos[0, 0, 2], 2.0)
    at = fakes.walk(physics, (0, 0), 30).object_pos[0, 0]
    self.assertLess(np.abs(at[:2]).max(), 3.0)
    self.assertBetween(at[2], 0.19, 0.35)

  @parameterized.parameters(fakes.CUBE, fakes.PYRAMID, fakes.SPHERE)
  def test_objects_can_not_be_pressed_into_walls(self, kind):
    """A hand keeps moving to a metre beyond the wall's face at x = 2 m."""
    heights = np.zeros((10, 10), int)
    heights[7:] = 4
    physics = self.world(
      fakes.scene((kind, 0.0, 0.0), heights=heights, players=((-1.0, 0, 0),))
    )
    for _ in range(40):
      at = physics.state().player_pos[0, 0] + np.array([1.0, 0.0, 1.0])
      physics.step(fakes.control(velocity=(2.5, 0.0), held=0, hand_at=at))
      self.assertLess(physics.state().object_pos[0, 0, 0], 2.02)

  @parameterized.parameters(0, 1)
  def test_what_falls_into_a_corner_of_the_room_comes_out(self, level):
    """A thin wall, as deep in the ground and the outer wall as falls get."""
    heights = np.zeros((6, 6), int)
    heights[0] = level
    ground = level * constants.LEVEL_METRES
    physics = self.world(
      fakes.scene((fakes.WALL, -2.977, 1.5, ground + 0.116), heights=heights)
    )
    at = fakes.walk(physics, (0, 0), 1).object_pos[0, 0]
    self.assertGreater(at[0], -2.95)
    self.assertGreater(at[2], ground + 0.2)

  @parameterized.parameters(((),), ((0,),))
  def test_what_rested_on_an_object_that_is_gone_falls(self, frozen):
    physics = self.world(
      fakes.scene(
        (fakes.CUBE, 2.0, 0.0), (fakes.CUBE, 2.0, 0.0, 0.601), frozen=frozen
      )
    )
    self.assertGreater(fakes.walk(physics, (0, 0), 30).object_pos[0, 1, 2], 0.5)
    self.assertTrue(self.asleep(physics)[0].all())
    one = np.array([0])
    physics.set_slots(one, one, np.array([0]), np.zeros((1, 3)))
    at = fakes.walk(physics, (0, 0), 15).object_pos[0, 1]
    np.testing.assert_allclose(at, [2.0, 0.0, 0.2], atol=0.02)

  def test_what_takes_the_place_of_an_object_about_to_sleep_falls(self):
    one = np.zeros(1, int)
    scene = fakes.scene((fakes.CUBE, 1.0, 0.0))
    physics = self.world(scene)
    for steps in range(1, 6):
      for height in (0.2, 0.2005, 0.201, 0.203):
        physics.load(one, [scene])
        cube = np.array([[1.0, 0.0, height]])
        physics.set_slots(one, one, np.array([fakes.CUBE]), cube)
        fakes.walk(physics, (0, 0), steps)
        sphere = np.array([[1.0, 0.0, 0.3]])
        physics.set_slots(one, one, np.array([fakes.SPHERE]), sphere)
        at = fakes.walk(physics, (0, 0), 10).object_pos[0, 0]
        self.assertLess(at[2], 0.23, (steps, height))

  def test_what_takes_the_place_of_an_object_held_still_falls(self):
    physics = self.world(fakes.scene((fakes.CUBE, 1.0, 0.0)))
    start = physics.state().object_pos[0, 0]
    for _ in range(20):
      physics.step(fakes.control(held=0, hand_at=start))
    physics.set_slots(
      np.zeros(1, int),
      np.zeros(1, int),
      np.array([fakes.SPHERE]),
      np.array([[1.0, 0.0, start[2] + 0.05]]),
    )
    for _ in range(10):
      physics.step(fakes.control())
    fall = start[2] + 0.05 - physics.state().object_pos[0, 0, 2]
    self.assertGreater(fall, 0.02)

  def test_random_play_is_stable(self):
    rng = np.random.default_rng(0)
    num_envs, num_slots = 3, self.many_slots
    heights, ramps = np.zeros((8, 8), int), np.zeros((8, 8), int)
    heights[5:, 2:6], ramps[4, 3] = 1, 1
    physics = self.make(num_envs, num_slots)
    cells = rng.permutation(16)[:num_slots]
    objects = [
      (int(type_id), x % 4 - 3.5, x // 4 - 1.5, 0.4)
      for type_id, x in zip(rng.integers(1, 13, num_slots), cells, strict=True)
    ]
    scene = fakes.scene(
      *objects, num_slots=num_slots, heights=heights, ramps=ramps
    )
    physics.load(np.arange(num_envs), [scene] * num_envs)
    control = fakes.control(num_envs)
    for step in range(self.many_steps):
      if step % 5 == 0:
        control = fakes.random_control(rng, physics.state())
      physics.step(control)
      state = physics.state()
      control = fakes.tear(control, state)
      # All objects are inside the walls and above the floor.
      self.assertLess(np.abs(state.object_pos[..., :2]).max(), 4.0)
      self.assertGreater(state.object_pos[..., 2].min(), 0.0)
    self.assertEqual(self.num_overflows(physics), 0)


class RepeatabilitySuite(backends.BackendTest):
  def test_restored_worlds_repeat(self):
    physics = self.make(3, 6)
    physics.load(np.arange(3), fakes.scenes(3))
    yaw = np.full((3, 1), 0.5)
    played = []
    for _ in range(3):
      physics.restore(np.arange(3), yaw)
      np.testing.assert_array_equal(physics.state().player_yaw, yaw)
      played.append(self.play(physics, 30))
    np.testing.assert_array_equal(played[0], played[1])
    np.testing.assert_array_equal(played[0], played[2])
    # A first trial in a fresh batch is the same.
    fresh = self.make(3, 6)
    fresh.load(np.arange(3), fakes.scenes(3))
    np.testing.assert_array_equal(self.play(fresh, 30), played[0])

  def test_loading_and_restoring_leave_the_others_alone(self):
    scenes = fakes.scenes(6)
    played = []
    for disturb in (False, True):
      physics = self.make(3, 6)
      physics.load(np.array([0, 1, 2]), scenes[:3])
      states = self.play(physics, 15, changes=False)
      if disturb:
        bumps = np.indices((8, 8)).sum(axis=0) % 2  # More than 32 boxes.
        tall = fakes.scene(
          (fakes.CUBE, 0.5, 0.5), heights=bumps, players=[(1.5, -0.5, 0.0)]
        )
        physics.load(np.array([2]), [tall])
        physics.load(np.array([2, 0]), scenes[3:5])
        physics.restore(np.array([2]), np.zeros((1, 1)))
      states += self.play(physics, 15, seed=1, changes=False)
      played.append(np.stack(states)[:, 1])
    np.testing.assert_array_equal(played[0], played[1])

  def test_large_terrain(self):
    """The other worlds keep their state, held objects included."""
    physics = self.make(2, 6)
    physics.load(np.arange(2), fakes.scenes(2))
    self.play(physics, 15)
    before = physics.state()
    bumps = np.indices((8, 8)).sum(axis=0) % 2  # More than 32 boxes.
    tall = fakes.scene(
      (fakes.CUBE, 0.5, 0.5), heights=bumps, players=[(1.5, -0.5, 0.0)]
    )
    one = np.array([1])
    physics.load(one, [tall])
    after = physics.state()
    for name in before._fields:
      np.testing.assert_array_equal(
        getattr(after, name)[0], getattr(before, name)[0], name
      )
    np.testing.assert_array_equal(
      after.object_pos[1, 0], np.float32(tall.slot_at[0])
    )
    # It is a world like any other; changes in both are told apart.
    both, kinds = np.arange(2), np.array([fakes.CUBE, fakes.SPHERE])
    at = np.array([[0.5, -3.0, 1.0], [-2.5, 0.5, 1.0]])
    physics.set_slots(both, np.array([2, 1]), kinds, at)
    moved = fakes.walk(physics, [[[0.0, 0.0]], [[0.5, 0.0]]], 12)
    np.testing.assert_array_equal(
      moved.object_pos[1, 2:], after.object_pos[1, 2:]
    )
    np.testing.assert_allclose(
      moved.object_pos[1, :2, 2], [0.2, 0.72], atol=0.03
    )
    self.assertGreater(moved.player_pos[1, 0, 0], after.player_pos[1, 0, 0])
    rays = (
      np.array([[[1.5, 0.5, 3.0]], [[-2.5, 0.5, 3.0]]]),
      np.array([[[0, 0, -1.0]]] * 2),
    )
    hits = physics.rays(*rays, np.full((2, 1), -1), normals=True)
    self.assertEqual(hits.node[1, 0], 2)
    self.assertGreater(hits.normal[1, 0, 2], 0.9)
    self.assertAlmostEqual(hits.distance[1, 0], 3 - 0.94, delta=0.03)
    alone = physics.rays(
      *(x[1:] for x in rays), np.full((1, 1), -1), True, env_ids=one
    )
    for found, expected in zip(alone, hits, strict=True):
      np.testing.assert_array_equal(found[0], expected[1])
    physics.restore(both, np.array([[0.1], [0.4]]))
    start = physics.state()
    np.testing.assert_array_equal(start.object_pos[1], after.object_pos[1])
    np.testing.assert_allclose(start.player_yaw[:, 0], [0.1, 0.4], atol=1e-6)
    # Worlds with the larger capacity step as those with the smaller one.
    played = []
    for size in (10, 16):
      bumps = np.indices((size, size)).sum(axis=0) % 2
      physics.load(one, [fakes.scene(heights=bumps)])
      physics.load(np.arange(2), fakes.scenes(2))
      played.append(self.play(physics, 15))
    np.testing.assert_array_equal(played[0], played[1])
    small = self.make(2, 6)
    small.load(np.arange(2), fakes.scenes(2))
    np.testing.assert_array_equal(self.play(small, 15), played[0])

  def test_a_respawned_slot_equals_a_fresh_one(self):
    physics = self.world(fakes.scene((fakes.WALL, 2.0, 0.0)))
    fakes.walk(physics, (2.5, 0), 10)
    zero = np.array([0])
    physics.restore(zero, np.zeros((1, 1)))
    at = np.array([[1.5, 1.0, 0.4]])
    physics.set_slots(zero, zero, np.array([fakes.PYRAMID]), at)
    fresh = self.world(fakes.scene((fakes.PYRAMID, *at[0])))
    for _ in range(10):
      fakes.walk(physics, (1.0, 1.0), 1)
      fakes.walk(fresh, (1.0, 1.0), 1)
      np.testing.assert_array_equal(
        self.dynamics(physics), self.dynamics(fresh)
      )
