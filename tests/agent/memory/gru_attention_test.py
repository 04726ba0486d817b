import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import gru_attention

_CONFIG = NetworkConfig(
  d_model=4, num_heads=1, key_size=4, store_size=2, store_every=3
)


@functools.cache
def _step():
  transformed = hk.without_apply_rng(
    hk.transform(
      lambda x, age, state: gru_attention.GRUAttentionMixer(_CONFIG, "f").step(
        x, age, state
      )
    )
  )
  mixer = gru_attention.GRUAttentionMixer
  x, age = jnp.zeros([1, 4]), jnp.zeros([1], jnp.int32)
  state = mixer.initial_state(_CONFIG, 1)
  params = jax.jit(transformed.init)(jax.random.PRNGKey(0), x, age, state)
  return params, jax.jit(transformed.apply)


class ReadTest(absltest.TestCase):
  def test_equals_the_formula(self):
    params, step = _step()
    p = {
      f"{module.split('/')[-1]}.{name}": np.asarray(value, np.float64)
      for module, leaves in params.items()
      for name, value in leaves.items()
    }
    rng = np.random.default_rng(1)
    size = gru_attention.state_size(_CONFIG)
    x, hidden = rng.normal(size=(1, 4)), rng.normal(size=size)
    keys, values = 3 * rng.normal(size=(2, 2, 4))
    state = {
      "hidden": hidden[None],
      "keys": keys[None, None],
      "values": values[None, None],
    }
    # At age 3 one state has been written, at age 7 two.
    for age, written in ((3, 1), (7, 2)):
      logits = keys[:written] @ (hidden @ p["f.query"]) / np.sqrt(4)
      weights = np.exp(logits) / np.sum(np.exp(logits))
      read = weights @ values[:written]
      inputs = x @ p["inputs.w"] + p["inputs.b"] + read @ p["f.read"]
      reset, update, candidate = np.split(inputs[0], 3)
      of_hidden = np.split(hidden @ p["f.recurrent"], 3)
      reset = 1 / (1 + np.exp(-reset - of_hidden[0]))
      update = 1 / (1 + np.exp(-update - of_hidden[1]))
      candidate = np.tanh(candidate + reset * of_hidden[2])
      expected = (1 - update) * candidate + update * hidden
      y, after = step(
        params,
        x.astype(np.float32),
        jnp.array([age]),
        jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), state),
      )
      np.testing.assert_allclose(after["hidden"][0], expected, rtol=1e-4)
      np.testing.assert_allclose(
        y[0], expected @ p["out.w"], rtol=1e-4, atol=1e-6
      )


class StoreTest(absltest.TestCase):
  def test_every_third_state_is_written_in_turn(self):
    params, step = _step()
    project = np.asarray(params["f"]["key_value"])
    rng = np.random.default_rng(0)
    state = gru_attention.GRUAttentionMixer.initial_state(_CONFIG, 1)
    hidden = []
    for age in range(9):
      x = rng.normal(size=(1, 4)).astype(np.float32)
      before = state
      _, state = step(params, x, jnp.array([age]), state)
      hidden.append(np.asarray(state["hidden"][0]))
      if age % 3 < 2:
        np.testing.assert_array_equal(before["keys"], state["keys"])
    # States of age 2, 5 and 8; the third replaced the first.
    for slot, age in ((0, 8), (1, 5)):
      key, value = np.split(hidden[age] @ project, 2)
      np.testing.assert_allclose(state["keys"][0, 0, slot], key, rtol=1e-5)
      np.testing.assert_allclose(state["values"][0, 0, slot], value, rtol=1e-5)

  def test_what_is_not_written_is_not_read(self):
    params, step = _step()
    state = gru_attention.GRUAttentionMixer.initial_state(_CONFIG, 1)
    stale = {**state, "values": state["values"] + 5}
    x = np.ones((1, 4), np.float32)
    for age, differs in ((2, False), (3, True)):
      # At age 3 the first slot has been written, here with fives.
      a, _ = step(params, x, jnp.array([age]), state)
      b, _ = step(params, x, jnp.array([age]), stale)
      self.assertEqual(bool(np.any(np.asarray(a != b))), differs)


if __name__ == "__main__":
  absltest.main()
