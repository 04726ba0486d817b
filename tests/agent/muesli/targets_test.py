"""Targets of Muesli's losses against numbers by hand and float64 NumPy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.muesli import muesli, retrace
from tests.agent.muesli import cases, heads

_targets = jax.jit(muesli.targets, static_argnames=("sizes", "config"))
_update_scale = jax.jit(muesli.update_scale, static_argnums=2)


def _advantages(target: muesli.Targets) -> jax.Array:
  assert target.advantages is not None
  return target.advantages


class TargetsTest(parameterized.TestCase):
  def test_prior_by_hand(self):
    target = np.log([0.5, 0.3, 0.2, 0.6, 0.4])
    behaviour = np.log([0.1, 0.1, 0.8, 0.5, 0.5])
    config = dataclasses.replace(
      cases.CONFIG, behaviour_prior=0.2, uniform_prior=0.1
    )
    prior = jax.jit(muesli.prior_policy, static_argnums=(2, 3))(
      target, behaviour, heads.SIZES, config
    )
    np.testing.assert_allclose(
      np.exp(np.asarray(prior)),
      [
        0.35 + 0.02 + 0.1 / 3,
        0.21 + 0.02 + 0.1 / 3,
        0.14 + 0.16 + 0.1 / 3,
        0.42 + 0.1 + 0.05,
        0.28 + 0.1 + 0.05,
      ],
      rtol=1e-6,
    )

  def test_returns_and_advantages_by_hand(self):
    action = np.array([[1, 0, 0, 1, 0]] * 3, np.float32)
    half = np.log(np.array([0.5, 0.25, 0.25, 0.5, 0.5], np.float32))
    # The second action is half as likely under the prior as when taken.
    prior = np.stack([half, half - np.log(2) * action[0], half])
    config = dataclasses.replace(cases.CONFIG, gamma=0.5, retrace_lambda=0.8)
    target = _targets(
      muesli.Experience(
        action=jnp.asarray(action),
        behaviour=jnp.asarray(np.stack([half] * 3)),
        reward=jnp.array([1.0, 2.0, 6.0]),
        discount=jnp.array([1.0, 1.0, 0.0]),
        mask=jnp.array([1.0, 1.0, 1.0]),
      ),
      prior=prior,
      value=np.array([6.0, 5.0, 1.0]),
      look=muesli.LookAhead(
        q_taken=jnp.array([9.0, 4.0, 2.0]),
        samples=jnp.asarray(np.zeros([3, 3, 5], np.float32)),
        q=jnp.array([[7.0, 7, 7], [4, 5, 6], [3, 1, 5]]),
      ),
      sizes=heads.SIZES,
      config=config,
    )
    # v = (7, 5, 3); both heads are halved, so the second ratio is 1/4.
    # G_2 = 6; G_1 = 2 + 0.5 (3 + 0.8 (6 - 2)) = 5.1;
    # G_0 = 1 + 0.5 (5 + 0.2 (5.1 - 4)) = 3.61.
    np.testing.assert_allclose(target.returns, [3.61, 5.1, 6.0], rtol=1e-6)
    np.testing.assert_allclose(
      _advantages(target), [[1, 1, 1], [-1, 0, 1], [2, 0, 4]]
    )
    np.testing.assert_array_equal(target.complete, [1, 1, 1])

  def test_garbage_in_padding_changes_nothing(self):
    rng = np.random.default_rng(0)
    mask = np.array([1.0, 1, 1, 0, 0])
    results = []
    for garbage in (0.0, 1e6):
      junk = np.where(mask > 0, 0.0, garbage)
      base = np.random.default_rng(1).normal(size=[7, 5])
      target = _targets(
        muesli.Experience(
          action=heads.float32(np.ones([5, 5])),
          behaviour=heads.float32(np.full([5, 5], -1.0)),
          reward=heads.float32(base[0] + junk),
          discount=jnp.array([1.0, 1, 1, 1, 1]),
          mask=heads.float32(mask),
        ),
        prior=np.full([5, 5], -1.0),
        value=base[1] + junk,
        look=muesli.LookAhead(
          q_taken=heads.float32(base[2] + junk),
          samples=heads.float32(rng.normal(size=[5, 3, 5])),
          q=heads.float32(base[3:6].T + junk[:, None]),
        ),
        sizes=heads.SIZES,
        config=cases.CONFIG,
      )
      results.append(np.asarray(target.returns))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0][2:], [0, 0, 0])

  def test_scale_is_corrected_for_its_start(self):
    config = dataclasses.replace(
      cases.CONFIG, variance_decay=0.9, variance_epsilon=1e-12
    )
    scale = muesli.initial_scale()
    scale, sigma = _update_scale(scale, 4.0, config)
    np.testing.assert_allclose(sigma, 2.0, rtol=1e-5)
    scale, sigma = _update_scale(scale, 1.0, config)
    # (0.9 * 0.1 * 4 + 0.1 * 1) / (1 - 0.81)
    np.testing.assert_allclose(sigma, np.sqrt(0.46 / 0.19), rtol=1e-5)
    self.assertEqual(int(scale.count), 2)

  def test_vtrace_takes_the_place_of_retrace(self):
    config = dataclasses.replace(cases.CONFIG, returns="vtrace", cmpo="none")
    case = cases.Case(0, True, config)
    target = _targets(
      case.experience(),
      case.prior,
      case.value,
      None,
      heads.SIZES,
      config,
    )
    ratio = np.exp(np.sum(case.action * (case.prior - case.behaviour), -1))
    expected = jax.jit(retrace.vtrace_returns, static_argnums=5)(
      case.value, case.reward, 0.995 * case.discount, ratio, case.complete, 0.95
    )
    for returns, wanted in zip(
      (target.returns, target.action_returns), expected, strict=True
    ):
      returns, wanted = np.asarray(returns), np.asarray(wanted)
      np.testing.assert_allclose(returns[:4], wanted[:4], rtol=1e-4)
      np.testing.assert_array_equal(returns[4:], 0)
    self.assertIsNone(target.advantages)

  def test_of_all_actions_the_expectation_is_exact(self):
    config = dataclasses.replace(
      cases.CONFIG, cmpo="exact", gamma=0.5, retrace_lambda=0.0
    )
    case = cases.Case(0, True, config)
    rng = np.random.default_rng(3)
    q = rng.normal(size=[6, 6])
    target = _targets(
      case.experience(),
      case.prior,
      case.value,
      muesli.LookAhead(heads.float32(case.value), None, heads.float32(q)),
      heads.SIZES,
      config,
    )
    p = np.exp(case.prior)
    joint = np.einsum("ta,tb->tab", p[:, :3], p[:, 3:]).reshape(6, 6)
    # Without traces, G_t = r_t + γ E q(s_{t+1}, ·).
    wanted = case.reward[:3] + 0.5 * np.sum(joint * q, axis=1)[1:4]
    np.testing.assert_allclose(
      np.asarray(target.returns)[:3], wanted, rtol=1e-5
    )
    np.testing.assert_allclose(
      _advantages(target), q - case.value[:, None], rtol=1e-4, atol=1e-6
    )


if __name__ == "__main__":
  absltest.main()
