import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import types
from adaland.agent.config import NetworkConfig
from adaland.agent.network import encoder
from tests.agent import observations

_CONFIG = NetworkConfig(
  rules_sizes=(8,), encoder_hidden=(), entity_size=6, d_model=10
)
_SPEC = observations.spec(num_rules=2, num_entities=5)


@functools.cache
def _encoder():
  transformed = hk.without_apply_rng(
    hk.transform(lambda observation: encoder.Encoder(_CONFIG)(observation).x)
  )
  observation = observations.random(_SPEC, (3, 2))
  params = jax.jit(transformed.init)(jax.random.PRNGKey(0), observation)
  return functools.partial(jax.jit(transformed.apply), params)


class EncoderTest(absltest.TestCase):
  def test_order_of_entities_does_not_matter(self):
    observation = observations.random(_SPEC, (3, 2))
    expected = _encoder()(observation)
    shuffled = dict(observation)
    shuffled["entities"] = observation["entities"][:, :, [3, 1, 4, 0, 2]]
    np.testing.assert_allclose(_encoder()(shuffled), expected, atol=1e-5)

  def test_unseen_entities_do_not_matter(self):
    observation = observations.random(_SPEC, (3, 2))
    observation["entities"][:, :, 2] = 0
    expected = _encoder()(observation)
    changed = dict(observation)
    changed["entities"] = observation["entities"].copy()
    changed["entities"][:, :, 2, 1:5] = 7
    np.testing.assert_array_equal(_encoder()(changed), expected)

  def test_everything_observed_matters(self):
    observation = observations.random(_SPEC, (3, 2))
    expected = _encoder()(observation)
    for key, value in observation.items():
      changed = dict(observation)
      other = observations.random(_SPEC, (3, 2), seed=1)[key]
      if np.array_equal(other, value):
        raise AssertionError(f"the two draws of {key} are equal")
      changed[key] = other
      difference = np.abs(_encoder()(changed) - expected).max(axis=-1)
      self.assertGreater(difference.max(), 1e-4, key)

  def test_each_step_is_encoded_by_itself(self):
    observation = observations.random(_SPEC, (3, 2))
    expected = _encoder()(observation)
    changed = {
      key: value if key in types.EPISODE_OBSERVATIONS else value[:, ::-1]
      for key, value in observation.items()
    }
    np.testing.assert_allclose(
      _encoder()(changed), expected[:, ::-1], atol=1e-5
    )

  def test_time_by_hand(self):
    clock = np.zeros([3, 10], np.float32)
    # In seconds: until the last trial, remaining, duration. Of 3 trials of
    # 4 s: the first, half over; the start of the last; and nothing known.
    clock[:, 6:9] = np.array([[6, 2, 4], [0, 4, 4], [0, 0, 0]]) / 40
    np.testing.assert_allclose(
      encoder._time(jnp.asarray(clock)),
      [
        [0.5, 0, np.log(3), np.log(5), np.log(2.5)],
        [1, 1, np.log(5), np.log(5), 0],
        [0, 0, 0, 0, 0],
      ],
      atol=1e-6,
    )

  def test_any_reward_is_noticed(self):
    observation = observations.random(_SPEC, (3, 2))
    none, some = dict(observation), dict(observation)
    none["last_reward"] = np.zeros_like(observation["last_reward"])
    some["last_reward"] = none["last_reward"] + np.float32(1e-6)
    difference = np.abs(_encoder()(none) - _encoder()(some)).max(axis=-1)
    self.assertGreater(difference.min(), 1e-2)

  def test_ids_have_an_embedding_for_each_kind(self):
    embed = hk.without_apply_rng(
      hk.transform(lambda ids: encoder._IdEmbedding(_CONFIG)(ids, jnp.float32))
    )
    # Two spawns follow the condition. All ids are 1, except the first colour.
    ids = np.ones((1, 10), np.int32)
    ids[0, 3] = 2
    params = embed.init(jax.random.PRNGKey(0), ids)
    found = embed.apply(params, ids)[0]
    shapes, colours = (
      found[jnp.array([2, 4, 6, 8])],
      found[jnp.array([5, 7, 9])],
    )
    for same in (shapes, colours):
      np.testing.assert_array_equal(same, same[:1].repeat(len(same), axis=0))
    # Negation, predicate, shape, and two colours.
    self.assertLen(np.unique(found, axis=0), 5)

  def test_action_before_the_first_is_all_zeros(self):
    observation = observations.random(_SPEC, (3, 2))
    none = dict(observation)
    none["last_action"] = np.full_like(observation["last_action"], -1)
    some = dict(none)
    some["last_action"] = np.zeros_like(observation["last_action"])
    difference = np.abs(_encoder()(none) - _encoder()(some)).max(axis=-1)
    self.assertGreater(difference.min(), 1e-4)


if __name__ == "__main__":
  absltest.main()
