"""Tests of adaland.agent.privileged.losses, on outputs made by hand."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import distributions, types
from adaland.agent.learner_config import MuesliConfig, PrivilegedConfig
from adaland.agent.muesli import model, muesli
from adaland.agent.privileged import losses
from tests.agent import fakes
from tests.agent.muesli import heads

_ROWS, _STEPS = 2, 6

# Compiled whole: each of their operations would be a program of its own.
_privileged_losses = jax.jit(
  losses.privileged_losses, static_argnums=(1, 2, 3, 8)
)
_total = jax.jit(losses.total, static_argnums=1)
_own_share = jax.jit(losses.own_share, static_argnums=0)
_log_probs = jax.jit(distributions.log_probs, static_argnums=1)
_kl = jax.jit(distributions.kl)


def _output(rng, batch):
  """Returns random outputs for a batch."""
  shape = batch.reward.shape
  return types.NetworkOutput(
    policy_logits=heads.float32(rng.normal(size=(*shape, sum(fakes.SIZES)))),
    value_logits=heads.float32(np.zeros((*shape, fakes.NUM_BINS))),
    model_hidden=heads.float32(np.zeros((*shape, 1))),
    model_cell=heads.float32(np.zeros((*shape, 1))),
    belief_logits=heads.float32(rng.normal(size=(*shape, 4))),
  )


class LossesTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    rng = np.random.default_rng(0)
    batch = fakes.make_batch(rng, _ROWS, _STEPS, 3)
    self.truth = np.array([[1, 0, 0, 1], [0, 0, 1, 0]], np.float32)
    self.label = np.zeros_like(batch.action)
    self.label[0, :2] = -1
    self.batch = batch._replace(
      observation={**batch.observation, "goal": np.zeros((_ROWS, 6))},
      privileged={"rules": np.zeros((_ROWS, 1, 14)), "label": self.label},
    )
    self.output = _output(rng, batch)
    self.network = fakes.make_network(3)._replace(
      truth=lambda goal, rules: jnp.asarray(self.truth)
    )

  def parts(self, target=None, **weights):
    return _privileged_losses(
      {},
      self.network,
      PrivilegedConfig(**weights),
      fakes.SIZES,
      self.batch,
      self.output,
      None,
      target,
      MuesliConfig(value_range=10.0),
    )

  def test_nothing_is_computed_without_a_weight(self):
    self.assertEqual(self.parts(), {})

  def test_padding_and_steps_without_a_label_do_not_count(self):
    found = self.parts(belief_weight=1.0, distillation_weight=1.0)
    mask = np.asarray(self.batch.mask, np.float64)
    logits = np.asarray(self.output.belief_logits, np.float64)
    p = 1 / (1 + np.exp(-logits))
    t = self.truth[:, None]
    belief = -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p), axis=-1)
    expected = np.sum(belief * mask) / np.sum(mask)
    np.testing.assert_allclose(found["belief"], expected, rtol=1e-5)
    logits = np.asarray(self.output.policy_logits, np.float64)
    counted = mask * (self.label[..., 0] >= 0)
    all_heads, start = 0.0, 0
    for i, size in enumerate(fakes.SIZES):
      head = logits[..., start : start + size]
      nats = np.log(np.sum(np.exp(head), axis=-1)) - head[..., 0]
      expected = np.sum(nats * counted) / np.sum(counted)
      got = found[f"distillation/head_{i}"]
      np.testing.assert_allclose(got, expected, rtol=1e-5)
      all_heads += expected
      start += size
    np.testing.assert_allclose(found["distillation"], all_heads, rtol=1e-5)

  def test_an_agent_s_policy_counts_at_real_steps_with_a_label(self):
    shape = (*self.batch.reward.shape, sum(fakes.SIZES))
    logits = np.random.default_rng(1).normal(size=shape)
    teacher = np.array(_log_probs(logits, fakes.SIZES))
    teacher[0, :2] = 0  # No label.
    found = _privileged_losses(
      {},
      self.network,
      PrivilegedConfig(distillation_weight=1.0),
      fakes.SIZES,
      self.batch._replace(privileged={"teacher": teacher}),
      self.output,
      model.without_model(self.output),
      None,
      MuesliConfig(),
    )
    pi = _log_probs(self.output.policy_logits, fakes.SIZES)
    nats = np.asarray(_kl(teacher, pi))
    counted = self.batch.mask * (teacher < 0).all(axis=-1)
    self.assertLess(counted.sum(), self.batch.mask.sum())
    expected = np.sum(nats * counted) / np.sum(counted)
    np.testing.assert_allclose(found["distillation"], expected, rtol=1e-5)

  def test_the_critic_is_told_the_truth_and_learns_from_complete_steps(self):
    shape = self.batch.reward.shape
    logits = np.random.default_rng(1).normal(size=(*shape, fakes.NUM_BINS))

    def critic(params, output, truth):
      self.assertEqual(truth.shape, self.truth.shape)
      # Not numbers unless it is the truth.
      return jnp.where(jnp.all(truth == self.truth), logits, jnp.nan)

    self.network = self.network._replace(critic=critic)
    complete = np.array(self.batch.mask, np.float32)
    complete[:, -1] = 0
    none = heads.float32(np.zeros(shape))
    target = muesli.Targets(
      returns=heads.float32(np.where(complete > 0, 0.0, 5.0)),
      action_returns=none,
      complete=jnp.asarray(complete),
      value=none,
      prior=none,
      samples=None,
      advantages=None,
    )
    found = self.parts(target, critic_weight=0.5)
    self.assertEqual(set(found), {"critic"})
    # Zero is the bin in the middle.
    nats = np.log(np.sum(np.exp(logits), axis=-1))
    nats -= logits[..., fakes.NUM_BINS // 2]
    expected = np.sum(nats * complete) / np.sum(complete)
    np.testing.assert_allclose(found["critic"], expected, rtol=1e-5)
    total = _total(found, PrivilegedConfig(critic_weight=0.5), np.float32(0))
    np.testing.assert_allclose(total, 0.5 * expected, rtol=1e-5)

  def test_l2_is_half_the_squares_and_fades_with_distillation(self):
    config = PrivilegedConfig(
      distillation_weight=2.0, distillation_l2=0.1, distillation_share=0.5
    )
    found = _privileged_losses(
      {
        "w": np.array([[3.0, 4.0]], np.float32),
        "a": {
          "w": np.eye(1, dtype=np.float32),
          "b": np.full(2, -9, np.float32),
        },
      },
      self.network,
      config,
      fakes.SIZES,
      self.batch,
      self.output,
      None,
      None,
      MuesliConfig(),
    )
    self.assertAlmostEqual(float(found["l2"]), 13.0, places=5)
    parts = {"l2": found["l2"]}
    for progress, expected in ((0.0, 1.3), (0.25, 0.65), (0.5, 0.0)):
      total = _total(parts, config, np.float32(progress))
      self.assertAlmostEqual(float(total), expected, places=5)

  def test_the_total_is_weighted_and_distillation_fades(self):
    config = PrivilegedConfig(
      belief_weight=3.0, distillation_weight=2.0, distillation_share=0.5
    )
    parts = {
      "belief": heads.float32(1.0),
      "distillation": heads.float32(10.0),
      "distillation/head_0": heads.float32(4.0),
    }
    for progress, expected in ((0.0, 23.0), (0.25, 13.0), (0.5, 3.0)):
      total = _total(parts, config, np.float32(progress))
      self.assertAlmostEqual(float(total), expected, places=5)
    left = losses.distilled(PrivilegedConfig(), np.zeros([]))
    self.assertEqual(float(left), 0.0)

  def test_own_share_rises_only_if_distillation_replaces(self):
    for replaces, expected in ((True, [0.0, 0.5]), (False, [1.0, 1.0])):
      config = PrivilegedConfig(
        distillation_weight=1.0,
        distillation_share=0.5,
        distillation_replaces=replaces,
      )
      found = [float(_own_share(config, np.float32(p))) for p in (0, 0.25)]
      self.assertEqual(found, expected)


if __name__ == "__main__":
  absltest.main()
