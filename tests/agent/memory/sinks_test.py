"""Tests of sinks: distances by hand, and attention to the sinks."""

import dataclasses

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import sinks, transformer_xl

_CONFIG = NetworkConfig(
  d_model=4,
  num_heads=1,
  key_size=2,
  position_size=4,
  memory_length=2,
  attention_sinks=2,
)


class SeenTest(absltest.TestCase):
  def test_distances_stay_within_the_memory(self):
    # A window of 3 before the present step, and 2 sinks: 6 positions, of which
    # the sinks are the first two, at distances 5 and 4 from the last.
    distance, seen = sinks.seen(jnp.array([0, 3, 4, 5, 6, 90]), 2, 3)
    np.testing.assert_array_equal(
      distance, [[0, 0], [3, 2], [4, 3], [5, 4], [5, 4], [5, 4]]
    )
    np.testing.assert_array_equal(
      seen.astype(int), [[0, 0], [0, 0], [1, 0], [1, 1], [1, 1], [1, 1]]
    )


class OfStepsTest(absltest.TestCase):
  def test_finds_the_start_of_each_steps_episode(self):
    # The row continues at age 1, and an episode starts at its third step.
    age = jnp.array([[1, 2, 0, 1]])
    keys = jnp.arange(4.0).reshape(1, 1, 4, 1)
    state = {
      "sink_keys": jnp.array([-1.0, -9.0]).reshape(1, 1, 2, 1),
      "sink_values": jnp.zeros([1, 1, 2, 1]),
    }
    told = sinks.of_steps(state, keys, keys, age, 2)
    found = np.asarray(told.keys[0, 0, :, :, 0])
    # Ages 0 and 1: the step in the state, and the first step here.
    np.testing.assert_array_equal(found[:2], [[-1, 0], [-1, 0]])
    np.testing.assert_array_equal(found[2, 0], 2)
    np.testing.assert_array_equal(found[3], [2, 3])
    np.testing.assert_array_equal(
      told.latest()["sink_keys"][0, 0, :, 0], [2, 3]
    )


class AttentionTest(absltest.TestCase):
  def test_the_first_steps_stay_visible_and_others_do_not(self):
    x = np.random.default_rng(0).normal(size=(1, 9, 4)).astype(np.float32)
    age = np.arange(9, dtype=np.int32)[None]

    def seen(num_sinks):
      config = dataclasses.replace(_CONFIG, attention_sinks=num_sinks)
      transformed = hk.without_apply_rng(
        hk.transform(
          lambda x: transformer_xl.RelativeAttention(config, "f").unroll(
            x, age, None
          )[0]
        )
      )
      params = jax.jit(transformed.init)(jax.random.PRNGKey(0), x)
      gradient = jax.jit(
        jax.grad(lambda x: jnp.sum(transformed.apply(params, x)[:, -1]))
      )(x)
      return np.flatnonzero(np.abs(gradient[0]).max(axis=-1)).tolist()

    self.assertEqual(seen(0), [6, 7, 8])
    self.assertEqual(seen(2), [0, 1, 6, 7, 8])


if __name__ == "__main__":
  absltest.main()
