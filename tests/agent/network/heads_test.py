import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.network import heads

_CONFIG = NetworkConfig(
  d_model=4, head_size=5, model_size=3, num_bins=7, action_sizes=(2, 3)
)


@functools.cache
def _heads():
  def build():
    module = heads.Heads(_CONFIG)

    def init(x, action):
      output = module.start(x, _none(x))
      module.step(output.model_hidden, output.model_cell, action)

    return init, (module.start, module.step)

  transformed = hk.multi_transform(build)
  rng = np.random.default_rng(0)
  x = rng.normal(size=(2, 4)).astype(np.float32)
  action = np.array([[1, 0, 0, 1, 0], [0, 1, 1, 0, 0]], np.float32)
  params = jax.jit(transformed.init)(jax.random.PRNGKey(0), x, action)
  params = jax.tree_util.tree_map(
    lambda p: rng.normal(size=p.shape).astype(np.float32), params
  )
  start, step = map(_compiled, transformed.apply)
  return params, (start, step), x, action


def _compiled(function):
  """Returns the function as one program with NumPy's arrays as results."""
  compiled = jax.jit(function)
  return lambda *args: jax.tree.map(np.asarray, compiled(*args))


def _none(x):
  return x[..., :0]


def _sigmoid(x):
  return 1 / (1 + np.exp(-x))


class HeadsTest(absltest.TestCase):
  def test_a_temperature_divides_the_logits_of_all_policies(self):
    params, (start, step), x, action = _heads()
    sharp = heads.with_temperature(params, 0.25)
    outputs = []
    for each in (params, sharp):
      first = start(each, None, x, _none(x))
      hidden, cell = first.model_hidden, first.model_cell
      outputs.append((first, step(each, None, hidden, cell, action)))
    (before, (*_, reward, policy, value)), (after, steps) = outputs
    np.testing.assert_array_equal(4 * before.policy_logits, after.policy_logits)
    np.testing.assert_array_equal(4 * policy, steps[3])
    for ours, theirs in (
      (before.value_logits, after.value_logits),
      (before.model_cell, after.model_cell),
      (reward, steps[2]),
      (value, steps[4]),
    ):
      np.testing.assert_array_equal(ours, theirs)

  def test_step_is_an_lstm(self):
    params, (start, step), x, action = _heads()
    output = start(params, None, x, _none(x))
    hidden, cell = output.model_hidden, output.model_cell
    new_hidden, new_cell, *_ = step(params, None, hidden, cell, action)
    layer = {k.split("/")[-1]: v for k, v in params.items()}
    gates = hidden @ layer["lstm_state"]["w"] + layer["lstm_state"]["b"]
    gates = gates + action @ layer["lstm_action"]["w"]
    i, g, f, o = np.split(gates, 4, axis=1)
    expected_cell = _sigmoid(f + 1) * cell + _sigmoid(i) * np.tanh(g)
    expected = _sigmoid(o) * np.tanh(expected_cell)
    np.testing.assert_allclose(new_cell, expected_cell, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(new_hidden, expected, rtol=1e-4, atol=1e-5)

  def test_many_actions_are_asked_about_one_state(self):
    params, (start, step), x, action = _heads()
    output = start(params, None, x, _none(x))
    hidden, cell = output.model_hidden, output.model_cell
    both = np.stack([action, action[::-1]], axis=1)  # [B, K, S]
    together = step(params, None, hidden[:, None], cell[:, None], both)
    for k in (0, 1):
      alone = step(params, None, hidden, cell, both[:, k])
      for x, y in zip(together, alone, strict=True):
        np.testing.assert_allclose(x[:, k], y, rtol=1e-4, atol=1e-5)

  def test_first_value_and_reward_are_small_and_policy_uniform(self):
    def init(x, action):
      module = heads.Heads(_CONFIG)
      output = module.start(x, _none(x))
      after = module.step(output.model_hidden, output.model_cell, action)
      return output, after

    _, _, x, action = _heads()
    transformed = hk.transform(init)
    params = jax.jit(transformed.init)(jax.random.PRNGKey(0), x, action)
    output, (_, _, reward, policy, value) = jax.jit(transformed.apply)(
      params, None, x, action
    )
    np.testing.assert_array_equal(output.policy_logits, 0)
    np.testing.assert_array_equal(policy, 0)
    for logits in (output.value_logits, value, reward):
      p = np.asarray(jax.jit(jax.nn.softmax)(logits))
      # Most of the mass is in the middle bin, which stands for zero.
      self.assertGreater(p[:, 3].min(), 0.9)
      np.testing.assert_allclose(p[:, 4] / p[:, 3], 2.0**-5, rtol=1e-4)
      np.testing.assert_allclose(p[:, 5] / p[:, 3], 3.0**-5, rtol=1e-4)
      np.testing.assert_allclose(p[:, 2] / p[:, 4], np.exp(-4), rtol=1e-4)

  def test_first_belief_is_of_one_type_and_of_two(self):
    logits = _compiled(lambda: heads._first_belief((24,), jnp.float32))()
    np.testing.assert_allclose(
      _sigmoid(logits), [1 / 12] * 12 + [2 / 12] * 12, rtol=1e-5
    )

  def test_policy_and_value_read_the_hidden_state_alone(self):
    # The same heads serve every look-ahead: equal hidden, equal logits.
    params, (start, step), x, action = _heads()
    output = start(params, None, x, _none(x))
    hidden, _, reward, policy, value = step(
      params, None, output.model_hidden, output.model_cell, action
    )
    self.assertEqual(reward.shape, (2, 7))

    def read(h, name):
      layer = {k.split("/")[-1]: v for k, v in params.items()}
      first, last = layer[f"{name}_hidden"], layer[f"{name}_output"]
      h = np.maximum(h @ first["w"] + first["b"], 0)
      return h @ last["w"] + last["b"]

    for h, logits, name in (
      (output.model_hidden, output.policy_logits, "policy"),
      (output.model_hidden, output.value_logits, "value"),
      (hidden, policy, "policy"),
      (hidden, value, "value"),
      (hidden, reward, "reward"),
    ):
      np.testing.assert_allclose(read(h, name), logits, rtol=1e-4, atol=1e-4)


if __name__ == "__main__":
  absltest.main()
