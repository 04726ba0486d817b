"""The CMPO policy against numbers by hand and enumerated draws."""

import dataclasses
import itertools

import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.learner_config import MuesliConfig
from adaland.agent.muesli import cmpo
from tests.agent.muesli import heads

_CONFIG = MuesliConfig(num_samples=3)
_weights = jax.jit(cmpo.weights, static_argnums=1)
_sampled_policy = jax.jit(cmpo.sampled_policy, static_argnums=3)
_exact_policy = jax.jit(cmpo.exact_policy, static_argnums=(2, 3))


class CmpoTest(parameterized.TestCase):
  def test_cmpo_weights_by_hand(self):
    # N = 2: e = (e^1, e^-0.5), the first advantage being clipped;
    # z_1 = (1 + e^-0.5) / 2, z_2 = (1 + e) / 2.
    weights = _weights(np.array([5.0, -0.5]), _CONFIG)
    e1, e2 = np.exp(1.0), np.exp(-0.5)
    np.testing.assert_allclose(
      weights, [2 * e1 / (1 + e2), 2 * e2 / (1 + e1)], rtol=1e-6
    )

  def test_cmpo_weights_with_another_initial_normaliser(self):
    # z_1 = (2 + e^-0.5) / 2, z_2 = (2 + e) / 2.
    config = dataclasses.replace(_CONFIG, z_init=2.0)
    weights = _weights(np.array([5.0, -0.5]), config)
    e1, e2 = np.exp(1.0), np.exp(-0.5)
    np.testing.assert_allclose(
      weights, [2 * e1 / (2 + e2), 2 * e2 / (2 + e1)], rtol=1e-6
    )

  @parameterized.parameters(0.1, 1.0)
  def test_control_variate_keeps_the_mean_and_takes_away_noise(self, sigma):
    """Enumerates all draws of three samples of a two-headed action."""
    rng = np.random.default_rng(0)
    prior = heads.log_policy(rng.normal(size=heads.S))
    actions = heads.one_hot(
      np.array([[a, b] for a in range(3) for b in range(2)])
    )
    log_p = actions @ prior
    advantages = rng.normal(size=6)
    draws = np.array(list(itertools.product(range(6), repeat=3)))
    probability = np.exp(log_p[draws].sum(axis=1))
    weights = _weights(advantages[draws] / sigma, _CONFIG)
    plain = np.einsum("dn,dns->ds", weights, actions[draws]) / 3
    estimate = _sampled_policy(
      np.tile(prior, (len(draws), 1)),
      actions[draws],
      advantages[draws] / sigma,
      _CONFIG,
    )

    def moments(x):
      mean = probability @ x
      return mean, probability @ np.square(x - mean)

    mean, variance = moments(np.asarray(estimate, np.float64))
    plain_mean, plain_variance = moments(plain)
    np.testing.assert_allclose(mean, plain_mean, atol=1e-6)
    self.assertLess(variance.sum(), 0.7 * plain_variance.sum())

  def test_many_samples_give_the_exact_cmpo_policy(self):
    rng = np.random.default_rng(0)
    prior = np.array([0.5, 0.3, 0.2])
    advantage = np.array([-0.4, 0.3, 2.0])
    exact = prior * np.exp(np.clip(advantage, -1, 1))
    exact /= exact.sum()
    sample = rng.choice(3, p=prior, size=[200, 4000])
    weights = np.asarray(_weights(advantage[sample], _CONFIG))
    estimate = [np.mean(weights * (sample == a)) for a in range(3)]
    np.testing.assert_allclose(estimate, exact, atol=3e-3)

  def test_total_variation_of_cmpo_is_bounded(self):
    # tanh(c / 2): Muesli, section 4.3; reached where a share 1 / (1 + e^c) of
    # the prior has the best advantage and the rest the worst.
    for c in (0.5, 1.0, 2.0):
      config = dataclasses.replace(_CONFIG, advantage_clip=c)
      distances = []
      for share in (0.5, 1 / (1 + np.exp(c))):
        best = np.arange(10_000) < 10_000 * share
        weights = np.asarray(_weights(np.where(best, 1e9, -1e9), config))
        distances.append(0.5 * np.mean(np.abs(weights - 1)))
      self.assertLess(float(distances[0]), float(distances[1]))
      np.testing.assert_allclose(distances[1], np.tanh(c / 2), rtol=1e-3)

  def test_without_the_control_variate_it_is_the_plain_mean(self):
    prior = heads.log_policy(np.zeros(heads.S))
    samples = heads.one_hot(np.array([[0, 1], [2, 1]]))
    config = dataclasses.replace(_CONFIG, control_variate=False)
    normalised = np.array([5.0, -0.5])
    policy = _sampled_policy(prior, samples, normalised, config)
    w1, w2 = np.asarray(_weights(normalised, config))
    np.testing.assert_allclose(
      policy, [w1 / 2, 0, w2 / 2, 0, (w1 + w2) / 2], rtol=1e-6
    )

  def test_exact_policy_against_enumeration(self):
    rng = np.random.default_rng(1)
    prior = heads.log_policy(rng.normal(size=[2, heads.S]))
    advantages = 2.0 * rng.normal(size=[2, 6])
    expected = np.zeros([2, heads.S])
    for row in range(2):
      joint = {
        (a, b): np.exp(prior[row, a] + prior[row, 3 + b])
        * np.exp(np.clip(advantages[row, 2 * a + b], -1, 1))
        for a in range(3)
        for b in range(2)
      }
      total = sum(joint.values())
      for (a, b), p in joint.items():
        expected[row, [a, 3 + b]] += p / total
    policy = _exact_policy(prior, advantages, heads.SIZES, _CONFIG)
    np.testing.assert_allclose(policy, expected, rtol=1e-5)


if __name__ == "__main__":
  absltest.main()
