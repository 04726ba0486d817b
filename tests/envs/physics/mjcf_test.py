"""Tests of the model that all worlds share."""

import mujoco
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.physics import mjcf, parts, terrain
from tests.envs.physics import fakes

_CAPACITY = mjcf.Capacity(num_slots=3, num_players=2, max_boxes=12, max_ramps=2)


def _flat() -> terrain.Pieces:
  return terrain.pieces(np.zeros((3, 3), int), np.zeros((3, 3), int))


class BuildTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.empty = mjcf.build(_CAPACITY, _flat())
    cls.busy = mjcf.build(
      _CAPACITY,
      fakes.raised_ground(),
      [parts.Slot(fakes.CUBE), parts.Slot(fakes.PYRAMID, True)],
    )

  def test_sizes_depend_on_the_capacity_alone(self):
    for name in ("nbody", "ngeom", "nq", "nv", "nu", "neq", "nsensor", "nbvh"):
      self.assertEqual(getattr(self.empty, name), getattr(self.busy, name))
    # A fixed and a free body per slot, two bodies per player, and the world.
    self.assertEqual(self.empty.nbody, 1 + 2 * 3 + 2 * 2)
    self.assertEqual(self.empty.nq, 3 * 2 * 2 + 7 * 3)
    # A grip per player and slot, and no more sensors than pairs of nodes.
    self.assertEqual(self.empty.neq, 2 * 3)
    self.assertEqual(self.empty.nsensor, 5 * 4 // 2)

  def test_layout_holds_the_addresses(self):
    layout = mjcf.layout(_CAPACITY)
    model = self.busy
    self.assertEqual(list(layout.player_qpos), [0, 3])
    self.assertEqual(list(layout.hand_qpos), [6, 9])
    self.assertEqual(list(layout.slot_qpos), [12, 19, 26])
    self.assertEqual(list(layout.slot_dofs), [12, 18, 24])
    self.assertEqual(model.geom(layout.slot_geoms[2]).name, "slot2")
    self.assertEqual(model.body(layout.fixed_bodies[1]).name, "fixed1")

  def test_only_present_objects_collide_and_may_wake(self):
    collides = {
      name: bool(self.busy.geom(name).contype[0])
      for name in ("slot0", "slot1", "slot2", "fixed0", "fixed1", "fixed2")
    }
    self.assertEqual([k for k, v in collides.items() if v], ["slot0", "fixed1"])
    policy = self.busy.tree_sleep_policy[
      self.busy.body_treeid[[self.busy.body(f"slot{i}").id for i in range(3)]]
    ]
    asleep = mujoco.mjtSleepPolicy.mjSLEEP_INIT
    self.assertEqual([p == asleep for p in policy], [False, True, True])

  def test_a_copied_specification_gives_the_same_model(self):
    ground = fakes.raised_ground()
    # A specification with given slots, even empty ones, is not a copy.
    new = mjcf.build(_CAPACITY, ground, [parts.Slot()])
    mjcf.build(_CAPACITY, _flat())
    copied = mjcf.build(_CAPACITY, ground)
    copied, new = fakes.numbers(copied), fakes.numbers(new)
    self.assertGreater(len(new), 400)
    for name in new:
      np.testing.assert_array_equal(copied[name], new[name], name)

  def test_substeps_make_a_step(self):
    self.assertAlmostEqual(
      self.empty.opt.timestep * parts.SUBSTEPS, constants.STEP_SECONDS
    )

  def test_terrain_beyond_the_capacity_is_refused(self):
    small = _CAPACITY._replace(max_boxes=1)
    with self.assertRaisesRegex(
      ValueError, "boxes in .* 10, allowed: at most 1"
    ):
      mjcf.build(small, _flat())


if __name__ == "__main__":
  absltest.main()
