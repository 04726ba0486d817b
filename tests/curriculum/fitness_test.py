"""Tests of curriculum.fitness."""

import itertools
import math

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum import fitness


class ErrorsTest(absltest.TestCase):
  def test_td_error_by_hand(self):
    errors = fitness.td_error(
      v_tm1=np.array([1.0, 2.0, 4.0]),
      r_t=np.array([0.5, 0.0, 1.0]),
      discount_t=np.array([0.9, 0.9, 0.0]),
      v_t=np.array([2.0, 4.0, 100.0]),
    )
    # 0.5 + 1.8 - 1; 3.6 - 2; 1 - 4.
    np.testing.assert_allclose(errors, [1.3, 1.6, 3.0])

  def test_value_error_by_hand(self):
    errors = fitness.value_error(np.array([1.0, 2.0]), np.array([3.0, -1.0]))
    np.testing.assert_allclose(errors, [2.0, 3.0])

  def test_last_trial_mean_is_of_the_last_trial_only(self):
    errors = np.array([100.0, 100.0, 1.0, 2.0, 6.0])
    trial = np.array([0, 0, 1, 1, 1])
    self.assertEqual(fitness.last_trial_mean(errors, trial), 3.0)
    self.assertEqual(fitness.last_trial_mean(errors[:2], trial[:2]), 100.0)
    self.assertEqual(fitness.last_trial_mean(np.zeros(0), np.zeros(0)), 0.0)


class PolicyErrorTest(absltest.TestCase):
  def test_two_heads_by_hand(self):
    # p = (1/2, 1/2) x (1/4, 3/4), q = (1/2, 1/2) x (3/4, 1/4); each of the
    # four actions has p, q = 1/8, 3/8 or 3/8, 1/8 and mixture 1/4:
    # JS = KL(p | m) = 2 (1/8 ln 1/2 + 3/8 ln 3/2).
    p = np.log(np.array([[0.5, 0.5, 0.25, 0.75]]))
    q = np.log(np.array([[0.5, 0.5, 0.75, 0.25]]))
    expected = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    np.testing.assert_allclose(fitness.policy_error(p, q, (2, 2)), [expected])

  def test_is_zero_for_equals_and_ln_2_for_strangers(self):
    p = np.array([[1e3, 0.0, 0.0], [0.3, 0.2, 0.1]], np.float32)
    q = np.array([[0.0, 1e3, 0.0], [1.3, 1.2, 1.1]], np.float32)
    errors = fitness.policy_error(p, q, (3,))
    np.testing.assert_allclose(errors, [math.log(2.0), 0.0], atol=1e-12)

  @settings(max_examples=25, deadline=None)
  @given(st.integers(0, 10**6))
  def test_equals_a_sum_over_all_actions(self, seed):
    rng = np.random.default_rng(seed)
    sizes = (3, 2, 4)
    p, q = rng.normal(0, 2, (2, 9))

    def probability(logits, action):
      heads = np.split(logits, [3, 5])
      return math.prod(
        math.exp(head[a]) / np.exp(head).sum()
        for head, a in zip(heads, action, strict=True)
      )

    expected = 0.0
    for action in itertools.product(*map(range, sizes)):
      a, b = probability(p, action), probability(q, action)
      m = (a + b) / 2
      expected += 0.5 * (a * math.log(a / m) + b * math.log(b / m))
    error = fitness.policy_error(p[None], q[None], sizes)
    np.testing.assert_allclose(error, [expected], rtol=1e-9)


if __name__ == "__main__":
  absltest.main()
