"""Tests of the cpu back end: the shared suites, and its own tests."""

from typing import Any

import mujoco
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.physics import cpu, mjcf, parts, terrain
from tests.envs.physics import (
  avatar_suite,
  backends,
  fakes,
  sensing_suite,
  world_suite,
)


class AvatarTest(avatar_suite.AvatarSuite):
  pass


class GripTest(avatar_suite.GripSuite):
  pass


class ObjectTest(world_suite.ObjectSuite):
  pass


class TouchingTest(sensing_suite.TouchingSuite):
  pass


class RaysTest(sensing_suite.RaysSuite):
  pass


class RepeatabilityTest(world_suite.RepeatabilitySuite):
  pass


class CpuPhysicsTest(backends.BackendTest):
  def test_one_and_two_threads_give_equal_states(self):
    played = []
    for threads in (1, 2):
      physics = cpu.CpuPhysics(4, 6, num_threads=threads)
      physics.load(np.arange(4), fakes.scenes(4))
      played.append(self.play(physics, 40))
    np.testing.assert_array_equal(played[0], played[1])

  def test_steps_equal_those_of_a_compiled_model(self):
    """Worlds written row by row equal compiled worlds, bit for bit."""
    scene = fakes.scene(
      (fakes.PYRAMID, 1.0, 0.0), (fakes.CUBE, 2.0, 0.1), (fakes.SPHERE, 0, 1)
    )
    physics = self.world(scene)
    capacity = mjcf.Capacity(6, 1, max_boxes=12, max_ramps=2)
    model = mjcf.build(
      capacity,
      terrain.pieces(scene.heights, scene.ramps),
      [
        parts.Slot(type_id, False, at)
        for type_id, at in zip(
          scene.slot_types[:3], scene.slot_at, strict=False
        )
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
    ({"num_envs": 0}, "num_envs is 0, allowed: 1 or more"),
    ({"num_players": 3}, "num_players is 3, allowed: 1 to 2"),
    ({"num_threads": 0}, "num_threads is 0, allowed: 1 or more"),
  )
  def test_refuses_sizes_out_of_range(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      sizes: dict[str, Any] = {"num_envs": 1, "num_slots": 2, **change}
      cpu.CpuPhysics(**sizes)

  def test_refuses_scenes_of_other_sizes(self):
    physics = self.world(fakes.scene(num_slots=2))
    with self.assertRaisesRegex(ValueError, r"slot_types has shape \(3,\)"):
      physics.load(np.array([0]), [fakes.scene(num_slots=3)])


if __name__ == "__main__":
  absltest.main()
