import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.muesli import categorical, diagnostics, muesli_types

_BINS, _RANGE = 9, 4.0
_head_metrics = jax.jit(diagnostics.head_metrics, static_argnums=(2, 3))


@jax.jit
def _predictions(policy, value, reward) -> muesli_types.Predictions:
  """Returns predictions of given scalars, for one row of steps."""

  def logits(x):
    weights = categorical.encode(x, _BINS, _RANGE)
    return jnp.log(jnp.maximum(weights, 1e-30))[None]

  policy_logits = jnp.log(policy)[None]
  return muesli_types.Predictions(
    policy_logits=policy_logits,
    value_logits=logits(value),
    near=muesli_types.ModelPredictions(
      starts=jnp.arange(len(value))[None],
      policy_logits=jnp.zeros_like(policy_logits)[:, :, None],
      value_logits=jnp.zeros([1, len(value), 1, _BINS]),
      reward_logits=logits(reward)[:, :, None],
    ),
    far=None,
  )


class HeadMetricsTest(absltest.TestCase):
  def test_by_hand(self):
    predictions = _predictions(
      # Heads of 2 and 1 actions; the last step is padding.
      policy=np.array([[0.5, 0.5, 1.0], [0.9, 0.1, 1.0], [0.01, 0.99, 1.0]]),
      value=np.array([1.0, 3.0, 100.0]),
      reward=np.array([0.2, 0.2, 5.0]),
    )
    mask = np.array([[1.0, 1.0, 0.0]])
    metrics = _head_metrics(predictions, mask, (2, 1), _RANGE)
    expected = {
      # Standard deviations .2, .2 and 0 of three actions.
      "spread/policy": np.sqrt(2 * 0.04 / 3),
      "spread/value": 1.0,
      "spread/reward": 0.0,
      "entropy/head_0": np.mean(
        [np.log(2), -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))]
      ),
      "entropy/head_1": 0.0,
    }
    self.assertEqual(set(metrics), set(expected))
    for name, value in expected.items():
      np.testing.assert_allclose(
        metrics[name], value, rtol=1e-4, atol=1e-4, err_msg=name
      )

  def test_of_padding_alone_all_is_zero(self):
    one = np.ones(1)
    predictions = _predictions(np.array([[0.5, 0.5]]), one, one)
    metrics = _head_metrics(predictions, np.zeros([1, 1]), (2,), _RANGE)
    for name, value in metrics.items():
      self.assertEqual(float(value), 0, name)


if __name__ == "__main__":
  absltest.main()
