"""Tests of adaland.envs.worlds.bodies."""

from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.tasks import literals
from adaland.envs.worlds import bodies

_PLAYER = constants.PLAYER_TYPE_IDS[0]


class ReachTest(parameterized.TestCase):
  @parameterized.parameters(
    ("wall", "wall", 0.16),
    ("cube", "sphere", 0.42),
    ("sphere", "sphere", 0.44),
    ("pyramid", "cube", 0.45),
    ("pyramid", "pyramid", 0.5),
    # The face through (0.25, 0) and (0, 0.45) is 0.22 from (x, 0.22) where
    # x = 0.25 (1 - 0.22 / 0.45 + 0.22 sqrt(1 / 0.25^2 + 1 / 0.45^2)).
    ("pyramid", "sphere", 0.379449),
    # Spheres of radius 0.22 and 0.25, whose centres differ by 0.03 in height.
    ("player", "sphere", 0.469042),
    # As above, with radius and height 0.25.
    ("player", "pyramid", 0.397101),
    ("player", "player", 0.5),
  )
  def test_known_distances(self, a, b, expected):
    ids = [_type_id(name) for name in (a, b)]
    for pair in (ids, ids[::-1]):
      self.assertAlmostEqual(bodies.reach(*pair), expected, delta=2e-6)


def _type_id(name):
  if name == "player":
    return _PLAYER
  return literals.ObjectType.from_name(f"black {name}").type_id


if __name__ == "__main__":
  absltest.main()
