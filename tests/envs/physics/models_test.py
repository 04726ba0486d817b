"""Tests of the models of a batch."""

import mujoco
import numpy as np
from absl.testing import absltest

from adaland.envs.physics import base, mjcf, models
from tests.envs.physics import fakes

_CAPACITY = mjcf.Capacity(num_slots=6, num_players=1, max_boxes=12, max_ramps=2)


class ModelsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.models = models.Models(2, _CAPACITY)
    self.scene = fakes.scene(
      (fakes.CUBE, 1.0, 0.0),
      (fakes.CUBE, 2.0, 0.0),
      (fakes.CUBE, 2.4, 0.0),
      frozen=[1, 2],
    )

  def test_loading_changes_one_world_alone(self):
    self.models.load(1, self.scene)
    self.assertFalse(self.models.free[0].any())
    self.assertEqual(self.models.free[1].tolist(), [True] + [False] * 5)
    slot = self.models.layout.slot_bodies[0]
    self.assertGreater(self.models.models[0].body_gravcomp[slot], 0)
    self.assertEqual(self.models.models[1].body_gravcomp[slot], 0)

  def test_frozen_neighbours_touch(self):
    self.models.load(0, self.scene)
    touching = np.argwhere(self.models.fixed_contacts[0])
    np.testing.assert_array_equal(touching, [[2, 3], [3, 2]])

  def test_restore_undoes_changes_of_slots(self):
    self.models.load(0, self.scene)
    before = self.models.models[0].geom_type.copy()
    at = np.array([[0.0, 0.0, 1.0]])
    one = np.array([1])
    self.models.set_slots(0, one, np.array([fakes.SPHERE]), at)
    self.assertTrue(self.models.free[0, 1])
    self.assertFalse(self.models.fixed_contacts[0].any())
    self.models.restore(0)
    np.testing.assert_array_equal(self.models.models[0].geom_type, before)
    self.assertFalse(self.models.free[0, 1])
    self.assertTrue(self.models.fixed_contacts[0, 2, 3])

  def test_nodes_of_bodies_and_geoms(self):
    self.models.load(0, self.scene)
    layout = self.models.layout
    bodies = self.models.node_bodies[0]
    self.assertEqual(bodies[0], -1)
    self.assertEqual(bodies[2], layout.slot_bodies[0])
    self.assertEqual(bodies[3], layout.fixed_bodies[1])
    nodes = self.models.geom_nodes
    self.assertEqual(nodes[layout.fixed_geoms[1]], 2)
    self.assertEqual(nodes[-1], base.NODE_NONE)
    self.assertEqual(nodes[0], base.NODE_TERRAIN)

  def test_sensors_watch_the_named_pairs_alone(self):
    named = np.zeros_like(base.ALL_CONTACTS)
    named[fakes.CUBE, fakes.CUBE] = True
    self.models.load(0, self.scene._replace(contacts=named))
    model, layout = self.models.models[0], self.models.layout
    on = model.sensor_needstage == mujoco.mjtStage.mjSTAGE_POS
    geoms = [layout.slot_geoms[0], *layout.fixed_geoms[[1, 2]]]
    self.assertEqual(
      list(zip(model.sensor_objid[on], model.sensor_refid[on], strict=True)),
      [(geoms[0], geoms[1]), (geoms[0], geoms[2]), (geoms[1], geoms[2])],
    )
    self.assertFalse(self.models.crowded[0])

  def test_a_scene_that_names_no_contacts_turns_the_sensors_off(self):
    none = np.zeros_like(base.ALL_CONTACTS)
    named = none.copy()
    named[fakes.CUBE, fakes.CUBE] = True
    self.models.load(0, self.scene._replace(contacts=named))
    model = self.models.models[0]
    self.assertIn(mujoco.mjtStage.mjSTAGE_POS, model.sensor_needstage)
    self.models.load(0, self.scene._replace(contacts=none))
    one, at = np.array([1]), np.array([[0.0, 0.0, 1.0]])
    for _ in range(2):
      self.assertFalse(self.models.watched[0].any())
      np.testing.assert_array_equal(self.models.sensed[0], -1)
      np.testing.assert_array_equal(
        model.sensor_needstage, mujoco.mjtStage.mjSTAGE_NONE
      )
      self.models.set_slots(0, one, np.array([fakes.SPHERE]), at)

  def test_a_world_with_more_pairs_than_sensors_is_crowded_until_it_starts(
    self,
  ):
    named = np.zeros_like(base.ALL_CONTACTS)
    named[fakes.SPHERE, fakes.SPHERE] = True
    self.models.load(0, self.scene._replace(contacts=named))
    every, at = np.arange(6), np.zeros([6, 3])
    for types, crowded in (([fakes.SPHERE] * 6, True), ([0] * 6, True)):
      self.models.set_slots(0, every, np.array(types), at)
      self.assertEqual(self.models.crowded[0], crowded)
      self.assertTrue((self.models.sensed[0] == -1).all())
    self.models.restore(0)
    self.assertFalse(self.models.crowded[0])

  def test_scenes_of_other_sizes_are_refused(self):
    models.check(self.scene, _CAPACITY)
    other = fakes.scene(num_slots=5)
    with self.assertRaisesRegex(ValueError, "scene.slot_types has shape"):
      models.check(other, _CAPACITY)

  def test_needed_counts_the_largest_terrains(self):
    heights, ramps = np.zeros((4, 4), int), np.zeros((4, 4), int)
    heights[2, 1], ramps[1, 1] = 1, 1
    hilly = fakes.scene(heights=heights, ramps=ramps)
    flat_boxes, flat_ramps = models.needed([self.scene])
    boxes, hilly_ramps = models.needed([self.scene, hilly])
    self.assertEqual((flat_ramps, hilly_ramps), (0, 1))
    self.assertGreater(boxes, flat_boxes)
    self.assertEqual(models.needed([]), (0, 0))


if __name__ == "__main__":
  absltest.main()
