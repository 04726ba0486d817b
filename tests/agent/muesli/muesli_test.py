"""Targets and losses against numbers by hand and float64 NumPy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.muesli import cmpo, muesli, retrace
from tests.agent.muesli import cases, heads

_CONFIG = muesli.MuesliConfig(
  num_samples=3, model_steps=2, value_range=cases.RANGE
)


def _advantages(target: muesli.Targets) -> jax.Array:
  assert target.advantages is not None
  return target.advantages


class TargetsTest(parameterized.TestCase):
  def test_prior_by_hand(self):
    target = jnp.log(jnp.array([0.5, 0.3, 0.2, 0.6, 0.4]))
    behaviour = jnp.log(jnp.array([0.1, 0.1, 0.8, 0.5, 0.5]))
    config = dataclasses.replace(
      _CONFIG, behaviour_prior=0.2, uniform_prior=0.1
    )
    np.testing.assert_allclose(
      np.exp(muesli.prior_policy(target, behaviour, heads.SIZES, config)),
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
    config = dataclasses.replace(_CONFIG, gamma=0.5, retrace_lambda=0.8)
    target = muesli.targets(
      muesli.Experience(
        action=jnp.asarray(action),
        behaviour=jnp.stack([half] * 3),
        reward=jnp.array([1.0, 2.0, 6.0]),
        discount=jnp.array([1.0, 1.0, 0.0]),
        mask=jnp.ones([3]),
      ),
      prior=jnp.asarray(prior),
      value=jnp.array([6.0, 5.0, 1.0]),
      look=muesli.LookAhead(
        q_taken=jnp.array([9.0, 4.0, 2.0]),
        samples=jnp.zeros([3, 3, 5]),
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
      target = muesli.targets(
        muesli.Experience(
          action=jnp.ones([5, 5]),
          behaviour=heads.float32(np.full([5, 5], -1.0)),
          reward=heads.float32(base[0] + junk),
          discount=jnp.array([1.0, 1, 1, 1, 1]),
          mask=heads.float32(mask),
        ),
        prior=heads.float32(np.full([5, 5], -1.0)),
        value=heads.float32(base[1] + junk),
        look=muesli.LookAhead(
          q_taken=heads.float32(base[2] + junk),
          samples=heads.float32(rng.normal(size=[5, 3, 5])),
          q=heads.float32(base[3:6].T + junk[:, None]),
        ),
        sizes=heads.SIZES,
        config=_CONFIG,
      )
      results.append(np.asarray(target.returns))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0][2:], [0, 0, 0])

  def test_scale_is_corrected_for_its_start(self):
    config = dataclasses.replace(
      _CONFIG, variance_decay=0.9, variance_epsilon=1e-12
    )
    scale = muesli.initial_scale()
    scale, sigma = muesli.update_scale(scale, jnp.asarray(4.0), config)
    np.testing.assert_allclose(sigma, 2.0, rtol=1e-5)
    scale, sigma = muesli.update_scale(scale, jnp.asarray(1.0), config)
    # (0.9 * 0.1 * 4 + 0.1 * 1) / (1 - 0.81)
    np.testing.assert_allclose(sigma, np.sqrt(0.46 / 0.19), rtol=1e-5)
    self.assertEqual(scale.count, 2)

  def test_vtrace_takes_the_place_of_retrace(self):
    config = dataclasses.replace(_CONFIG, returns="vtrace", cmpo="none")
    case = cases.Case(0, True, config)
    target = muesli.targets(
      case.experience(),
      heads.float32(case.prior),
      heads.float32(case.value),
      None,
      heads.SIZES,
      config,
    )
    ratio = np.exp(np.sum(case.action * (case.prior - case.behaviour), -1))
    expected = retrace.vtrace_returns(
      heads.float32(case.value),
      heads.float32(case.reward),
      heads.float32(0.995 * case.discount),
      heads.float32(ratio),
      heads.float32(case.complete),
      0.95,
    )
    for returns, wanted in zip(
      (target.returns, target.action_returns), expected, strict=True
    ):
      np.testing.assert_allclose(returns[:4], wanted[:4], rtol=1e-4)
      np.testing.assert_array_equal(returns[4:], 0)
    self.assertIsNone(target.advantages)

  def test_of_all_actions_the_expectation_is_exact(self):
    config = dataclasses.replace(
      _CONFIG, cmpo="exact", gamma=0.5, retrace_lambda=0.0
    )
    case = cases.Case(0, True, config)
    rng = np.random.default_rng(3)
    q = rng.normal(size=[6, 6])
    target = muesli.targets(
      case.experience(),
      heads.float32(case.prior),
      heads.float32(case.value),
      muesli.LookAhead(heads.float32(case.value), None, heads.float32(q)),
      heads.SIZES,
      config,
    )
    p = np.exp(case.prior)
    joint = np.einsum("ta,tb->tab", p[:, :3], p[:, 3:]).reshape(6, 6)
    # Without traces, G_t = r_t + γ E q(s_{t+1}, ·).
    wanted = case.reward[:3] + 0.5 * np.sum(joint * q, axis=1)[1:4]
    np.testing.assert_allclose(target.returns[:3], wanted, rtol=1e-5)
    np.testing.assert_allclose(
      _advantages(target), q - case.value[:, None], rtol=1e-4, atol=1e-6
    )


class LossesTest(parameterized.TestCase):
  @parameterized.product(ends=(True, False), seed=(0, 1))
  def test_against_the_formulas(self, ends, seed):
    config = _CONFIG
    case = cases.Case(seed, ends, config)
    parts = muesli.losses(
      case.predictions(),
      case.targets(),
      case.experience(),
      jnp.asarray(0.7),
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
    case = cases.Case(0, True, _CONFIG)
    advantages = heads.float32(np.random.default_rng(3).normal(size=[6, 6]))
    parts = muesli.losses(
      case.predictions(),
      case.targets()._replace(samples=None, advantages=advantages),
      case.experience(),
      jnp.asarray(0.7),
      heads.SIZES,
      _CONFIG,
    )
    policy = cmpo.exact_policy(
      heads.float32(case.prior), advantages / 0.7, heads.SIZES, _CONFIG
    )
    log_pi = heads.log_policy(case.policy_logits[:, 0])
    np.testing.assert_allclose(
      parts["cmpo"], -case.mask * np.sum(policy * log_pi, axis=-1), rtol=1e-4
    )

  def test_what_is_switched_off_is_left_out(self):
    case = cases.Case(0, True, _CONFIG)

    def parts(predictions, target):
      return muesli.losses(
        predictions,
        target,
        case.experience(),
        jnp.asarray(0.7),
        heads.SIZES,
        _CONFIG,
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
    np.testing.assert_allclose(alone["value"][:4], expected, rtol=1e-4)

  @parameterized.parameters(2, 4)
  def test_looking_far_from_every_nth_step_is_right_on_average(self, every):
    case = cases.Case(0, True, _CONFIG)
    config = dataclasses.replace(_CONFIG, model_every=every)

    def parts(config, *which):
      return muesli.losses(
        case.predictions(*which),
        case.targets(),
        case.experience(),
        jnp.asarray(0.7),
        heads.SIZES,
        config,
      )

    expected = parts(_CONFIG)
    some = [parts(config, every, offset) for offset in range(every)]
    for name, wanted in expected.items():
      mean = sum(x[name] for x in some) / every
      np.testing.assert_allclose(mean, wanted, rtol=1e-4, err_msg=name)
    self.assertGreater(np.abs(some[0]["value"] - expected["value"]).max(), 0.1)

  def test_values_after_the_end_are_taught_to_be_zero(self):
    config = _CONFIG
    case = cases.Case(0, True, config)
    gradient = jax.grad(
      allow_int=True,
      fun=lambda p: muesli.losses(
        p,
        case.targets(),
        case.experience(),
        jnp.asarray(1.0),
        heads.SIZES,
        config,
      )["value"].sum(),
    )(case.predictions())
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
    config = dataclasses.replace(_CONFIG, model_steps=1)
    rest = [(1 - taken) / 2] * 2
    logits = jnp.log(jnp.array([0.5, 0.25, 0.25, 0.5, 0.5]))
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

    def loss(x):
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
      return muesli.losses(
        predictions, target, experience, jnp.asarray(0.5), heads.SIZES, config
      )["policy_gradient"].sum()

    np.testing.assert_allclose(
      jax.grad(loss)(logits),
      weight * np.array([-2.0, 1.0, 1.0, -2.0, 2.0]),
      rtol=1e-5,
    )

  def test_no_gradient_flows_into_targets(self):
    config = _CONFIG
    case = cases.Case(2, True, config)

    def loss(target):
      parts = muesli.losses(
        case.predictions(),
        target,
        case.experience(),
        jnp.asarray(1.0),
        heads.SIZES,
        config,
      )
      return muesli.total_loss(
        {name: x.sum() for name, x in parts.items()}, config
      )

    for leaf in jax.tree_util.tree_leaves(jax.grad(loss)(case.targets())):
      np.testing.assert_array_equal(leaf, 0)

  def test_total_is_weighted(self):
    names = ("policy_gradient", "cmpo", "model_policy", "reward", "value")
    parts = {name: jnp.asarray(10.0**i) for i, name in enumerate(names)}
    config = dataclasses.replace(
      _CONFIG,
      policy_gradient_weight=1.0,
      cmpo_weight=2.0,
      model_policy_weight=3.0,
      reward_weight=4.0,
      value_weight=5.0,
    )
    self.assertEqual(muesli.total_loss(parts, config), 54321.0)


if __name__ == "__main__":
  absltest.main()
