"""Targets and losses against numbers by hand and float64 NumPy."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.muesli import muesli

SIZES = (3, 2)
S = 5
BINS = 9
RANGE = 4.0


_CONFIG = muesli.MuesliConfig(num_samples=3, model_steps=2, value_range=RANGE)


def _log_softmax(x: np.ndarray) -> np.ndarray:
  x = x - x.max(axis=-1, keepdims=True)
  return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def _log_policy(logits: np.ndarray) -> np.ndarray:
  return np.concatenate(
    [_log_softmax(logits[..., :3]), _log_softmax(logits[..., 3:])], axis=-1
  )


def _two_hot(x: float) -> np.ndarray:
  h = np.sign(x) * (np.sqrt(np.abs(x) + 1) - 1) + 1e-3 * x
  position = np.clip(h, -RANGE, RANGE) + RANGE
  low = min(int(position), BINS - 2)
  weights = np.zeros(BINS)
  weights[low], weights[low + 1] = 1 - (position - low), position - low
  return weights


def _one_hot(action: np.ndarray) -> np.ndarray:
  return np.concatenate(
    [np.eye(3)[action[..., 0]], np.eye(2)[action[..., 1]]], axis=-1
  )


class Case:
  """A random trajectory of four real steps and two of padding."""

  def __init__(self, seed: int, ends: bool, config: muesli.MuesliConfig):
    rng = np.random.default_rng(seed)
    T, N, K = 6, config.num_samples, config.model_steps
    self.mask = np.array([1.0, 1, 1, 1, 0, 0])
    self.discount = np.array([1.0, 1, 1, 0 if ends else 1, 1, 1])
    self.complete = np.array([1.0, 1, 1, 1 if ends else 0, 0, 0])
    self.action = _one_hot(rng.integers([3, 2], size=[T, 2]))
    self.behaviour = _log_policy(rng.normal(size=[T, S]))
    self.reward = rng.normal(size=[T])
    self.returns = rng.normal(size=[T]) * self.complete
    self.value = rng.normal(size=[T])
    self.prior = _log_policy(rng.normal(size=[T, S]))
    self.samples = _one_hot(rng.integers([3, 2], size=[T, N, 2]))
    self.advantages = rng.normal(size=[T, N])
    self.policy_logits = rng.normal(size=[T, K + 1, S])
    self.value_logits = rng.normal(size=[T, K + 1, BINS])
    self.reward_logits = rng.normal(size=[T, K, BINS])

  def experience(self) -> muesli.Experience:
    return muesli.Experience(
      *map(
        _float32,
        (
          self.action,
          self.behaviour,
          self.reward,
          self.discount,
          self.mask,
        ),
      )
    )

  def targets(self) -> muesli.Targets:
    return muesli.Targets(
      *map(
        _float32,
        (
          self.returns,
          self.complete,
          self.value,
          self.prior,
          self.samples,
          self.advantages,
        ),
      )
    )

  def predictions(self, every: int = 1, offset: int = 0) -> muesli.Predictions:
    """Returns predictions that go past i = 1 at every n-th step only."""
    starts = np.arange(0, 6, every) + offset
    rows = np.minimum(starts, 5)
    return muesli.Predictions(
      policy_logits=_float32(self.policy_logits[:, 0]),
      value_logits=_float32(self.value_logits[:, 0]),
      near=muesli.ModelPredictions(
        jnp.arange(6),
        _float32(self.policy_logits[:, 1:2]),
        _float32(self.value_logits[:, 1:2]),
        _float32(self.reward_logits[:, :1]),
      ),
      far=muesli.ModelPredictions(
        jnp.asarray(starts),
        _float32(self.policy_logits[rows, 2:]),
        _float32(self.value_logits[rows, 2:]),
        _float32(self.reward_logits[rows, 1:]),
      ),
    )


def _float32(x: np.ndarray) -> jax.Array:
  return jnp.asarray(x, jnp.float32)


def _reference(case: Case, sigma: float, config: muesli.MuesliConfig):
  """Computes each step's losses from their formulas, one number at a time."""
  T, K, N = 6, config.model_steps, config.num_samples
  names = ("policy_gradient", "cmpo", "model_policy", "reward", "value")
  out = {name: np.zeros(T) for name in names}
  log_pi = _log_policy(case.policy_logits)

  def cmpo(state: int, at: int, i: int) -> float:
    clipped = np.clip(case.advantages[state] / sigma, -1, 1)
    total = -np.exp(case.prior[state]) @ log_pi[at, i]
    for n in range(N):
      others = sum(np.exp(clipped[j]) for j in range(N) if j != n)
      z = (1.0 + others) / N
      log_p = case.samples[state, n] @ log_pi[at, i]
      total -= (np.exp(clipped[n]) / z - 1) * log_p / N
    return total

  for t in range(T):
    if not case.mask[t]:
      continue
    if case.complete[t]:
      new, old = (
        case.action[t] @ log_pi[t, 0],
        case.action[t] @ case.behaviour[t],
      )
      ratio = min(1.0, np.exp(new - old))
      advantage = (case.returns[t] - case.value[t]) / sigma
      out["policy_gradient"][t] = -ratio * advantage * new
    out["cmpo"][t] = cmpo(t, t, 0)
    over = False
    for i in range(K + 1):
      s = t + i
      weight = 1.0 if i == 0 else 1.0 / K
      inside = s < T and case.mask[s]
      if over or (inside and case.complete[s]):
        target = _two_hot(0.0 if over else case.returns[s])
        out["value"][t] -= (
          weight * target @ _log_softmax(case.value_logits[t, i])
        )
      if inside and not over and i > 0:
        out["model_policy"][t] += cmpo(s, t, i) / K
      if inside and not over and i < K:
        # The reward of the action that leads from t + i to t + i + 1.
        log_r = _log_softmax(case.reward_logits[t, i])
        out["reward"][t] -= _two_hot(case.reward[s]) @ log_r / K
      over = over or (inside and case.discount[s] == 0)
  return out


class TargetsTest(parameterized.TestCase):
  def test_prior_by_hand(self):
    target = jnp.log(jnp.array([0.5, 0.3, 0.2, 0.6, 0.4]))
    behaviour = jnp.log(jnp.array([0.1, 0.1, 0.8, 0.5, 0.5]))
    config = dataclasses.replace(
      _CONFIG, behaviour_prior=0.2, uniform_prior=0.1
    )
    np.testing.assert_allclose(
      np.exp(muesli.prior_policy(target, behaviour, SIZES, config)),
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
      q_taken=jnp.array([9.0, 4.0, 2.0]),
      samples=jnp.zeros([3, 3, 5]),
      q_samples=jnp.array([[7.0, 7, 7], [4, 5, 6], [3, 1, 5]]),
      config=config,
    )
    # v = (7, 5, 3); both heads are halved, so the second ratio is 1/4.
    # G_2 = 6; G_1 = 2 + 0.5 (3 + 0.8 (6 - 2)) = 5.1;
    # G_0 = 1 + 0.5 (5 + 0.2 (5.1 - 4)) = 3.61.
    np.testing.assert_allclose(target.returns, [3.61, 5.1, 6.0], rtol=1e-6)
    np.testing.assert_allclose(
      target.advantages, [[1, 1, 1], [-1, 0, 1], [2, 0, 4]]
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
          behaviour=_float32(np.full([5, 5], -1.0)),
          reward=_float32(base[0] + junk),
          discount=jnp.array([1.0, 1, 1, 1, 1]),
          mask=_float32(mask),
        ),
        prior=_float32(np.full([5, 5], -1.0)),
        value=_float32(base[1] + junk),
        q_taken=_float32(base[2] + junk),
        samples=_float32(rng.normal(size=[5, 3, 5])),
        q_samples=_float32(base[3:6].T + junk[:, None]),
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

  def test_cmpo_weights_by_hand(self):
    # N = 2: e = (e^1, e^-0.5), the first advantage being clipped;
    # z_1 = (1 + e^-0.5) / 2, z_2 = (1 + e) / 2.
    weights = muesli.cmpo_weights(jnp.array([5.0, -0.5]), _CONFIG)
    e1, e2 = np.exp(1.0), np.exp(-0.5)
    np.testing.assert_allclose(
      weights, [2 * e1 / (1 + e2), 2 * e2 / (1 + e1)], rtol=1e-6
    )

  @parameterized.parameters(0.1, 1.0)
  def test_control_variate_keeps_the_mean_and_takes_away_noise(self, sigma):
    """Enumerates all draws of three samples of a two-headed action."""
    rng = np.random.default_rng(0)
    prior = _log_policy(rng.normal(size=S))
    actions = _one_hot(np.array([[a, b] for a in range(3) for b in range(2)]))
    log_p = actions @ prior
    advantages = rng.normal(size=6)
    draws = np.array(list(itertools.product(range(6), repeat=3)))
    probability = np.exp(log_p[draws].sum(axis=1))
    weights = muesli.cmpo_weights(_float32(advantages[draws] / sigma), _CONFIG)
    plain = np.einsum("dn,dns->ds", weights, actions[draws]) / 3
    estimate = muesli.cmpo_policy(
      _float32(np.tile(prior, (len(draws), 1))),
      _float32(actions[draws]),
      _float32(advantages[draws] / sigma),
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
    weights = muesli.cmpo_weights(_float32(advantage[sample]), _CONFIG)
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
        weights = muesli.cmpo_weights(
          jnp.where(best, 1e9, -1e9),
          config,
        )
        distances.append(0.5 * np.mean(np.abs(weights - 1)))
      self.assertLess(float(distances[0]), float(distances[1]))
      np.testing.assert_allclose(distances[1], np.tanh(c / 2), rtol=1e-3)


class LossesTest(parameterized.TestCase):
  @parameterized.product(ends=(True, False), seed=(0, 1))
  def test_against_the_formulas(self, ends, seed):
    config = _CONFIG
    case = Case(seed, ends, config)
    parts = muesli.losses(
      case.predictions(),
      case.targets(),
      case.experience(),
      jnp.asarray(0.7),
      SIZES,
      config,
    )
    expected = _reference(case, 0.7, config)
    self.assertEqual(set(parts), set(expected))
    for name, wanted in expected.items():
      np.testing.assert_allclose(
        parts[name], wanted, rtol=1e-4, atol=1e-5, err_msg=name
      )
      self.assertGreater(np.abs(wanted).sum(), 0)

  @parameterized.parameters(2, 4)
  def test_looking_far_from_every_nth_step_is_right_on_average(self, every):
    case = Case(0, True, _CONFIG)
    config = dataclasses.replace(_CONFIG, model_every=every)

    def parts(config, *which):
      return muesli.losses(
        case.predictions(*which),
        case.targets(),
        case.experience(),
        jnp.asarray(0.7),
        SIZES,
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
    case = Case(0, True, config)
    gradient = jax.grad(
      allow_int=True,
      fun=lambda p: muesli.losses(
        p,
        case.targets(),
        case.experience(),
        jnp.asarray(1.0),
        SIZES,
        config,
      )["value"].sum(),
    )(case.predictions())
    gradient = np.concatenate(
      [gradient.near.value_logits, gradient.far.value_logits], axis=1
    )
    probs = np.exp(_log_softmax(case.value_logits))
    for t, i in ((3, 1), (3, 2), (2, 2)):
      np.testing.assert_allclose(
        gradient[t, i - 1],
        (probs[t, i] - np.eye(BINS)[BINS // 2]) / 2,
        atol=1e-5,
      )
    np.testing.assert_array_equal(gradient[4:], 0)

  def test_policy_gradient_keeps_actions_that_became_likelier(self):
    # π(a) = 0.5 in the first head, μ(a) = 1/3: ratio above 1, clipped to 1,
    # and d/dlogits of -A log π = -A (one-hot - π).
    config = dataclasses.replace(_CONFIG, model_steps=1)
    logits = jnp.log(jnp.array([0.5, 0.25, 0.25, 0.5, 0.5]))
    experience = muesli.Experience(
      action=jnp.array([[1.0, 0, 0, 1, 0]]),
      behaviour=jnp.log(jnp.array([[1 / 3, 1 / 3, 1 / 3, 0.5, 0.5]])),
      reward=jnp.zeros([1]),
      discount=jnp.zeros([1]),
      mask=jnp.ones([1]),
    )
    target = muesli.Targets(
      returns=jnp.array([3.0]),
      complete=jnp.ones([1]),
      value=jnp.array([1.0]),
      prior=jnp.log(jnp.array([[1 / 3, 1 / 3, 1 / 3, 0.5, 0.5]])),
      samples=jnp.zeros([1, 3, 5]),
      advantages=jnp.zeros([1, 3]),
    )

    def loss(x):
      predictions = muesli.Predictions(
        policy_logits=x[None],
        value_logits=jnp.zeros([1, BINS]),
        near=muesli.ModelPredictions(
          jnp.arange(1),
          x[None, None],
          jnp.zeros([1, 1, BINS]),
          jnp.zeros([1, 1, BINS]),
        ),
        far=None,
      )
      return muesli.losses(
        predictions, target, experience, jnp.asarray(0.5), SIZES, config
      )["policy_gradient"].sum()

    np.testing.assert_allclose(
      jax.grad(loss)(logits), [-2.0, 1.0, 1.0, -2.0, 2.0], rtol=1e-5
    )

  def test_no_gradient_flows_into_targets(self):
    config = _CONFIG
    case = Case(2, True, config)

    def loss(target):
      parts = muesli.losses(
        case.predictions(),
        target,
        case.experience(),
        jnp.asarray(1.0),
        SIZES,
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
