"""Tests of adaland.agent.memory.registry: shapes only, nothing is computed."""

import haiku as hk
import jax
import jax.numpy as jnp
from absl.testing import absltest, parameterized

from adaland.agent.config import MEMORIES, NetworkConfig
from adaland.agent.memory import base, registry


def _config(memory):
  return NetworkConfig(
    memory=memory,
    d_model=12,
    num_layers=2,
    num_heads=2,
    key_size=5,
    memory_length=7,
    local_length=3,
    store_size=3,
  )


def _params(memory):
  x, first = jnp.zeros([1, 4, 12]), jnp.zeros([1, 4])
  init = hk.transform(
    lambda x, first: registry.make_memory(_config(memory)).unroll(x, first, {})
  ).init
  return jax.eval_shape(init, jax.random.PRNGKey(0), x, first)


class RegistryTest(parameterized.TestCase):
  @parameterized.parameters(*MEMORIES)
  def test_every_name_of_the_config_makes_a_memory(self, memory):
    self.assertNotEmpty(_params(memory))
    state = jax.eval_shape(
      lambda: base.initial_state(registry.make_memory, _config(memory), 3)
    )
    self.assertEqual(state["age"].shape, (3,))
    kept = {key for key in state if key != "age"}
    expected = {"previous", "layer_0", "layer_1"}
    # The control must not see the previous step either.
    self.assertEqual(kept, set() if memory == "none" else expected)
    for leaf in jax.tree.leaves(state):
      self.assertEqual(leaf.shape[0], 3)

  def test_names_stand_for_different_memories(self):
    shapes = [str(_params(memory)) for memory in MEMORIES]
    self.assertLen(set(shapes), len(MEMORIES))


if __name__ == "__main__":
  absltest.main()
