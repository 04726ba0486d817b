import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from adaland.agent.config import NetworkConfig, PatchesConfig
from adaland.agent.muesli import categorical
from adaland.agent.network.network import make_network
from tests.agent import observations
from tests.agent.memory import examples

_CONFIG = NetworkConfig(
  d_model=12,
  num_layers=1,
  num_heads=2,
  key_size=6,
  feed_forward_size=16,
  memory_length=4,
  rules_sizes=(8,),
  encoder_hidden=(16,),
  entity_size=8,
  torso_channels=(2, 3),
  torso_size=8,
  patches=PatchesConfig(window=1, width=8, num_layers=1, num_heads=2),
  head_size=10,
  belief=True,
  model_size=7,
  num_bins=11,
)
_WITH_PAIRS = dataclasses.replace(_CONFIG, pair_memory=True)
_NUM_LOGITS = 19


def _noisy(params, seed=0):
  """Parameters with noise, since heads start at zero."""
  rng = np.random.default_rng(seed)
  return jax.tree_util.tree_map(
    lambda p: np.asarray(p) + 0.2 * rng.normal(size=p.shape).astype(np.float32),
    params,
  )


def _numpy(arrays):
  return jax.tree.map(np.asarray, arrays)


@functools.cache
def _entities():
  """Returns a network for entities, two sets of parameters, jitted unroll."""
  network = make_network(_WITH_PAIRS, observations.spec())
  params = jax.jit(network.init)(jax.random.PRNGKey(0))
  return network, params, _noisy(params), jax.jit(network.unroll)


@functools.cache
def _with_users_memory():
  """Returns a network with a user's memory, parameters, jitted unroll."""
  network = make_network(_CONFIG, observations.spec(), memory=examples.EMA)
  params = jax.jit(network.init)(jax.random.PRNGKey(0))
  return network, _noisy(params), jax.jit(network.unroll)


class NetworkTest(parameterized.TestCase):
  @parameterized.named_parameters(
    ("entities", observations.spec(), "torso"),
    ("pixels", observations.spec(pixels=(9, 12)), "torso"),
    ("patches", observations.spec(pixels=(12, 12)), "patches"),
  )
  @pytest.mark.optimized
  def test_steps_equal_unroll(self, spec, vision):
    config = dataclasses.replace(
      _CONFIG, vision=vision, pair_memory="entities" in spec
    )
    network = make_network(config, spec)
    params = _noisy(jax.jit(network.init)(jax.random.PRNGKey(0)))
    batch_size, length = 2, 9
    observation = observations.random(spec, (batch_size, length))
    first = np.zeros((batch_size, length), np.uint8)
    first[:, 0] = 1
    first[1, 6] = 1
    memory = jax.jit(network.initial_memory, static_argnums=0)(batch_size)
    unrolled, _ = jax.jit(network.unroll)(params, memory, observation, first)
    unrolled = _numpy(unrolled)
    step = jax.jit(network.step)
    for t in range(length):
      now = observations.at(observation, t)
      output, memory = step(params, memory, now, first[:, t])
      for a, b in zip(output, unrolled, strict=True):
        np.testing.assert_allclose(a, b[:, t], atol=1e-4)
    self.assertEqual(unrolled.policy_logits.shape, (2, 9, _NUM_LOGITS))
    self.assertEqual(unrolled.value_logits.shape, (2, 9, 11))
    self.assertEqual(unrolled.model_hidden.shape, (2, 9, 7))
    self.assertGreater(float(np.std(unrolled.policy_logits)), 0.01)

  def test_only_learning_leaves_out_patches(self):
    spec = observations.spec(pixels=(12, 12))
    network = make_network(dataclasses.replace(_CONFIG, vision="patches"), spec)
    params = _noisy(jax.jit(network.init)(jax.random.PRNGKey(0)))
    observation = observations.random(spec, (2, 3))
    first = np.zeros((2, 3), np.uint8)
    unroll = jax.jit(network.unroll)
    keys = np.asarray(jax.random.split(jax.random.PRNGKey(1)))
    one, two = (
      np.asarray(unroll(params, {}, observation, first, key)[0].model_hidden)
      for key in keys
    )
    self.assertGreater(np.abs(one - two).max(), 1e-4)

  def test_users_memory_takes_the_place_of_the_configs(self):
    network, params, unroll = _with_users_memory()
    modules = {name.split("/")[0] for name in params}
    self.assertIn("ema", modules)
    self.assertNotIn("memory", modules)
    observation = observations.random(observations.spec(), (2, 5))
    first = np.zeros((2, 5), np.uint8)
    first[1, 3] = 1
    memory = network.initial_memory(2)
    self.assertEqual(memory["mean"].shape, (2, 12))
    unrolled, _ = unroll(params, memory, observation, first)
    hidden = np.asarray(unrolled.model_hidden)
    step = jax.jit(network.step)
    for t in range(5):
      now = observations.at(observation, t)
      output, memory = step(params, memory, now, first[:, t])
      np.testing.assert_allclose(output.model_hidden, hidden[:, t], atol=1e-4)
    self.assertGreater(np.abs(np.asarray(memory["mean"])).min(), 0)

  def test_empty_state_starts_the_rows_of_a_users_memory(self):
    network, params, unroll = _with_users_memory()
    observation = observations.random(observations.spec(), (2, 5))
    first = np.zeros((2, 5), np.uint8)
    expected, _ = unroll(params, network.initial_memory(2), observation, first)
    actual, _ = unroll(params, {}, observation, first)
    np.testing.assert_allclose(
      actual.model_hidden, expected.model_hidden, atol=1e-6
    )

  def test_no_gradient_goes_into_a_users_memory(self):
    network, params, _ = _with_users_memory()
    observation = observations.random(observations.spec(), (2, 3))

    def loss(memory):
      output, _ = network.unroll(params, memory, observation, np.zeros((2, 3)))
      return jnp.sum(jnp.square(output.model_hidden))

    gradient = jax.jit(jax.grad(loss))(network.initial_memory(2))
    np.testing.assert_array_equal(gradient["mean"], 0)

  def test_model_step_takes_any_leading_axes(self):
    network, _, params, _ = _entities()
    rng = np.random.default_rng(0)
    hidden, cell = rng.normal(size=(2, 2, 3, 7)).astype(np.float32)
    action = rng.integers(0, 2, (2, 3, _NUM_LOGITS)).astype(np.float32)
    model_step = jax.jit(network.model_step)
    many = _numpy(model_step(params, hidden, cell, action))
    one = model_step(params, hidden[1, 2], cell[1, 2], action[1, 2])
    for a, b in zip(many, one, strict=True):
      np.testing.assert_allclose(a[1, 2], b, atol=1e-5)
    self.assertEqual(
      [x.shape[2:] for x in many], [(7,), (7,), (11,), (_NUM_LOGITS,), (11,)]
    )

  def test_first_policy_is_uniform_and_first_values_are_small(self):
    _, params, _, unroll = _entities()
    observation = observations.random(observations.spec(), (2, 5))
    output, _ = unroll(params, {}, observation, np.zeros((2, 5)))
    np.testing.assert_array_equal(output.policy_logits, 0)
    decode = jax.jit(categorical.decode, static_argnums=1)
    value = np.asarray(decode(output.value_logits, 1.5))
    self.assertBetween(float(value.min()), 0.0, 0.05)
    self.assertBetween(float(value.max()), 0.0, 0.05)
    self.assertGreater(float(np.std(np.asarray(output.model_hidden))), 0.01)

  def test_the_belief_is_the_memory_s_whatever_is_recalled(self):
    _, _, params, unroll = _entities()
    observation = observations.random(observations.spec(), (2, 5))
    recalling = {
      module: jax.tree.map(lambda x: np.float32(2) * x, leaves)
      if module.startswith("recall")
      else leaves
      for module, leaves in params.items()
    }
    output, other = (
      _numpy(unroll(each, {}, observation, np.zeros((2, 5)))[0])
      for each in (params, recalling)
    )
    np.testing.assert_array_equal(output.belief_logits, other.belief_logits)
    difference = np.abs(output.model_hidden - other.model_hidden)
    self.assertGreater(difference.max(), 1e-3)

  def test_gradient_reaches_every_parameter(self):
    network, _, params, _ = _entities()
    observation = observations.random(observations.spec(), (4, 5))
    action = np.ones((4, 5, _NUM_LOGITS), np.float32)

    def loss(params):
      output, _ = network.unroll(params, {}, observation, np.zeros((4, 5)))
      ahead = network.model_step(
        params, output.model_hidden, output.model_cell, action
      )
      return sum(jnp.sum(jnp.square(x)) for x in (*output, *ahead))

    gradient = jax.jit(jax.grad(loss))(params)
    for module, leaves in gradient.items():
      for name, leaf in leaves.items():
        largest = np.abs(np.asarray(leaf)).max()
        self.assertGreater(largest, 0, f"{module} {name}")

  def test_bfloat16_is_close_and_keeps_float32_outside(self):
    _, _, params, unroll = _entities()
    config = dataclasses.replace(_WITH_PAIRS, compute_dtype="bfloat16")
    spec = observations.spec()
    rounded = make_network(config, spec)
    shapes = jax.eval_shape(rounded.init, jax.random.PRNGKey(0))
    for leaf in jax.tree_util.tree_leaves(shapes):
      self.assertEqual(leaf.dtype, jnp.float32)
    observation = observations.random(spec, (2, 5))
    first = np.zeros((2, 5))
    expected, _ = unroll(params, {}, observation, first)
    actual, memory = jax.jit(rounded.unroll)(params, {}, observation, first)
    for a, b in zip(_numpy(actual), _numpy(expected), strict=True):
      self.assertEqual(a.dtype, jnp.float32)
      self.assertLess(np.abs(a - b).max(), 0.05 * np.abs(b).max() + 0.02)
      self.assertGreater(np.abs(a - b).max(), 0)
    self.assertEqual(memory["layer_0"]["keys"].dtype, jnp.bfloat16)

  def test_the_critic_knows_the_truth_and_changes_nothing_else(self):
    config = dataclasses.replace(_CONFIG, privileged_critic=True)
    spec = observations.spec()
    network = make_network(config, spec)
    params = jax.tree.map(
      lambda x: np.asarray(x) + np.float32(0.1),
      jax.jit(network.init)(jax.random.PRNGKey(0)),
    )
    observation = observations.random(spec, (2, 3))
    output, _ = jax.jit(network.unroll)(
      params, {}, observation, np.zeros((2, 3))
    )
    truth = np.zeros((2, 2 * config.num_types), np.float32)
    critic = jax.jit(network.critic)

    def value(params, output, truth):
      return jnp.sum(network.critic(params, output, truth)[..., 0])

    logits = np.asarray(critic(params, output, truth))
    self.assertEqual(logits.shape, (2, 3, config.num_bins))
    told = np.asarray(critic(params, output, truth + 1))
    self.assertGreater(np.abs(told - logits).min(), 0)
    gradient = jax.jit(jax.grad(value, 1))(params, output, truth)
    for leaf in jax.tree.leaves(gradient):
      np.testing.assert_array_equal(leaf, 0)
    with self.assertRaisesRegex(ValueError, "privileged_critic"):
      jax.jit(make_network(_CONFIG, spec).critic)(params, output, truth)

  def test_refuses_observations_it_cannot_read(self):
    for key, shape in (
      ("goal", (5,)),
      ("rules", (2, 13)),
      ("entities", (4, 13)),
      ("last_action", (5,)),
      ("clock", (9,)),
    ):
      spec = observations.spec()
      spec[key] = (shape, spec[key][1])
      with self.assertRaisesRegex(ValueError, key):
        make_network(_CONFIG, spec)
    spec = observations.spec()
    del spec["rules"]
    with self.assertRaisesRegex(ValueError, "rules"):
      make_network(_CONFIG, spec)


if __name__ == "__main__":
  absltest.main()
