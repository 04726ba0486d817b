"""Tests of avatars and grips, which every physics back end must pass.

`cpu_test` and `gpu.physics_test` run them.
"""

import numpy as np
from absl.testing import parameterized

from adaland.envs import constants
from tests.envs.physics import backends, fakes

_TYPES = (fakes.WALL, fakes.CUBE, fakes.SPHERE, fakes.PYRAMID)


class AvatarSuite(backends.BackendTest):
  @parameterized.parameters((1.0, 0.0), (0.0, -1.0), (-0.6, 0.8))
  def test_walking_covers_speed_times_time(self, x, y):
    start = np.array([-3.5 * x, -3.5 * y])
    physics = self.world(fakes.scene(players=[(*start, 0.0)]))
    steps = 18
    way = np.array([x, y]) * constants.WALK_SPEED
    state = fakes.walk(physics, way, steps)
    wanted = constants.WALK_SPEED * steps * constants.STEP_SECONDS
    covered = (state.player_pos[0, 0, :2] - start) @ [x, y]
    self.assertAlmostEqual(covered / wanted, 1.0, delta=0.05)
    self.assertAlmostEqual(state.player_pos[0, 0, 2], 0.0, delta=0.01)

  def test_stops_and_stays(self):
    physics = self.world(fakes.scene())
    fakes.walk(physics, (2.5, 0), 5)
    stopped = fakes.walk(physics, (0, 0), 5)
    later = fakes.walk(physics, (0, 0), 20)
    np.testing.assert_allclose(later.player_pos, stopped.player_pos, atol=0.005)

  def test_turning_is_exact_and_wraps(self):
    physics = self.world(fakes.scene())
    self.assertAlmostEqual(
      fakes.walk(physics, (0, 0), 6, 3.0).player_yaw[0, 0], 2.4, 5
    )
    self.assertAlmostEqual(
      fakes.walk(physics, (0, 0), 2, 3.0).player_yaw[0, 0], 3.2 - 2 * np.pi, 5
    )

  def test_walls_of_the_arena_hold(self):
    physics = self.world(fakes.scene(heights=np.zeros((4, 6), int)))
    state = fakes.walk(physics, (2.5, 2.5), 60)
    np.testing.assert_allclose(
      state.player_pos[0, 0, :2],
      np.array([2.0, 3.0]) - constants.AVATAR_RADIUS,
      atol=0.02,
    )

  @parameterized.parameters(*_TYPES)
  def test_pushing_moves_an_object(self, type_id):
    physics = self.world(fakes.scene((type_id, 1.0, 0.0)))
    state = fakes.walk(physics, (2.5, 0), 11)
    self.assertGreater(state.object_pos[0, 0, 0], 2.0)
    self.assertGreater(state.player_pos[0, 0, 0], 1.5)

  @parameterized.parameters(*_TYPES)
  def test_objects_are_not_squeezed_through_walls(self, type_id):
    physics = self.world(
      fakes.scene((type_id, 1.0, 0.0), heights=np.zeros((6, 6)))
    )
    state = fakes.walk(physics, (2.5, 0), 60)
    # No centre is closer than this to its object's surface.
    self.assertLess(state.object_pos[0, 0, 0], 3.0 - 0.08)

  @parameterized.parameters(1, 2, 3, 4)
  def test_climbs_ramps_but_not_cliffs(self, direction):
    # Along one row: floor, ramp, level 1, ramp, level 2, cliff, floor.
    heights, ramps = np.zeros((7, 7), int), np.zeros((7, 7), int)
    heights[1:5, 3] = 0, 1, 1, 2
    ramps[[1, 3], 3] = direction
    turn = direction - 1
    if turn >= 2:
      heights, ramps = heights[::-1], ramps[::-1]
    if turn % 2:
      heights, ramps = heights.T, ramps.T
    ahead = np.round([np.cos(turn * np.pi / 2), np.sin(turn * np.pi / 2)])
    start = (*(-3 * ahead), 0.0)
    physics = self.world(
      fakes.scene(heights=heights, ramps=ramps, players=[start])
    )
    tops = []
    for _ in range(18):
      up = fakes.walk(physics, 2.5 * ahead, 1)
      tops.append(up.player_pos[0, 0, 2])
    self.assertAlmostEqual(max(tops), 1.0, delta=0.05)
    # Beyond the cliff the avatar is on the floor and cannot return.
    for way in (ahead, -ahead):
      state = fakes.walk(physics, 2.5 * way, 15)
      self.assertAlmostEqual(state.player_pos[0, 0, 2], 0.0, delta=0.02)
      self.assertGreater(state.player_pos[0, 0, :2] @ ahead, 1.7)

  @parameterized.parameters((5, 1, 1), (6, -1, 1), (7, -1, -1), (8, 1, -1))
  def test_diagonal_cliffs_stop_it_and_are_fallen_off(self, form, dx, dy):
    i, j = np.indices((5, 5)) - 2
    heights, ramps = (i * dx + j * dy >= 1).astype(int), np.zeros((5, 5), int)
    ramps[2, 2] = form
    up = np.array([dx, dy]) / np.sqrt(2)
    scene = fakes.scene(heights=heights, ramps=ramps, players=[(*(-up), 0.0)])
    physics = self.world(scene)
    state = fakes.walk(physics, 2.5 * up, 12)
    # The diagonal goes through the origin.
    np.testing.assert_allclose(
      state.player_pos[0, 0],
      (*(-constants.AVATAR_RADIUS * up), 0.0),
      atol=0.03,
    )
    physics = self.world(scene._replace(player_at=np.array([(*up, 0.5)])))
    state = fakes.walk(physics, -2.5 * up, 3)
    self.assertAlmostEqual(state.player_pos[0, 0, 2], 0.5, delta=0.02)
    state = fakes.walk(physics, -2.5 * up, 8)
    self.assertAlmostEqual(state.player_pos[0, 0, 2], 0.0, delta=0.02)

  def test_stands_at_its_start_after_a_restore(self):
    physics = self.world(fakes.scene())
    start = physics.state().player_pos
    fakes.walk(physics, (2.5, 0), 3)
    fakes.walk(physics, (0, 0), 2)
    physics.restore(np.array([0]), np.zeros((1, 1)))
    stood = fakes.walk(physics, (0, 0), 3).player_pos
    np.testing.assert_allclose(stood, start, atol=0.005)

  def test_stands_still_on_a_ramp(self):
    ramps = np.zeros((3, 3), int)
    ramps[1, 1] = 1
    physics = self.world(
      fakes.scene(
        heights=np.zeros((3, 3)), ramps=ramps, players=[(0.0, 0.0, 0.3)]
      )
    )
    first = fakes.walk(physics, (0, 0), 4).player_pos
    later = fakes.walk(physics, (0, 0), 40).player_pos
    np.testing.assert_allclose(later[0, 0], first[0, 0], atol=0.01)

  def test_players_collide(self):
    physics = self.world(
      fakes.scene(players=[(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)])
    )
    control = fakes.control(
      velocity=np.array([[[2.5, 0], [0, 0]]]), num_players=2
    )
    for _ in range(15):
      physics.step(control)
    state = physics.state()
    gap = state.player_pos[0, 1, 0] - state.player_pos[0, 0, 0]
    self.assertGreater(gap, 2 * constants.AVATAR_RADIUS - 0.03)
    self.assertTrue(state.touching[0, 0, 1])


class GripSuite(backends.BackendTest):
  @parameterized.parameters(*_TYPES)
  def test_lifts_carries_and_drops(self, type_id):
    physics = self.world(fakes.scene((type_id, 1.2, 0.0)))
    low = physics.state().object_pos[0, 0].astype(float)
    lift = low + np.outer(np.linspace(0.1, 1, 10), (0, 0, 0.8))
    high = fakes.hold(physics, 0, lift)[-1]
    np.testing.assert_allclose(high.object_pos[0, 0], lift[-1], atol=0.05)
    # At walking speed; the object must not be torn away.
    stride = constants.WALK_SPEED * constants.STEP_SECONDS
    carry = lift[-1] + np.outer(np.arange(1, 8), (stride, 0, 0))
    for at, state in zip(carry, fakes.hold(physics, 0, carry), strict=True):
      lag = float(np.linalg.norm(state.object_pos[0, 0] - at))
      self.assertLess(lag, constants.TEAR_METRES / 4)
    fallen = fakes.walk(physics, (0, 0), 20)
    self.assertLess(fallen.object_pos[0, 0, 2], 0.5)

  def test_what_was_held_still_in_the_air_falls(self):
    physics = self.world(fakes.scene((fakes.WALL, 1.2, 0.0)))
    rise = np.column_stack(
      [np.full(10, 1.2), np.zeros(10), np.linspace(0.3, 2.0, 10)]
    )
    still = np.tile(rise[-1], (30, 1))
    held = fakes.hold(physics, 0, np.concatenate([rise, still]))[-1]
    self.assertGreater(held.object_pos[0, 0, 2], 1.8)
    self.assertLess(fakes.walk(physics, (0, 0), 8).object_pos[0, 0, 2], 0.5)

  @parameterized.parameters("set_slots", "restore")
  def test_what_takes_the_place_of_a_held_object_can_be_held(self, change):
    physics = self.world(fakes.scene((fakes.CUBE, 1.2, 0.0)))
    low = np.array([1.2, 0.0, 0.25])
    lift = low + np.outer(np.linspace(0.1, 1, 10), (0, 0, 0.8))
    fakes.hold(physics, 0, lift)
    one = np.array([0])
    if change == "restore":
      physics.restore(one, np.zeros((1, 1)))
    else:
      physics.set_slots(one, one, np.array([fakes.SPHERE]), lift[-1:])
    # Nothing holds it yet.
    self.assertLess(fakes.walk(physics, (0, 0), 8).object_pos[0, 0, 2], 0.5)
    high = fakes.hold(physics, 0, lift)[-1]
    np.testing.assert_allclose(high.object_pos[0, 0], lift[-1], atol=0.05)

  def test_an_object_that_appears_elsewhere_leaves_the_hand_alone(self):
    lift = np.array([1.2, 0.0, 0.25]) + np.outer(np.arange(4), (0, 0, 0.1))
    found = []
    for appears in (False, True):
      physics = self.world(fakes.scene((fakes.CUBE, 1.2, 0.0)))
      fakes.hold(physics, 0, lift[:-1])
      if appears:
        one, at = np.array([0]), np.array([[-2.0, 0.0, 0.22]])
        physics.set_slots(one, one + 3, np.array([fakes.SPHERE]), at)
      found.append(fakes.hold(physics, 0, lift[-1:])[0].object_pos[0, 0])
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)

  def test_a_hand_in_another_world_changes_nothing(self):
    played = []
    for grips in (False, True):
      physics = self.make(2, 6)
      physics.load(np.arange(2), [fakes.scene((fakes.CUBE, 1.2, 0.0))] * 2)
      control = fakes.control(2, hand_at=(1.2, 0.0, 0.4))
      states = []
      for step in range(24):
        other = step // 4 % 2 - 1 if grips else -1
        physics.step(control._replace(held=np.array([[other], [0]])))
        states.append(self.dynamics(physics)[1])
      played.append(states)
    np.testing.assert_array_equal(played[0], played[1])

  def test_swings_with_the_fastest_turn(self):
    physics = self.world(fakes.scene((fakes.CUBE, 1.5, 0.0)))
    angle = np.cumsum(
      np.full(12, constants.TURN_RATES[-1] * constants.STEP_SECONDS)
    )
    way = np.stack(
      [1.5 * np.cos(angle), 1.5 * np.sin(angle), np.full(12, 0.6)], axis=1
    )
    for at, state in zip(way, fakes.hold(physics, 0, way), strict=True):
      lag = float(np.linalg.norm(state.object_pos[0, 0] - at))
      self.assertLess(lag, constants.TEAR_METRES / 4)

  @parameterized.parameters(*_TYPES)
  def test_lags_behind_at_a_wall(self, type_id):
    physics = self.world(
      fakes.scene((type_id, 1.2, 0.0), heights=np.zeros((6, 6)))
    )
    way = np.column_stack(
      [np.linspace(1.2, 4.2, 20), np.zeros(20), np.full(20, 0.8)]
    )
    last = fakes.hold(physics, 0, way)[-1]
    self.assertLess(last.object_pos[0, 0, 0], 3.0)
    lag = float(np.linalg.norm(last.object_pos[0, 0] - way[-1]))
    self.assertGreater(lag, constants.TEAR_METRES)

  def test_a_held_object_pushes_others(self):
    physics = self.world(
      fakes.scene((fakes.CUBE, 1.2, 0.0), (fakes.CUBE, 2.0, 0.0))
    )
    way = np.column_stack(
      [np.linspace(1.2, 2.8, 20), np.zeros(20), np.full(20, 0.22)]
    )
    states = fakes.hold(physics, 0, way)
    self.assertGreater(states[-1].object_pos[0, 1, 0], 2.8)
    # In some steps the pushed object is a little ahead.
    self.assertTrue(any(state.touching[0, 1, 2] for state in states[-5:]))

  def test_frozen_and_empty_slots_cannot_be_held(self):
    physics = self.world(fakes.scene((fakes.CUBE, 1.2, 0.0), frozen=[0]))
    before = physics.state().object_pos
    for slot in (0, 1):
      fakes.hold(physics, slot, np.full((5, 3), 1.0))
    np.testing.assert_array_equal(physics.state().object_pos, before)

  def test_two_players_hold_two_objects(self):
    physics = self.world(
      fakes.scene(
        (fakes.CUBE, 1.2, 0.0),
        (fakes.SPHERE, -1.2, 0.0),
        players=[(2.5, 0, 0), (-2.5, 0, 0)],
      )
    )
    hand_at = np.array([[[1.2, 0, 1.0], [-1.2, 0, 0.7]]])
    control = fakes.control(num_players=2, hand_at=hand_at)
    control = control._replace(held=np.array([[0, 1]]))
    for _ in range(8):
      physics.step(control)
    np.testing.assert_allclose(
      physics.state().object_pos[0, :2], hand_at[0], atol=0.05
    )
