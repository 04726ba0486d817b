"""Tests of adaland.agent.optimizers."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import learner_config, optimizers


class OptimizerTest(absltest.TestCase):
  def _steps(self, gradients, **changes):
    optimizer = optimizers.make_optimizer(
      learner_config.LearnerConfig(**changes)
    )
    params = jnp.asarray(2.0)
    state = optimizer.init(params)
    steps = []
    for gradient in gradients:
      step, state = optimizer.update(jnp.asarray(gradient), state, params)
      steps.append(float(jnp.asarray(step)))
    return steps

  def test_adams_update_is_clipped_before_the_rate(self):
    # b1 = 0, b2 = 0.99: moments of gradients 0 then g are g and 0.01 g²,
    # corrected by 1 - 0.99²: Adam would step by √(0.0199 / 0.01) = 1.41.
    changes = {"learning_rate": 0.1, "adam_b1": 0.0, "adam_b2": 0.99}
    np.testing.assert_allclose(
      self._steps([0.0, 5.0], **changes), [0.0, -0.1], atol=1e-6
    )
    np.testing.assert_allclose(
      self._steps([0.0, 5.0], update_clip=2.0, **changes),
      [0.0, -0.1 * np.sqrt(1.99)],
      rtol=1e-4,
    )

  def test_decay_of_weights_is_not_clipped(self):
    # -0.1 (1 + 3 * 2).
    np.testing.assert_allclose(
      self._steps([1.0], learning_rate=0.1, weight_decay=3.0), [-0.7], rtol=1e-4
    )

  def test_rate_rises(self):
    steps = self._steps([1.0] * 6, learning_rate=1.0, warmup_updates=4)
    np.testing.assert_allclose(
      steps, [-0.25, -0.5, -0.75, -1.0, -1.0, -1.0], atol=1e-4
    )


if __name__ == "__main__":
  absltest.main()
