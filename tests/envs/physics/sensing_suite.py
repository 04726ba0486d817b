"""Tests of contacts and rays, which every back end must pass.

`cpu_test` and `gpu.physics_test` run them.
"""

import numpy as np
from absl.testing import parameterized

from adaland.envs import shapes
from adaland.envs.physics import base
from tests.envs.physics import backends, fakes


class TouchingSuite(backends.BackendTest):
  @parameterized.product(
    ({"gap": 0.0005, "touches": True}, {"gap": 0.0015, "touches": False}),
    frozen=((), (0,), (0, 1)),
  )
  def test_objects_touch_within_a_millimetre(self, gap, touches, frozen):
    half = shapes.CUBE.half_extents[0]
    physics = self.world(
      fakes.scene(
        (fakes.CUBE, 1.0, 0.0),
        (fakes.CUBE, 1 + 2 * half + gap, 0.0),
        frozen=frozen,
      )
    )
    touching = physics.state().touching
    wanted = np.zeros_like(touching)
    wanted[0, [1, 2], [2, 1]] = touches
    np.testing.assert_array_equal(touching, wanted)

  @parameterized.parameters(((),), ((0,),), ((0, 1),))
  def test_sleeping_and_frozen_objects_still_touch(self, frozen):
    half = shapes.CUBE.half_extents[0]
    physics = self.world(
      fakes.scene(
        (fakes.CUBE, 2.0, 0.0),
        (fakes.CUBE, 2.0 + 2 * half + 0.0002, 0.0),
        frozen=frozen,
      )
    )
    state = fakes.walk(physics, (0, 0), 30)
    self.assertTrue(self.asleep(physics)[0].all())
    self.assertTrue(state.touching[0, 1, 2])
    self.assertEqual(state.touching.sum(), 2)

  @parameterized.parameters(((),), ((0, 2),))
  def test_contacts_of_types_that_are_not_named_are_left_out(self, frozen):
    named = np.zeros_like(base.ALL_CONTACTS)
    named[[fakes.CUBE, fakes.SPHERE], [fakes.SPHERE, fakes.CUBE]] = True
    scene = fakes.scene(
      (fakes.CUBE, 1.0, 1.0),
      (fakes.SPHERE, 1.4202, 1.0),
      (fakes.CUBE, 1.0, 1.4002),
      frozen=frozen,
    )
    physics = self.world(scene._replace(contacts=named))
    touching = physics.state().touching
    wanted = np.zeros_like(touching)
    wanted[0, [1, 2], [2, 1]] = True
    np.testing.assert_array_equal(touching, wanted)
    one, at = np.array([0]), np.array([[1.0, 1.4202, 0.22]])
    physics.set_slots(one, one + 2, np.array([fakes.SPHERE]), at)
    wanted[0, [1, 3], [3, 1]] = True
    np.testing.assert_array_equal(physics.state().touching, wanted)

  def test_contact_ends_when_objects_part_or_vanish(self):
    half = shapes.CUBE.half_extents[0]
    pair = [(fakes.CUBE, 1.2, 0.0), (fakes.CUBE, 1.2, 2 * half)]
    physics = self.world(fakes.scene(*pair))
    way = np.column_stack(
      [np.full(8, 1.2), np.zeros(8), np.linspace(0.2, 1, 8)]
    )
    self.assertTrue(fakes.walk(physics, (0, 0), 20).touching[0, 1, 2])
    self.assertFalse(fakes.hold(physics, 0, way)[-1].touching.any())

    for frozen in ((), (0, 1)):
      physics = self.world(fakes.scene(*pair, frozen=frozen))
      self.assertTrue(fakes.walk(physics, (0, 0), 20).touching[0, 1, 2])
      one = np.array([0])
      physics.set_slots(one, one, np.array([0]), np.zeros((1, 3)))
      self.assertFalse(physics.state().touching.any())

  def test_a_bounce_within_a_step_is_a_contact(self):
    """Falling spheres roll off the edge of a frozen cube at once."""
    physics = self.make(3, 6)
    bounces = []
    for first in (0.9, 1.4):
      scenes = [
        fakes.scene(
          (fakes.CUBE, 2.0, 0.0), (fakes.SPHERE, 2.28, 0.1, z), frozen=[0]
        )
        for z in first + np.arange(3) * 0.13
      ]
      physics.load(np.arange(3), scenes)
      touched = np.zeros(3, int)
      for _ in range(12):
        touched += fakes.walk(physics, (0, 0), 1).touching[:, 1, 2]
      bounces += touched.tolist()
    self.assertGreater(min(bounces), 0, bounces)
    self.assertLess(max(bounces), 6, bounces)

  def test_a_player_touches_what_it_pushes(self):
    physics = self.world(
      fakes.scene((fakes.CUBE, 1.0, 0.0), (fakes.CUBE, 0, 2))
    )
    self.assertFalse(physics.state().touching.any())
    state = fakes.walk(physics, (2.5, 0), 30)
    wanted = np.zeros_like(state.touching)
    wanted[0, [0, 1], [1, 0]] = True
    np.testing.assert_array_equal(state.touching, wanted)


class RaysSuite(backends.BackendTest):
  def setUp(self):
    super().setUp()
    self.scene = fakes.scene(
      (fakes.CUBE, 2.0, 0.0),
      (fakes.SPHERE, 3.5, 0.0),
      (fakes.WALL, 0.0, 2.0),
      frozen=[2],
      heights=np.zeros((10, 10)),
      players=[(0, 0, 0), (-2, 0, 0)],
    )
    self.physics = self.world(self.scene)

  def _cast(self, direction, exclude=0, origin=(0.0, 0.0, 0.3)):
    hits = self.physics.rays(
      np.array([[origin]]),
      np.array([[direction]], float),
      np.array([[exclude]]),
      normals=True,
    )
    return hits.distance[0, 0], hits.node[0, 0], hits.normal[0, 0]

  def test_nodes_distances_and_normals(self):
    for direction, exclude, distance, node, normal in (
      ((1, 0, 0), 0, 1.8, 2, (-1, 0, 0)),
      ((1, 0, 0), 2, 0.25, 0, (1, 0, 0)),  # From inside the avatar.
      ((0, 1, 0), 0, 2 - 0.4, 4, (0, -1, 0)),
      ((0, -1, 0), 0, 5.0, base.NODE_TERRAIN, (0, 1, 0)),
      ((-1, 0, 0), 0, 1.75, 1, (1, 0, 0)),
      ((0, 0, -1), 0, 0.3, base.NODE_TERRAIN, (0, 0, 1)),
      ((0, 0, 1), 0, -1.0, base.NODE_NONE, (0, 0, 0)),
    ):
      found = self._cast(direction, exclude)
      with self.subTest(direction=direction, exclude=exclude):
        self.assertEqual(found[1], node)
        self.assertAlmostEqual(found[0], distance, delta=0.006)
        if exclude != 2:
          np.testing.assert_allclose(found[2], normal, atol=0.05)

  def test_excluded_nodes_do_not_block(self):
    origin = (0.5, 0.0, 0.2)
    self.assertEqual(self._cast((1, 0, 0), -1, origin)[1], 2)
    self.assertEqual(self._cast((1, 0, 0), 2, origin)[1], 3)
    # A frozen object can be excluded too.
    self.assertEqual(
      self._cast((0, 1, 0), 4, (0.0, 0.5, 0.2))[1], base.NODE_TERRAIN
    )

  def test_rays_see_changes_at_once(self):
    zero, slot = np.array([0]), np.array([2])
    self.physics.set_slots(zero, slot, np.array([0]), np.zeros((1, 3)))
    self.assertEqual(self._cast((0, 1, 0))[1], base.NODE_TERRAIN)
    self.physics.set_slots(
      zero, slot + 1, np.array([fakes.CUBE]), np.array([[0, 3, 0.2]])
    )
    self.assertEqual(self._cast((0, 1, 0))[1], 5)
    self.physics.set_slots(zero, zero, np.array([0]), np.zeros((1, 3)))
    self.assertEqual(self._cast((1, 0, 0))[1], 3)
    self.physics.restore(zero, np.zeros((1, 2)))
    self.assertEqual(self._cast((0, 1, 0))[1], 4)
    self.assertEqual(self._cast((1, 0, 0))[1], 2)
    self.physics.load(zero, [fakes.scene(players=[(0, 0, 0), (-2, 0, 0)])])
    self.assertEqual(self._cast((1, 0, 0))[1], base.NODE_TERRAIN)

  def test_rays_do_not_change_the_simulation(self):
    twin = self.world(self.scene)
    for step in range(20):
      if step % 3 == 0:
        self._cast((1, 0, 0))
      for physics in (self.physics, twin):
        fakes.walk(physics, (2.5, 0.2), 1)
    np.testing.assert_array_equal(
      self.dynamics(twin), self.dynamics(self.physics)
    )
