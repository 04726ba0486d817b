import itertools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import distributions

SIZES = (3, 2)


def _joint(log_p: np.ndarray) -> np.ndarray:
  """Probabilities of all six composite actions, in float64."""
  p = np.exp(np.asarray(log_p, np.float64))
  return np.array(
    [
      p[a] * p[SIZES[0] + b]
      for a, b in itertools.product(*(range(n) for n in SIZES))
    ]
  )


def _random(seed: int) -> np.ndarray:
  logits = np.random.default_rng(seed).normal(size=[5]).astype(np.float32)
  return np.asarray(distributions.log_probs(logits, SIZES))


class PolicyTest(absltest.TestCase):
  def test_heads_are_normalised_apart(self):
    log_p = _random(0)
    np.testing.assert_allclose(np.exp(log_p[:3]).sum(), 1, rtol=1e-6)
    np.testing.assert_allclose(np.exp(log_p[3:]).sum(), 1, rtol=1e-6)

  def test_wrong_width_is_refused(self):
    with self.assertRaisesRegex(ValueError, r"expected 5 .* \(3, 2\)"):
      distributions.log_probs(np.zeros([4]), SIZES)

  def test_one_hot_by_hand(self):
    np.testing.assert_array_equal(
      distributions.one_hot(np.array([[2, 0], [0, 1]], np.int8), SIZES),
      [[0, 0, 1, 1, 0], [1, 0, 0, 0, 1]],
    )

  def test_log_probability_of_an_action_is_a_dot_product(self):
    log_p = _random(1)
    actions = np.array(list(itertools.product(range(3), range(2))))
    np.testing.assert_allclose(
      distributions.one_hot(actions, SIZES) @ log_p,
      np.log(_joint(log_p)),
      rtol=1e-5,
    )

  def test_joint_entropy_and_kl(self):
    p, q = _random(2), _random(3)
    joint_p, joint_q = _joint(p), _joint(q)
    np.testing.assert_allclose(
      distributions.entropy(p), np.sum(joint_p * -np.log(joint_p)), rtol=1e-5
    )
    np.testing.assert_allclose(
      distributions.kl(p, q),
      np.sum(joint_p * np.log(joint_p / joint_q)),
      rtol=1e-5,
    )

  def test_jensen_shannon(self):
    p, q = _random(4), _random(5)
    total = 0.0
    for head in (slice(0, 3), slice(3, 5)):
      a, b = np.exp(p[head], dtype=np.float64), np.exp(q[head], dtype=float)
      m = (a + b) / 2
      total += 0.5 * np.sum(a * np.log(a / m)) + 0.5 * np.sum(b * np.log(b / m))
    np.testing.assert_allclose(
      distributions.jensen_shannon(p, q), total, rtol=1e-4
    )
    np.testing.assert_allclose(
      distributions.jensen_shannon(p, p), 0.0, atol=1e-7
    )

  def test_disjoint_policies_are_ln_2_apart_in_each_head(self):
    p = distributions.log_probs(np.array([80.0, 0, 0, 80, 0]), SIZES)
    q = distributions.log_probs(np.array([0.0, 80, 0, 0, 80]), SIZES)
    np.testing.assert_allclose(
      distributions.jensen_shannon(p, q), 2 * np.log(2), rtol=1e-5
    )

  def test_mixture_by_hand(self):
    p = jnp.log(jnp.array([0.5, 0.25, 0.25, 0.9, 0.1]))
    q = jnp.log(jnp.array([0.1, 0.8, 0.1, 0.5, 0.5]))
    np.testing.assert_allclose(
      np.exp(distributions.mixture([(0.6, p), (0.3, q)], 0.1, SIZES)),
      [
        0.6 * 0.5 + 0.3 * 0.1 + 0.1 / 3,
        0.6 * 0.25 + 0.3 * 0.8 + 0.1 / 3,
        0.6 * 0.25 + 0.3 * 0.1 + 0.1 / 3,
        0.6 * 0.9 + 0.3 * 0.5 + 0.1 / 2,
        0.6 * 0.1 + 0.3 * 0.5 + 0.1 / 2,
      ],
      rtol=1e-6,
    )

  def test_samples_have_the_joint_distribution(self):
    log_p = _random(6)
    n = 20_000
    actions = distributions.sample(
      jax.random.PRNGKey(0), np.broadcast_to(log_p, [n, 5]), SIZES
    )
    counts = np.bincount(np.asarray(actions) @ [2, 1], minlength=6)
    expected = _joint(log_p)
    deviation = np.sqrt(expected * (1 - expected) / n)
    error = np.abs(counts / n - expected) / deviation
    self.assertLess(float(np.max(error)), 4.0)

  def test_all_actions_are_there_once(self):
    actions = distributions.all_actions((3, 2))
    np.testing.assert_array_equal(actions[1], [1, 0, 0, 0, 1])
    self.assertLen(np.unique(actions, axis=0), 6)
    np.testing.assert_array_equal(actions.sum(axis=0), [2, 2, 2, 3, 3])


if __name__ == "__main__":
  absltest.main()
