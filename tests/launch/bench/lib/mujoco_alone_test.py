"""Tests that mujoco_alone repeats the physics calls of environments."""

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.envs.physics import cpu
from adaland.envs.sampling import sampler
from adaland.launch.bench.lib import mujoco_alone
from adaland.launch.config import preset_configs


class MujocoAloneTest(absltest.TestCase):
  def test_worlds_stay_bit_equal_and_only_mujoco_is_measured(self):
    config = preset_configs.smoke()
    draw = sampler.TaskSampler(config.tasks).task
    environments = land.Land(3, config.env, draw)
    physics = environments.physics
    assert isinstance(physics, cpu.CpuPhysics)
    recorder = mujoco_alone.Recorder(physics)
    environments.physics = recorder
    alone = mujoco_alone.MujocoAlone(3, config.env.num_slots)
    environments.reset()
    alone.replay(recorder.take())
    self.assertEqual(alone.cpu_seconds, 0.0)  # Loading is not measured.
    rng = np.random.Generator(np.random.PCG64(0))
    for _ in range(3):
      for _ in range(25):
        actions = rng.integers(0, constants.ACTION_SIZES, (3, 6))
        environments.step(actions)
      calls = recorder.take()
      self.assertEqual(sum(name == "step" for name, _ in calls), 25)
      alone.replay(calls)
      np.testing.assert_array_equal(alone.batch.state, physics.batch.state)
    self.assertGreater(alone.seconds, 0.0)

  def test_rays_of_pictures_are_measured_and_others_not(self):
    physics = cpu.CpuPhysics(1, 2)
    recorder = mujoco_alone.Recorder(physics)
    origin, down = np.full((1, 1, 3), 1.0), np.array([[[0.0, 0.0, -1.0]]])
    nothing = np.full((1, 1), -1)
    recorder.rays(origin, down, nothing)
    self.assertEmpty(recorder.take())
    recorder.rays(origin, down, nothing, normals=True)
    alone = mujoco_alone.MujocoAlone(1, 2)
    alone.replay(recorder.take())
    self.assertGreater(alone.cpu_seconds, 0.0)


if __name__ == "__main__":
  absltest.main()
