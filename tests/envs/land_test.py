"""Tests for the batch of environments as a whole."""

from absl.testing import absltest, parameterized

from adaland.envs import land
from tests.envs import land_suite


class LandTest(land_suite.LandSuite):
  pass


class LandConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ({"num_slots": 25}, "num_slots is 25, allowed: 1 to 24"),
    ({"num_players": 3}, "num_players is 3"),
    ({"max_rules": 0}, "max_rules is 0"),
    ({"observation": "sound"}, "allowed: entities, pixels"),
    ({"pixels": (24,)}, "width and height"),
    ({"pixels": (24, 0)}, "height is 0"),
    ({"num_threads": 0}, "num_threads is 0"),
    ({"backend": "abacus"}, "allowed: cpu, gpu"),
  )
  def test_refuses(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      land.LandConfig(**fields)


if __name__ == "__main__":
  absltest.main()
