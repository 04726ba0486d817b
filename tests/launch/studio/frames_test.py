"""Tests of adaland.launch.studio.frames."""

import numpy as np
from absl.testing import absltest

from adaland.envs.observations import vision
from adaland.launch.studio import frames


class GroundTest(absltest.TestCase):
  def test_the_look_is_that_of_an_agent_s_pictures(self):
    heights, ramps = np.array([[0, 1]]), np.array([[0, 3]])
    found = frames.ground(heights, ramps, seed=5)
    self.assertEqual((found["heights"], found["ramps"]), ([[0, 1]], [[0, 3]]))
    look = vision.look(5)
    for name in ("low", "high", "light", "tint"):
      np.testing.assert_allclose(
        found["look"][name], getattr(look, name), atol=1e-3
      )
    self.assertNotEqual(
      found["look"]["low"], frames.ground(heights, ramps, seed=6)["look"]["low"]
    )


if __name__ == "__main__":
  absltest.main()
