"""Tests of adaland.launch.bench.vision_learner."""

import dataclasses

from absl.testing import absltest

from adaland.launch.bench import vision_learner
from adaland.launch.bench.lib import timing
from tests.launch.runtimes.single import configs


class VisionLearnerTest(absltest.TestCase):
  def test_encoders_are_compared_at_the_same_settings(self):
    config = configs.tiny()
    found = vision_learner.encoders(config)
    self.assertEqual(
      list(found), ["torso", "patches_0", "patches_50", "patches_75"]
    )
    for name, each in found.items():
      self.assertEqual(each.network.vision, name.partition("_")[0])
      self.assertEqual(
        dataclasses.replace(each, network=config.network), config
      )
    self.assertEqual(found["patches_75"].network.patches.dropped, 0.75)

  def test_results_by_hand(self):
    speeds = [timing.Speed(n, n / 2) for n in (4.0, 2.0, 3.0, 6.0)]

    def peak(config):
      # 1 KiB per step of the window, and something else.
      return 1024 * config.actor.unroll_length + 99

    with (
      absltest.mock.patch.object(vision_learner, "_work"),
      absltest.mock.patch.object(
        timing, "speeds", lambda works, seconds: speeds
      ),
      absltest.mock.patch.object(vision_learner, "peak_bytes", peak),
    ):
      found = vision_learner.learner(configs.tiny(), 1.0)
    # Two unrolls of eight steps.
    self.assertEqual(found["vision_learner_torso_steps_per_s"], 64)
    self.assertEqual(found["vision_learner_patches_75_steps_per_cpu_s"], 48)
    self.assertEqual(found["vision_learner_patches_75_ratio"], 3.0)
    self.assertEqual(found["vision_learner_torso_window_per_gib_steps"], 2**20)

  def test_fewer_patches_take_less_memory(self):
    config = configs.tiny()
    config = dataclasses.replace(
      config,
      env=dataclasses.replace(
        config.env, observation="pixels", pixels=(48, 36)
      ),
    )
    found = vision_learner.encoders(config)
    whole, some = (
      vision_learner.peak_bytes(found[name])
      for name in ("patches_0", "patches_75")
    )
    self.assertLess(some, 0.7 * whole)


if __name__ == "__main__":
  absltest.main()
