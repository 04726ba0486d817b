import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.muesli import retrace

_complete_steps = jax.jit(retrace.complete_steps)
_retrace_returns = jax.jit(retrace.retrace_returns, static_argnames="lambda_")
_vtrace_returns = jax.jit(retrace.vtrace_returns, static_argnames="lambda_")


def _reference(q, v, reward, gamma, discount, ratio, complete, lambda_):
  """Computes G_t = q_t + Σ_j (Π γ c) δ_{t+j}, literally, in float64."""
  T = len(q)
  c = lambda_ * np.minimum(1.0, ratio)
  returns = np.zeros(T)
  for t in range(T):
    if not complete[t]:
      continue
    g, weight, j = q[t], 1.0, 0
    while True:
      s = t + j
      v_next = v[s + 1] if discount[s] else 0.0
      g += weight * (reward[s] + gamma * discount[s] * v_next - q[s])
      if not discount[s] or not complete[s + 1]:
        break
      weight *= gamma * discount[s] * c[s + 1]
      j += 1
    returns[t] = g
  return returns


def _vtrace_reference(v, reward, gamma, discount, ratio, complete, lambda_):
  """Computes V_t = v_t + Σ_j γ^j (Π c) δ_{t+j}, literally, in float64."""
  T = len(v)
  rho = np.minimum(1.0, ratio)
  values, returns = v.copy(), np.zeros(T)
  for t in range(T):
    if not complete[t]:
      continue
    weight, s = 1.0, t
    while True:
      v_next = v[s + 1] if discount[s] else 0.0
      delta = rho[s] * (reward[s] + gamma * discount[s] * v_next - v[s])
      values[t] += weight * delta
      if not discount[s] or not complete[s + 1]:
        break
      weight *= gamma * lambda_ * rho[s]
      s += 1
  for t in range(T):
    if complete[t]:
      after = 0.0
      if discount[t]:
        after = lambda_ * values[t + 1] + (1 - lambda_) * v[t + 1]
      returns[t] = reward[t] + gamma * after
  return values, returns


class VtraceTest(absltest.TestCase):
  def test_against_the_definition(self):
    rng = np.random.default_rng(2)
    for length, ends in ((7, True), (7, False), (5, True), (5, False)):
      mask = np.arange(7) < length
      discount = np.ones(7)
      if ends:
        discount[length - 1] = 0
      v, reward = rng.normal(size=[2, 7])
      ratio = rng.uniform(0.2, 2, size=[7])
      complete = np.asarray(_complete_steps(mask.astype(np.float32), discount))
      got = _vtrace_returns(
        v, reward, 0.9 * discount, ratio, complete, lambda_=0.8
      )
      wanted = _vtrace_reference(v, reward, 0.9, discount, ratio, complete, 0.8)
      for x, y in zip(got, wanted, strict=True):
        np.testing.assert_allclose(
          np.asarray(x) * complete, y * complete, rtol=1e-4, atol=1e-6
        )


class RetraceTest(absltest.TestCase):
  def test_complete_steps(self):
    mask = np.array([1.0, 1, 1, 0, 0])
    cut = _complete_steps(mask, np.array([1.0, 1, 1, 0, 0]))
    np.testing.assert_array_equal(cut, [1, 1, 0, 0, 0])
    ended = _complete_steps(mask, np.array([1.0, 1, 0, 1, 1]))
    np.testing.assert_array_equal(ended, [1, 1, 1, 0, 0])
    full = _complete_steps(np.ones([3]), np.array([1.0, 1, 0]))
    np.testing.assert_array_equal(full, [1, 1, 1])

  def test_by_hand(self):
    # γ = 0.5, λ = 0.8. The last step ends the episode.
    returns = _retrace_returns(
      q=np.array([9.0, 4.0, 2.0]),
      v=np.array([7.0, 5.0, 3.0]),
      reward=np.array([1.0, 2.0, 6.0]),
      discount=np.array([0.5, 0.5, 0.0]),
      ratio=np.array([1.0, 0.5, 2.0]),
      complete=np.ones([3]),
      lambda_=0.8,
    )
    # G_2 = 6; c_2 = 0.8, G_1 = 2 + 0.5 (3 + 0.8 (6 - 2)) = 5.1;
    # c_1 = 0.4, G_0 = 1 + 0.5 (5 + 0.4 (5.1 - 4)) = 3.72.
    np.testing.assert_allclose(returns, [3.72, 5.1, 6.0], rtol=1e-6)

  def test_lambda_one_on_policy_is_the_sum_of_rewards(self):
    rng = np.random.default_rng(0)
    reward = rng.normal(size=[6]).astype(np.float32)
    v = rng.normal(size=[6]).astype(np.float32)
    returns = _retrace_returns(
      q=v,
      v=v,
      reward=reward,
      discount=np.array([1.0, 1, 1, 1, 1, 0]),
      ratio=np.ones([6]),
      complete=np.ones([6]),
      lambda_=1.0,
    )
    np.testing.assert_allclose(
      returns, np.cumsum(reward[::-1])[::-1], rtol=1e-4, atol=1e-5
    )

  def test_against_the_definition(self):
    rng = np.random.default_rng(1)
    for length, ends in ((7, True), (7, False), (5, True), (5, False)):
      T = 7
      mask = np.arange(T) < length
      discount = np.ones(T)
      if ends:
        discount[length - 1] = 0
      q, v, reward = rng.normal(size=[3, T])
      ratio = rng.uniform(0.2, 2, size=[T])
      complete = np.asarray(_complete_steps(mask.astype(np.float32), discount))
      self.assertEqual(complete.sum(), length if ends else length - 1)
      returns = _retrace_returns(
        q, v, reward, 0.9 * discount, ratio, complete, lambda_=0.95
      )
      expected = _reference(q, v, reward, 0.9, discount, ratio, complete, 0.95)
      np.testing.assert_allclose(
        np.asarray(returns) * complete, expected, rtol=1e-4
      )


if __name__ == "__main__":
  absltest.main()
