"""Tests of attention over past steps as reported to a listener."""

import dataclasses
import threading

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import looks, transformer_xl

_CONFIG = NetworkConfig(
  d_model=4, num_heads=1, key_size=4, position_size=4, memory_length=2
)


def _mixer(config=_CONFIG):
  return transformer_xl.RelativeAttention(config, "mixer")


def _params():
  """Returns parameters with which the score of a past input x is x[0].

  Keys are 2 x, and the content bias takes their first number; queries and
  relative positions are zero, and scores are divided by the root of 4.
  """
  zero, one = np.zeros([4, 4], np.float32), np.eye(4, dtype=np.float32)
  bias = np.zeros([1, 4], np.float32)
  return {
    "mixer": {"content_bias": bias + one[:1], "position_bias": bias},
    "mixer/~/qkv": {"w": np.concatenate([zero, 2 * one, one], axis=1)},
    "mixer/~/relative": {"w": zero},
    "mixer/~/out": {"w": one},
  }


class LooksTest(absltest.TestCase):
  def test_weights_of_past_steps_are_their_softmax(self):
    transformed = hk.transform(lambda x, a, s: _mixer().step(x, a, s))
    params = _params()

    def step(x, age, state, is_heard):
      if not is_heard:
        return *transformed.apply(params, None, x, age, state), []
      with looks.listening() as found:
        out, state = transformed.apply(params, None, x, age, state)
      return out, state, found

    step = jax.jit(step, static_argnums=3)
    log = jax.jit(jnp.log)
    state = transformer_xl.RelativeAttention.initial_state(_CONFIG, 1)
    # Scores ln 1, ln 2, ..., so that weights are in ratio 1 : 2 : ...; the
    # window has the step itself and two more; the last step begins an episode.
    for age, expected in (
      (0, [1]),
      (1, [2 / 3, 1 / 3]),
      (2, [3 / 6, 2 / 6, 1 / 6]),
      (3, [4 / 9, 3 / 9, 2 / 9]),
      (0, [1]),
    ):
      x = log(np.array([[age + 1.0, 1, 1, 1]], np.float32))
      ages = np.array([age], np.int32)
      same, _, nothing = step(x, ages, state, False)
      out, state, [look] = step(x, ages, state, True)
      np.testing.assert_array_equal(out, same)
      self.assertEqual(nothing, [])
      self.assertEqual(look.weights.shape, (1, 1, 3))
      found = np.zeros(3)
      for weight, distance in zip(
        np.asarray(look.weights)[0, 0],
        np.asarray(look.distance)[0],
        strict=True,
      ):
        if weight:
          found[distance] += weight
      np.testing.assert_allclose(found[: len(expected)], expected, rtol=1e-5)
      np.testing.assert_array_equal(found[len(expected) :], 0)

  def test_sinks_are_as_many_steps_ago_as_they_were(self):
    config = dataclasses.replace(_CONFIG, attention_sinks=1)
    transformed = hk.transform(lambda x, a, s: _mixer(config).step(x, a, s))

    @jax.jit
    def step(age, state):
      x = jnp.ones([1, 4])
      with looks.listening() as found:
        _, state = transformed.apply(_params(), None, x, age, state)
      return state, found

    state = transformer_xl.RelativeAttention.initial_state(config, 1)
    for age, expected in enumerate(
      ({0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 2, 4}, {0, 1, 2, 5})
    ):
      state, [look] = step(np.array([age], np.int32), state)
      seen = np.asarray(look.distance)[np.asarray(look.weights)[:, 0] > 0]
      self.assertCountEqual(seen.tolist(), expected)

  def test_without_a_listener_and_in_another_thread_nothing_is_kept(self):
    weights, distance = jnp.ones([1, 1, 1]), jnp.zeros([1, 1], int)
    looks.offer(weights, distance)
    with looks.listening() as found:
      other = threading.Thread(target=looks.offer, args=(weights, distance))
      other.start()
      other.join()
      self.assertEmpty(found)
      looks.offer(weights, distance)
    looks.offer(weights, distance)
    self.assertLen(found, 1)


if __name__ == "__main__":
  absltest.main()
