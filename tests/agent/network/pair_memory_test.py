import functools

import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.network import encoder, entity_features, pair_memory
from tests.agent import observations

_CONFIG = NetworkConfig(pair_memory=True)

# Compiled whole: each of their operations would be a program of its own.
_unroll = jax.jit(pair_memory.unroll, static_argnums=0)
_pairs_in_view = jax.jit(entity_features.pairs_in_view, static_argnums=1)


@functools.cache
def _sequence():
  """Returns observations of 2 rows and 6 steps, and where episodes start."""
  observation = observations.random(observations.spec(), (2, 6))
  entities = observation["entities"]
  entities[..., 1:4] *= 0.1  # Within a few metres.
  first = np.zeros((2, 6), np.uint8)
  first[0, 0] = first[1, 3] = 1
  return observation, first


class PairMemoryTest(absltest.TestCase):
  def test_is_the_maximum_since_the_episode_began(self):
    observation, first = _sequence()
    state = np.random.default_rng(0).uniform(0, 1, (2, 144)).astype(np.float32)
    given = {"closest_pairs": state, "other": np.ones(2)}
    found, rest, after = _unroll(_CONFIG, observation, first, given)
    self.assertEqual(list(rest), ["other"])
    pairs = np.asarray(found["pairs"])
    now = np.asarray(_pairs_in_view(observation["entities"], _CONFIG))
    self.assertGreater(float(np.std(now)), 0.01)
    closest = state.copy()
    for t in range(6):
      closest[first[:, t] == 1] = 0
      closest = np.maximum(closest, now[:, t])
      np.testing.assert_array_equal(pairs[:, t, :144], now[:, t])
      np.testing.assert_array_equal(pairs[:, t, 144:], closest)
    np.testing.assert_array_equal(after["closest_pairs"], closest)

  def test_empty_state_is_the_initial_one(self):
    observation, first = _sequence()
    empty, _, _ = _unroll(_CONFIG, observation, first, {})
    initial = pair_memory.initial_state(_CONFIG, 2)
    found, _, _ = _unroll(_CONFIG, observation, first, initial)
    np.testing.assert_array_equal(found["pairs"], empty["pairs"])

  def test_without_one_nothing_changes(self):
    observation, first = _sequence()
    config = NetworkConfig()
    state = {"layer": np.ones(2)}
    self.assertEqual(pair_memory.initial_state(config, 2), {})
    found, rest, own = pair_memory.unroll(config, observation, first, state)
    self.assertIs(found, observation)
    self.assertIs(rest, state)
    self.assertEqual(own, {})

  def test_zeros_are_added_only_where_an_agent_has_nothing(self):
    shape = jax.ShapeDtypeStruct((2, 3), np.float32)
    shapes = {
      name: {"w": shape}
      for name in ("encoder/in_pairs", "encoder/entities/pairs", "mine/pairs")
    }
    own = {"w": np.ones((2, 3))}
    params = {"mine/pairs": own, "encoder/in": own}
    added = pair_memory.with_zeros(params, {**shapes, "encoder/more": own})
    self.assertCountEqual(added, {*shapes, "encoder/in"})
    self.assertIs(added["mine/pairs"], own)
    np.testing.assert_array_equal(added["encoder/in_pairs"]["w"], 0)

  def test_pictures_and_no_memory_are_refused(self):
    spec = observations.spec(pixels=(9, 12))
    with self.assertRaisesRegex(
      ValueError, "pair_memory is True, allowed: Fal"
    ):
      encoder.check_spec(_CONFIG, spec)
    with self.assertRaisesRegex(
      ValueError, "pair_memory is True, allowed: Fal"
    ):
      NetworkConfig(memory="none", pair_memory=True)


if __name__ == "__main__":
  absltest.main()
