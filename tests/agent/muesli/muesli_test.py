"""Losses against numbers by hand and float64 NumPy; see also targets_test."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.muesli import cmpo, muesli
from tests.agent.muesli import cases, heads

_losses = jax.jit(muesli.losses, static_argnums=(4, 5))


class LossesTest(parameterized.TestCase):
  @parameterized.product(ends=(True, False), seed=(0, 1))
  def test_against_the_formulas(self, ends, seed):
    config = cases.CONFIG
    case = cases.Case(seed, ends, config)
    parts = _losses(
      case.predictions(),
      case.targets(),
      case.experience(),
      0.7,
      heads.SIZES,
      config,
    )
    expected = cases.reference(case, 0.7, config)
    self.assertEqual(set(parts), set(expected))
    for name, wanted in expected.items():
      np.testing.assert_allclose(
        parts[name], wanted, rtol=1e-4, atol=1e-5, err_msg=name
      )
      self.assertGreater(np.abs(wanted).sum(), 0)

  def test_of_all_actions_the_cmpo_policy_is_exact(self):
    case = cases.Case(0, True, cases.CONFIG)
    advantages = np.random.default_rng(3).normal(size=[6, 6])
    advantages = advantages.astype(np.float32)
    parts = _losses(
      case.predictions(),
      case.targets()._replace(samples=None, advantages=jnp.asarray(advantages)),
      case.experience(),
      0.7,
      heads.SIZES,
      cases.CONFIG,
    )
    policy = jax.jit(cmpo.exact_policy, static_argnums=(2, 3))(
      case.prior, advantages / 0.7, heads.SIZES, cases.CONFIG
    )
    log_pi = heads.log_policy(case.policy_logits[:, 0])
    np.testing.assert_allclose(
      parts["cmpo"],
      -case.mask * np.sum(np.asarray(policy) * log_pi, axis=-1),
      rtol=1e-4,
    )

  def test_what_is_switched_off_is_left_out(self):
    case = cases.Case(0, True, cases.CONFIG)

    def parts(predictions, target):
      return _losses(
        predictions,
        target,
        case.experience(),
        0.7,
        heads.SIZES,
        cases.CONFIG,
      )

    whole = parts(case.predictions(), case.targets())
    target = case.targets()._replace(samples=None, advantages=None)
    plain = parts(case.predictions(), target)
    self.assertEqual(set(whole) - set(plain), {"cmpo", "model_policy"})
    for name, loss in plain.items():
      np.testing.assert_allclose(loss, whole[name], err_msg=name)
    alone = parts(case.predictions()._replace(near=None, far=None), target)
    self.assertEqual(set(plain) - set(alone), {"reward"})
    expected = [
      -cases.two_hot(case.returns[t])
      @ heads.log_softmax(case.value_logits[t, 0])
      for t in range(4)
    ]
    np.testing.assert_allclose(
      np.asarray(alone["value"])[:4], expected, rtol=1e-4
    )

  @parameterized.parameters(2, 4)
  def test_looking_far_from_every_nth_step_is_right_on_average(self, every):
    case = cases.Case(0, True, cases.CONFIG)
    config = dataclasses.replace(cases.CONFIG, model_every=every)

    def parts(config, *which):
      losses = _losses(
        case.predictions(*which),
        case.targets(),
        case.experience(),
        0.7,
        heads.SIZES,
        config,
      )
      return jax.tree.map(np.asarray, losses)

    expected = parts(cases.CONFIG)
    some = [parts(config, every, offset) for offset in range(every)]
    for name, wanted in expected.items():
      mean = sum(x[name] for x in some) / every
      np.testing.assert_allclose(mean, wanted, rtol=1e-4, err_msg=name)
    self.assertGreater(np.abs(some[0]["value"] - expected["value"]).max(), 0.1)

  def test_values_after_the_end_are_taught_to_be_zero(self):
    config = cases.CONFIG
    case = cases.Case(0, True, config)

    def loss(predictions):
      parts = _losses(
        predictions,
        case.targets(),
        case.experience(),
        1.0,
        heads.SIZES,
        config,
      )
      return parts["value"].sum()

    gradient = jax.jit(jax.grad(loss, allow_int=True))(case.predictions())
    gradient = np.concatenate(
      [gradient.near.value_logits, gradient.far.value_logits], axis=1
    )
    probs = np.exp(heads.log_softmax(case.value_logits))
    for t, i in ((3, 1), (3, 2), (2, 2)):
      np.testing.assert_allclose(
        gradient[t, i - 1],
        (probs[t, i] - np.eye(cases.BINS)[cases.BINS // 2]) / 2,
        atol=1e-5,
      )
    np.testing.assert_array_equal(gradient[4:], 0)

  @parameterized.parameters((1 / 3, 1.0), (0.8, 0.625))
  def test_policy_gradient_keeps_actions_that_became_likelier(
    self, taken, weight
  ):
    # π(a) = 0.5 in the first head and 0.5 = μ(a) in the second. With μ(a) = 1/3
    # in the first the ratio is above 1, and clipped to 1; with 0.8 it is 0.625.
    # d/dlogits of -A log π = -A (one-hot - π), and the ratio has no gradient.
    config = dataclasses.replace(cases.CONFIG, model_steps=1)
    rest = [(1 - taken) / 2] * 2
    logits = np.log(np.array([0.5, 0.25, 0.25, 0.5, 0.5], np.float32))

    def loss(x):
      experience = muesli.Experience(
        action=jnp.array([[1.0, 0, 0, 1, 0]]),
        behaviour=jnp.log(jnp.array([[taken, *rest, 0.5, 0.5]])),
        reward=jnp.zeros([1]),
        discount=jnp.zeros([1]),
        mask=jnp.ones([1]),
      )
      target = muesli.Targets(
        returns=jnp.array([3.0]),
        action_returns=jnp.array([3.0]),
        complete=jnp.ones([1]),
        value=jnp.array([1.0]),
        prior=jnp.log(jnp.array([[1 / 3, 1 / 3, 1 / 3, 0.5, 0.5]])),
        samples=jnp.zeros([1, 3, 5]),
        advantages=jnp.zeros([1, 3]),
      )
      predictions = muesli.Predictions(
        policy_logits=x[None],
        value_logits=jnp.zeros([1, cases.BINS]),
        near=muesli.ModelPredictions(
          jnp.arange(1),
          x[None, None],
          jnp.zeros([1, 1, cases.BINS]),
          jnp.zeros([1, 1, cases.BINS]),
        ),
        far=None,
      )
      parts = _losses(predictions, target, experience, 0.5, heads.SIZES, config)
      return parts["policy_gradient"].sum()

    np.testing.assert_allclose(
      jax.jit(jax.grad(loss))(logits),
      weight * np.array([-2.0, 1.0, 1.0, -2.0, 2.0]),
      rtol=1e-5,
    )

  def test_no_gradient_flows_into_targets(self):
    config = cases.CONFIG
    case = cases.Case(2, True, config)

    def loss(target):
      parts = _losses(
        case.predictions(),
        target,
        case.experience(),
        1.0,
        heads.SIZES,
        config,
      )
      return muesli.total_loss(
        {name: x.sum() for name, x in parts.items()}, config
      )

    gradient = jax.jit(jax.grad(loss))(case.targets())
    for leaf in jax.tree_util.tree_leaves(gradient):
      np.testing.assert_array_equal(leaf, 0)

  def test_total_is_weighted(self):
    names = ("policy_gradient", "cmpo", "model_policy", "reward", "value")
    parts = {name: 10.0**i for i, name in enumerate(names)}
    config = dataclasses.replace(
      cases.CONFIG,
      policy_gradient_weight=1.0,
      cmpo_weight=2.0,
      model_policy_weight=3.0,
      reward_weight=4.0,
      value_weight=5.0,
    )
    total = jax.jit(muesli.total_loss, static_argnums=1)(parts, config)
    self.assertEqual(float(total), 54321.0)


if __name__ == "__main__":
  absltest.main()
