import math

import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.network import entity_features
from adaland.envs import constants
from adaland.envs.observations import observations

_CONFIG = NetworkConfig()

# Compiled whole: each of their operations would be a program of its own.
_object_types = jax.jit(entity_features.object_types, static_argnums=1)
_distance = jax.jit(entity_features.distance)
_geometry = jax.jit(entity_features.geometry)
_types_in_view = jax.jit(entity_features.types_in_view, static_argnums=1)
_pairs_in_view = jax.jit(entity_features.pairs_in_view, static_argnums=1)
_known_pairs = jax.jit(entity_features.known_pairs, static_argnums=2)


def _entity(shape: int, colour: int, position: tuple[float, float, float]):
  """Returns a visible entity's row, at metres from the body's centre."""
  row = np.zeros(observations.ENTITY_WIDTH, np.float32)
  from_eye = np.array(position) - [0, 0, entity_features.EYE_ABOVE_CENTRE]
  row[0] = 1
  row[1:4] = from_eye / entity_features.METRES
  row[4] = np.linalg.norm(from_eye) / entity_features.METRES
  row[6 + shape - 1] = 1
  row[11 + colour - 1] = 1
  return row


# A black cube to the left, a yellow pyramid ahead and a player.
_ENTITIES = np.stack(
  [
    _entity(2, 1, (0.0, 0.9, 0.0)),
    _entity(4, 3, (3.0, 4.0, 0.35)),
    np.zeros(observations.ENTITY_WIDTH, np.float32),
    _entity(5, 1, (0.5, 0.0, 0.0)),
  ]
)


class EntityFeaturesTest(absltest.TestCase):
  def test_units_are_the_environments(self):
    self.assertEqual(entity_features.METRES, observations._SCALE)
    self.assertEqual(entity_features.REACH, constants.NEAR_METRES)
    self.assertAlmostEqual(
      entity_features.EYE_ABOVE_CENTRE,
      constants.EYE_HEIGHT - constants.AVATAR_HEIGHT / 2,
    )

  def test_types_are_pairs_of_shape_and_colour(self):
    types = _object_types(_ENTITIES, _CONFIG)
    self.assertEqual(types.shape, (4, constants.NUM_OBJECT_TYPES))
    expected = np.zeros([4, 12])
    expected[0, 3 * 1 + 0] = 1
    expected[1, 3 * 3 + 2] = 1
    np.testing.assert_array_equal(types, expected)

  def test_distance_is_from_the_centre_of_the_body(self):
    np.testing.assert_allclose(
      _distance(_ENTITIES[:2]),
      [0.9, math.hypot(5, 0.35)],
      rtol=1e-5,
    )

  def test_geometry_by_hand(self):
    away, angle = math.hypot(5, 0.35), math.atan2(4, 3)
    columns = {
      "cosine": (0, 0.6),
      "sine": (1, 0.8),
      "slow turns": (
        math.tanh(math.pi / 2 / 0.107),
        math.tanh(angle / 0.107),
      ),
      "fast turns": (math.tanh(math.pi / 2 / 0.4), math.tanh(angle / 0.4)),
      "elevation": (-0.35 / math.hypot(0.9, 0.35), 0),
      "distance": (0.9, away),
      "nearness": (math.exp(-0.9), math.exp(-away)),
      "reach": (1, 0),
      "from reach": (math.tanh(-0.1 / 0.33), math.tanh((away - 1) / 0.33)),
    }
    np.testing.assert_allclose(
      _geometry(_ENTITIES[:3]),
      np.array([(*rows, 0) for rows in columns.values()]).T,
      atol=1e-5,
    )

  def test_far_entities_are_all_equally_far(self):
    far = _entity(2, 1, (28.0, 0.0, 0.0))[None]
    self.assertEqual(np.asarray(_geometry(far))[0, 5], 10.0)

  def test_types_in_view_by_hand(self):
    another = _entity(2, 1, (0.0, 2.0, 0.0))
    entities = np.concatenate([_ENTITIES, another[None]])
    seen = _types_in_view(entities, _CONFIG)
    expected = np.zeros([3, 12])
    expected[0, [3, 11]] = 1
    expected[1, 3] = 1
    # The nearer of the two black cubes.
    expected[2, 3] = math.exp(-0.9)
    expected[2, 11] = math.exp(-math.hypot(5, 0.35))
    np.testing.assert_allclose(seen, expected.reshape(-1), rtol=1e-5)

  def test_pairs_in_view_by_hand(self):
    entities = np.concatenate(
      [
        _ENTITIES,
        [_entity(2, 1, (0.0, 2.4, 0.0)), _entity(1, 2, (3.0, 4.0, -0.6))],
      ]
    )
    pairs = np.asarray(_pairs_in_view(entities, _CONFIG))
    expected = np.zeros([12, 12])
    # Two black cubes, and something 0.95 m below the yellow pyramid.
    expected[3, 3] = 2 * math.exp(-0.5 / 0.33)
    expected[11, 1] = expected[1, 11] = 1
    far = {
      (3, 11): (math.hypot(3, 3.1, 0.35), math.hypot(3, 1.6, 0.35)),
      (3, 1): (math.hypot(3, 3.1, 0.6), math.hypot(3, 1.6, 0.6)),
    }
    for (a, b), distances in far.items():
      close = sum(math.exp(-(x - 1) / 0.33) for x in distances)
      expected[a, b] = expected[b, a] = close
    np.testing.assert_allclose(
      pairs.reshape(12, 12), expected, rtol=1e-4, atol=1e-6
    )

  def test_known_pairs_by_hand(self):
    entities = _ENTITIES.copy()
    entities[1, 5] = 1  # The yellow pyramid is in the hand.
    closest = np.zeros([12, 12], np.float32)
    for a, b, close in ((3, 11, 0.4), (3, 7, 0.9), (11, 2, 0.3)):
      closest[a, b] = closest[b, a] = close
    now = np.full(144, 5, np.float32)  # Is not read.
    pairs = np.concatenate([now, closest.reshape(-1)])
    for held, expected in ((1, [0.4, 0]), (0, [0, 0])):
      entities[1, 5] = held
      known = _known_pairs(entities, pairs, _CONFIG)
      np.testing.assert_allclose(
        known, [[expected[0], 0.9], [0, 0.4], [0, 0], [0, 0]], rtol=1e-6
      )


if __name__ == "__main__":
  absltest.main()
