"""Tests of the contacts of the cpu back end."""

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.physics import base, cpu
from adaland.envs.worlds import scene
from tests.envs import fixtures
from tests.envs.physics import fakes


class ContactsTest(absltest.TestCase):
  def test_worlds_step_equally_with_and_without_contacts(self):
    # The player walks into the cube ahead and pushes it.
    task = fixtures.make_task(
      [(fixtures.CUBE, (0.8, 0.0)), (fixtures.SPHERE, (2.0, 0.0))],
      fixtures.Literal("near", fixtures.PLAYER, fixtures.CUBE),
    )
    start = scene.build_scene(task, 3, 1)
    physics = cpu.CpuPhysics(2, 3, num_threads=1)
    both = np.arange(2)
    physics.load(
      both, [start, start._replace(contacts=np.zeros_like(base.ALL_CONTACTS))]
    )
    touched = np.zeros(2, bool)
    for _ in range(2):
      for step in range(12):
        physics.step(
          base.AvatarControl(
            velocity=np.tile([2.5, 0.0], (2, 1, 1)),
            turn=np.zeros([2, 1]),
            held=np.full([2, 1], -1),
            hand_at=np.zeros([2, 1, 3]),
          )
        )
        if step == 6:
          spawn = np.asarray([9, 9]), np.asarray([[1.5, 1, 0.3]] * 2)
          physics.set_slots(both, np.asarray([2, 2]), *spawn)
        state = physics.state()
        touched |= state.touching.any(axis=(1, 2))
        for name in ("object_pos", "object_quat", "player_pos"):
          value = getattr(state, name)
          np.testing.assert_array_equal(value[0], value[1], name)
      self.assertGreater(state.object_pos[0, 0, 0], 1.2)
      physics.restore(both, np.zeros([2, 1]))
      self.assertFalse(physics.state().touching.any())
    np.testing.assert_array_equal(touched, [True, False])

  def test_sensors_and_lists_find_the_same_contacts(self):
    # The player pushes a cube into a sphere; two cubes sleep side by side.
    crowded = fakes.scene(
      (fakes.CUBE, 0.8, 0.0),
      (fakes.SPHERE, 1.6, 0.05),
      (fakes.CUBE, 1.5, 1.4005),
      (fakes.PYRAMID, 1.0, 1.0),
      (fakes.CUBE, 1.5, 1.0),
      (fakes.SPHERE, -1.0, -1.0),
      frozen=[3],
    )
    few = np.zeros_like(base.ALL_CONTACTS)
    for a, b in (
      (fakes.CUBE, fakes.CUBE),
      (fakes.CUBE, fakes.SPHERE),
      (constants.PLAYER_TYPE_IDS[0], fakes.CUBE),
    ):
      few[a, b] = few[b, a] = True
    calm = crowded._replace(contacts=few)
    physics = cpu.CpuPhysics(2, 6, num_threads=1)
    physics.load(np.arange(2), [crowded, calm])
    types = np.array([constants.PLAYER_TYPE_IDS[0], *calm.slot_types])
    named = few[types[:, None], types]
    seen = np.zeros_like(named)
    for step in range(70):
      if step == 50:  # A sphere appears near the sleeping cubes.
        physics.set_slots(
          np.arange(2),
          np.array([5, 5]),
          np.array([fakes.SPHERE] * 2),
          np.array([[1.5, 1.9, 0.3]] * 2),
        )
      fakes.walk(physics, (2.0 * (step < 12), 0.0), 1)
      listed, sensed = physics.state().touching
      np.testing.assert_array_equal(sensed, listed & named, str(step))
      seen |= sensed
    self.assertTrue(sensed[3, 5])  # Asleep, but touching.
    self.assertGreaterEqual(seen.sum() // 2, 3)

  def test_a_contact_counts_in_the_step_in_which_a_hand_takes_it_apart(self):
    # Asleep side by side, until the player takes one of them.
    alone = np.zeros_like(base.ALL_CONTACTS)
    alone[fakes.CUBE, fakes.CUBE] = True
    cubes = ((fakes.CUBE, 1.0, 0.0), (fakes.CUBE, 1.0, 0.4005))
    for name, contacts in (("sensors", alone), ("lists", base.ALL_CONTACTS)):
      start = fakes.scene(*cubes)._replace(contacts=contacts)
      physics = cpu.CpuPhysics(1, 6, num_threads=1)
      physics.load(np.arange(1), [start])
      for _ in range(20):
        fakes.walk(physics, (0.0, 0.0), 1)
      self.assertTrue(physics.state().touching[0, 1, 2], name)
      physics.step(fakes.control(held=0, hand_at=(1.0, -1.5, 0.8)))
      self.assertTrue(physics.state().touching[0, 1, 2], name)


if __name__ == "__main__":
  absltest.main()
