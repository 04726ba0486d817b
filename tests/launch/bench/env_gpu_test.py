"""Tests of env_gpu: ratios by hand, and a whole run on a small batch."""

import dataclasses
import unittest

import pytest
from absl.testing import absltest

from adaland.launch.config import preset_configs
from tests.envs.physics import backends

# One process compiles Warp's kernels, and lends its worlds to all of these.
pytestmark = pytest.mark.xdist_group("warp")


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class EnvTest(absltest.TestCase):
  def test_ratios(self):
    from adaland.launch.bench import env_gpu

    found = env_gpu.ratios(
      {
        "env_gpu_entities_steps_per_s": 750.0,
        "env_gpu_pixels_steps_per_s": 100.0,
        "env_gpu_bare_steps_per_s": 1000.0,
        "frames": 250.0,
      },
      "frames",
    )
    # A step takes 1 ms and a picture 4: together 200 per second.
    self.assertEqual(
      found, {"env_gpu_entities_ratio": 0.75, "env_gpu_pixels_ratio": 0.5}
    )

  def test_all_results_are_measured(self):
    from adaland.launch.bench import env_gpu, vision_gpu

    base = preset_configs.smoke()
    env = dataclasses.replace(
      base.env, backend="gpu", device="cpu", pixels=(8, 6)
    )
    config = dataclasses.replace(base, env=env)
    found = env_gpu.env(config, 2, 0.05)
    for name in ("entities", "pixels"):
      for stage in ("control", "physics", "sight", "finish", "step", "host"):
        self.assertGreater(found[f"env_gpu_{name}_{stage}_ms"], 0, stage)
      self.assertBetween(found[f"env_gpu_{name}_engine_ratio"], 0, 1)
      self.assertEqual(found[f"env_gpu_{name}_overflows_count"], 0)
    self.assertGreater(found["env_gpu_pixels_picture_rays_ms"], 0)
    self.assertGreater(found["env_gpu_bare_8x6_frames_per_s"], 0)
    self.assertNotIn("env_gpu_entities_shading_ms", found)

    with absltest.mock.patch.object(vision_gpu.env, "VISION_SIZES", ((8, 6),)):
      found = vision_gpu.pictures(config, 2, 0.05)
    for kind in ("", "_rays"):
      rate = found[f"vision_8x6{kind}_frames_per_s"]
      # Two frames take one call.
      self.assertAlmostEqual(rate * found[f"vision_8x6{kind}_ms"] / 1e3, 2)
    self.assertAlmostEqual(
      found["vision_8x6_ratio"],
      found["vision_8x6_frames_per_s"] / found["vision_8x6_rays_frames_per_s"],
    )


if __name__ == "__main__":
  absltest.main()
