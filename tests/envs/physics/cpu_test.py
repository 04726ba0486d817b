"""The suite of all physics back ends, and what only this one promises."""

import mujoco
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.physics import cpu, mjcf, parts, terrain
from tests.envs.physics import avatar_suite, backends, fakes, world_suite


class AvatarTest(avatar_suite.AvatarSuite):
  pass


class GripTest(avatar_suite.GripSuite):
  pass


class ObjectTest(world_suite.ObjectSuite):
  pass


class TouchingTest(world_suite.TouchingSuite):
  pass


class RaysTest(world_suite.RaysSuite):
  pass


class RepeatabilityTest(world_suite.RepeatabilitySuite):
  pass


class CpuPhysicsTest(backends.BackendTest):
  def test_equal_at_one_and_two_threads(self):
    played = []
    for threads in (1, 2):
      physics = cpu.CpuPhysics(4, 6, num_threads=threads)
      physics.load(np.arange(4), fakes.scenes(4))
      played.append(self.play(physics, 40))
    np.testing.assert_array_equal(played[0], played[1])

  def test_steps_as_a_compiled_model(self):
    """A world put together from rows is the compiled world, bit for bit."""
    scene = fakes.scene(
      (fakes.PYRAMID, 1.0, 0.0), (fakes.CUBE, 2.0, 0.1), (fakes.SPHERE, 0, 1)
    )
    physics = self.world(scene)
    capacity = mjcf.Capacity(6, 1, max_boxes=9, max_ramps=2)
    model = mjcf.build(
      capacity,
      terrain.pieces(scene.heights, scene.ramps),
      [
        parts.Slot(kind, False, at)
        for kind, at in zip(scene.slot_types[:3], scene.slot_at, strict=False)
      ],
    )
    data = mujoco.MjData(model)
    for step in range(40):
      velocity = (2.5, 0.3 * np.sin(step))
      fakes.walk(physics, velocity, 1)
      data.ctrl[:2] = velocity
      mujoco.mj_step(model, data, nstep=physics.substeps)
      np.testing.assert_array_equal(physics.batch.qpos[0], data.qpos)
      np.testing.assert_array_equal(physics.batch.qvel[0], data.qvel)


class RefusalTest(backends.BackendTest):
  @parameterized.parameters(
    ({"num_envs": 0}, "num_envs is 0, must be at least 1"),
    ({"num_players": 3}, "num_players is 3, must be 1 to 2"),
    ({"num_threads": 0}, "num_threads is 0, must be at least 1"),
  )
  def test_sizes(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      cpu.CpuPhysics(**{"num_envs": 1, "num_slots": 2, **change})

  def test_scenes(self):
    physics = self.world(fakes.scene(num_slots=2))
    with self.assertRaisesRegex(ValueError, r"slot_types has shape \(3,\)"):
      physics.load(np.array([0]), [fakes.scene(num_slots=3)])


if __name__ == "__main__":
  absltest.main()
