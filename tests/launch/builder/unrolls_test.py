"""Tests of adaland.launch.builder.unrolls; nothing is compiled or computed."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.launch import builder
from adaland.launch.config import overrides, preset_configs


class UnrollsTest(absltest.TestCase):
  def test_an_unroll_that_is_an_episode_needs_no_memory(self):
    config = preset_configs.smoke()
    spec = builder.unroll_spec(config, builder.agent(config))
    shapes = {c.name: (c.shape, c.dtype) for c in spec.columns}
    self.assertEqual(shapes["reward"], ((30,), "float32"))
    self.assertEqual(shapes["action"], ((30, 6), "int8"))
    self.assertEqual(shapes["behaviour_logits"], ((30, 19), "float32"))
    self.assertEqual(shapes["observation['entities']"][0], (30, 6, 14))
    self.assertFalse([n for n in shapes if n.startswith("initial_memory")])

  def test_a_shorter_unroll_carries_its_memory(self):
    config = overrides.apply(preset_configs.smoke(), ["actor.unroll_length=10"])
    made = builder.agent(config)
    spec = builder.unroll_spec(config, made)
    expected = jax.eval_shape(lambda: made.network.initial_memory(1))
    memory = [c for c in spec.columns if c.name.startswith("initial_memory")]
    self.assertLen(memory, len(jax.tree.leaves(expected)))
    self.assertEqual(
      [c.shape for c in memory],
      [x.shape[1:] for x in jax.tree.leaves(expected)],
    )

  def test_templates_have_the_shapes_of_what_they_stand_for(self):
    config = preset_configs.smoke()
    made = builder.agent(config)
    spec = builder.unroll_spec(config, made)
    state = {"w": np.ones((2, 3), np.float32)}
    template = builder.checkpoint_template(config, state, spec)
    self.assertEqual(
      template["train"], {"w": jax.ShapeDtypeStruct((2, 3), np.float32)}
    )
    batch = template["batch"]
    self.assertEqual(batch.reward.shape, (config.replay.batch_size, 30))
    self.assertEqual(batch.params_version.shape, (config.replay.batch_size,))
    self.assertEqual(batch.mask.dtype, np.uint8)


if __name__ == "__main__":
  absltest.main()
