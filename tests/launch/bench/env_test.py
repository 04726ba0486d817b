"""Tests of env; the measured numbers depend on the machine."""

import dataclasses

from absl.testing import absltest

from adaland.launch.bench import env
from adaland.launch.bench.lib import timing
from adaland.launch.config import preset_configs


class EnvTest(absltest.TestCase):
  def test_ratios_are_of_processor_time(self):
    speeds = {
      "entities": (timing.Speed(10.0, 6.0), timing.Speed(30.0, 8.0)),
      "pixels": (timing.Speed(4.0, 2.0), timing.Speed(20.0, 4.0)),
    }

    def measure(config, num_envs, seconds, observation, **more):
      self.assertEqual((num_envs, seconds), (3, 0.5))
      return speeds[observation]

    with absltest.mock.patch.object(env, "_measure", measure):
      result = env.env(preset_configs.smoke(), 3, 0.5)
    self.assertEqual(result["env_entities_steps_per_s"], 30.0)
    self.assertEqual(result["env_bare_steps_per_s"], 90.0)
    self.assertEqual(result["env_entities_ratio"], 0.75)
    self.assertEqual(result["env_pixels_steps_per_s"], 12.0)
    self.assertEqual(result["env_bare_pixels_steps_per_s"], 60.0)
    self.assertEqual(result["env_pixels_ratio"], 0.5)
    self.assertEqual(result["env_num_envs_count"], 3.0)

  def test_land_is_compared_with_the_same_worlds_alone(self):
    config = preset_configs.smoke()
    small = dataclasses.replace(config.env, num_threads=1)
    land, alone = env._measure(
      dataclasses.replace(config, env=small), 3, 0.1, observation="entities"
    )
    for speed in (land, alone):
      self.assertGreater(speed.per_second, 0.0)
      self.assertGreater(speed.per_cpu_second, 0.0)
    # It does everything that they do, and more.
    self.assertLess(land.per_cpu_second, alone.per_cpu_second)


if __name__ == "__main__":
  absltest.main()
