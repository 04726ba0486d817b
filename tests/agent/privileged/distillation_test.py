"""Tests of adaland.agent.privileged.distillation."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.learner_config import MuesliConfig
from adaland.agent.muesli import muesli_types
from adaland.agent.privileged import distillation
from tests.agent.muesli import heads

_SIZES = (2, 3)

# Compiled whole: each of their operations would be a program of its own.
_loss = jax.jit(distillation.loss, static_argnums=2)
_policy_loss = jax.jit(distillation.policy_loss, static_argnums=(3, 4))
_remaining = jax.jit(distillation.remaining, static_argnames=("alone", "share"))


def _normalised(logits):
  """Returns log-probabilities of both heads, float64."""
  parts = np.split(np.asarray(logits, np.float64), [2], axis=-1)
  return np.concatenate(
    [h - np.log(np.sum(np.exp(h), axis=-1, keepdims=True)) for h in parts],
    axis=-1,
  )


class DistillationTest(parameterized.TestCase):
  def test_cross_entropy_of_each_head(self):
    p = np.array([[0.2, 0.8, 0.5, 0.25, 0.25]], np.float32)
    loss, has_label = _loss(np.log(p), np.array([[1, 2]], np.int8), (2, 3))
    np.testing.assert_allclose(loss, [-np.log([0.8, 0.25])], rtol=1e-6)
    np.testing.assert_array_equal(has_label, [1.0])

  def test_no_label_no_loss(self):
    loss, has_label = _loss(
      np.full((1, 5), -1.0, np.float32), np.full((1, 2), -1, np.int8), (2, 3)
    )
    np.testing.assert_array_equal(loss, [[0.0, 0.0]])
    np.testing.assert_array_equal(has_label, [0.0])

  @parameterized.parameters((1, 0), (2, 0), (2, 1))
  def test_all_unrolled_policies_are_pulled_to_the_policy_of_their_step(
    self, every, offset
  ):
    length, ahead, real = 7, 3, 5
    rng = np.random.default_rng(0)
    config = MuesliConfig(model_steps=ahead, model_every=every)
    teacher = _normalised(rng.normal(size=(length, 5)))
    teacher[real - 1] = 0.0  # The episode's last observation.
    mask = np.r_[np.ones(real), np.zeros(length - real)].astype(np.float32)
    now = rng.normal(size=(length, 5))
    starts = np.arange(0, length, every) + offset
    near = rng.normal(size=(length, 1, 5))
    far = rng.normal(size=(len(starts), ahead - 1, 5))

    def divergence(t, logits):
      pi = _normalised(logits)
      return np.sum(np.exp(teacher[t]) * (teacher[t] - pi))

    labelled = range(real - 1)
    expected = sum(divergence(t, now[t]) for t in labelled)
    for t in labelled:
      if t >= 1:
        expected += divergence(t, near[t - 1, 0]) / ahead
      for f, start in enumerate(starts):
        for j in range(ahead - 1):
          if start + 2 + j == t:
            expected += every * divergence(t, far[f, j]) / ahead
    bins = jnp.asarray(np.zeros(0, np.float32))

    def model(starts, logits):
      return muesli_types.ModelPredictions(
        jnp.asarray(starts), heads.float32(logits), bins, bins
      )

    predictions = muesli_types.Predictions(
      heads.float32(now),
      bins,
      model(np.arange(length), near),
      model(starts, far),
    )
    loss, count = _policy_loss(
      predictions, heads.float32(teacher), mask, _SIZES, config
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-4)
    self.assertEqual(float(count), real - 1)

  @parameterized.parameters((0.0, 1.0), (0.2, 1.0), (0.4, 0.5), (0.8, 0.0))
  def test_it_ends_gradually(self, progress, expected):
    left = _remaining(progress, alone=0.2, share=0.6)
    self.assertAlmostEqual(float(left), expected, places=6)

  @parameterized.parameters((0.0, 1.0), (0.49, 1.0), (0.5, 0.0), (1.0, 0.0))
  def test_it_ends_at_once(self, progress, expected):
    left = _remaining(progress, alone=0.5, share=0.5)
    self.assertEqual(float(left), expected)

  def test_it_lasts_to_the_end(self):
    self.assertEqual(float(_remaining(1.0, alone=1, share=1)), 1.0)


if __name__ == "__main__":
  absltest.main()
