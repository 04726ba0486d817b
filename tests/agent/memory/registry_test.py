"""Tests of adaland.agent.memory.registry: shapes only, nothing is computed."""

import dataclasses
import functools

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

  def test_layers_of_the_stacks(self):
    state = {
      memory: jax.eval_shape(
        functools.partial(
          base.initial_state,
          registry.make_memory,
          dataclasses.replace(_config(memory), num_layers=4),
          1,
        )
      )
      for memory in ("local_global", "griffin", "skip")
    }

    def slots(memory, layer):
      return state[memory][f"layer_{layer}"]["keys"].shape[2]

    # A window of 3 or 7 steps, and the present one.
    self.assertEqual(
      [slots("local_global", layer) for layer in range(4)], [4, 8, 4, 8]
    )
    for memory, layer, names in (
      ("griffin", 0, {"hidden", "recent"}),
      ("griffin", 1, {"hidden", "recent"}),
      ("griffin", 2, {"keys", "values"}),
      ("griffin", 3, {"hidden", "recent"}),
      ("skip", 0, {"hidden"}),
      ("skip", 1, {"keys", "values"}),
      ("skip", 3, {"keys", "values"}),
    ):
      self.assertEqual(set(state[memory][f"layer_{layer}"]), names)
    self.assertEqual(slots("griffin", 2), 4)

  def test_names_stand_for_different_memories(self):
    shapes = [str(_params(memory)) for memory in MEMORIES]
    self.assertLen(set(shapes), len(MEMORIES))


if __name__ == "__main__":
  absltest.main()
