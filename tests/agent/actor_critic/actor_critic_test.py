"""Targets and losses of the actor-critics against float64 NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import distributions
from adaland.agent.actor_critic import actor_critic
from adaland.agent.learner_config import ActorCriticConfig
from adaland.agent.muesli import categorical, muesli_types

_SIZES = (3, 2)
_BINS, _RANGE = 9, 4.0
_CONFIG = ActorCriticConfig(trace_lambda=0.8, ratio_clip=0.2)

_targets = jax.jit(actor_critic.targets, static_argnums=(0, 4, 5))
_losses = jax.jit(actor_critic.losses, static_argnums=(0, 5, 6, 7))
_log_probs = jax.jit(distributions.log_probs, static_argnums=1)
_one_hot = jax.jit(distributions.one_hot, static_argnums=1)
_cross_entropy = jax.jit(categorical.cross_entropy, static_argnums=2)


class Case:
  """A random trajectory of three complete steps.

  An incomplete step follows, or the episode ends with them.
  """

  def __init__(self, seed: int, garbage: float = 0.0, ended: bool = False):
    rng = np.random.default_rng(seed)
    self.mask = np.array([1.0, 1, 1, not ended, 0, 0])
    self.complete = np.array([1.0, 1, 1, 0, 0, 0])
    self.discount = np.array([1.0, 1, not ended, 1, 1, 1])
    actions = rng.integers([3, 2], size=[6, 2])
    self.action = np.array(_one_hot(actions, _SIZES))
    self.behaviour = self._log_policy(rng)
    self.log_pi = self._log_policy(rng)
    junk = garbage * (1 - self.mask)
    self.reward = rng.normal(size=6) + junk
    self.value = rng.normal(size=6) + junk
    self.value_logits = rng.normal(size=[6, _BINS])

  def _log_policy(self, rng):
    logits = rng.normal(size=[6, 5])
    return np.array(_log_probs(logits, _SIZES), np.float64)

  @property
  def ratio(self):
    return np.exp(np.sum(self.action * (self.log_pi - self.behaviour), -1))

  def experience(self):
    return muesli_types.Experience(
      *(
        jnp.asarray(x, jnp.float32)
        for x in (
          self.action,
          self.behaviour,
          self.reward,
          self.discount,
          self.mask,
        )
      )
    )

  def targets(self, algorithm):
    target = _targets(
      algorithm,
      self.experience(),
      np.asarray(self.log_pi, np.float32),
      np.asarray(self.value, np.float32),
      0.9,
      _CONFIG,
    )
    return jax.tree.map(np.asarray, target)


class TargetsTest(parameterized.TestCase):
  @parameterized.parameters(False, True)
  def test_generalised_advantages_of_ppo(self, ended):
    case = Case(0, ended=ended)
    target = case.targets("ppo")
    gamma = 0.9 * case.discount[:3]
    delta = case.reward[:3] + gamma * case.value[1:4] - case.value[:3]
    advantages = [
      sum((0.9 * 0.8) ** (s - t) * delta[s] for s in range(t, 3))
      for t in range(3)
    ]
    np.testing.assert_allclose(target.advantages[:3], advantages, rtol=1e-4)
    np.testing.assert_allclose(
      target.returns[:3], advantages + case.value[:3], rtol=1e-4
    )

  @parameterized.parameters(False, True)
  def test_advantages_of_vtrace(self, ended):
    case = Case(3, ended=ended)
    target = case.targets("vtrace")
    gamma = 0.9 * case.discount[:3]
    rho = np.minimum(1.0, case.ratio)
    self.assertTrue(np.any(rho[:3] == 1) and np.any(rho[:3] < 1))
    values = case.value.copy()
    for t in (2, 1, 0):
      delta = rho[t] * (
        case.reward[t] + gamma[t] * case.value[t + 1] - case.value[t]
      )
      after = values[t + 1] - case.value[t + 1]
      values[t] = case.value[t] + delta + gamma[t] * 0.8 * rho[t] * after
    np.testing.assert_allclose(target.returns[:3], values[:3], rtol=1e-4)
    mixed = 0.8 * values[1:4] + 0.2 * case.value[1:4]
    np.testing.assert_allclose(
      target.advantages[:3],
      rho[:3] * (case.reward[:3] + gamma * mixed - case.value[:3]),
      rtol=1e-4,
    )

  @parameterized.product(algorithm=("ppo", "vtrace"), ended=(False, True))
  def test_garbage_in_padding_changes_nothing(self, algorithm, ended):
    clean, dirty = (Case(2, x, ended).targets(algorithm) for x in (0.0, 1e6))
    jax.tree.map(np.testing.assert_array_equal, clean, dirty)
    np.testing.assert_array_equal(clean.complete, [1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(clean.returns[3:], 0)


class LossesTest(parameterized.TestCase):
  def losses(self, algorithm, case, target, log_pi):
    return _losses(
      algorithm,
      case.experience(),
      target,
      log_pi,
      np.asarray(case.value_logits, np.float32),
      _SIZES,
      _RANGE,
      _CONFIG,
    )

  @parameterized.parameters("ppo", "vtrace")
  def test_against_the_formulas(self, algorithm):
    case = Case(3)
    target = case.targets(algorithm)
    parts = self.losses(algorithm, case, target, case.log_pi)
    advantages = np.asarray(target.advantages, np.float64)
    if algorithm == "ppo":
      self.assertTrue(np.any(np.abs(case.ratio[:3] - 1) > 0.2))
      clipped = np.clip(case.ratio, 0.8, 1.2)
      policy = -np.minimum(case.ratio * advantages, clipped * advantages)
    else:
      policy = -advantages * np.sum(case.action * case.log_pi, axis=-1)
    np.testing.assert_allclose(parts["policy"], policy, rtol=1e-4, atol=1e-6)
    entropy = np.sum(np.exp(case.log_pi) * case.log_pi, axis=-1)
    np.testing.assert_allclose(
      parts["entropy"], case.mask * entropy, rtol=1e-4, atol=1e-6
    )
    value = _cross_entropy(case.value_logits, target.returns, _RANGE)
    np.testing.assert_allclose(parts["value"], case.complete * value, rtol=1e-5)

  @parameterized.parameters("ppo", "vtrace")
  def test_no_gradient_flows_into_targets(self, algorithm):
    case = Case(3)

    def loss(target):
      parts = self.losses(algorithm, case, target, case.log_pi)
      return sum(jnp.sum(x) for x in parts.values())

    gradient = jax.jit(jax.grad(loss))(case.targets(algorithm))
    for leaf in jax.tree.leaves(gradient):
      np.testing.assert_array_equal(leaf, 0)

  def test_ppo_s_ratio_is_not_taken_at_padding(self):
    case = Case(3)
    case.behaviour[4:] = -1e3  # The ratio overflows.
    target = case.targets("ppo")

    @jax.jit
    @jax.value_and_grad
    def loss_and_gradient(log_pi):
      return self.losses("ppo", case, target, log_pi)["policy"].sum()

    loss, gradient = loss_and_gradient(np.asarray(case.log_pi, np.float32))
    self.assertTrue(np.isfinite(loss))
    self.assertTrue(np.isfinite(gradient).all())

  def test_ppo_pulls_no_further_than_the_clip(self):
    case = Case(3)
    far = case.behaviour + 3.0 * case.action  # Taken actions get likelier.
    log_pi = _log_probs(far, _SIZES)
    target = case.targets("ppo")

    def loss(logits):
      return self.losses("ppo", case, target, logits)["policy"].sum()

    gradient = np.abs(jax.jit(jax.grad(loss))(log_pi)).sum(axis=-1)
    up = target.advantages > 0
    self.assertTrue(up[:3].any() and not up[:3].all())
    np.testing.assert_allclose(gradient[:3][up[:3]], 0, atol=1e-6)
    self.assertGreater(gradient[:3][~up[:3]].min(), 1e-3)


if __name__ == "__main__":
  absltest.main()
