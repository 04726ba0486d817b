"""Tests of adaland.launch.builder; nothing is compiled or computed."""

from typing import Any

import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import learner
from adaland.curriculum import plr, uniform
from adaland.envs import land
from adaland.launch import builder
from adaland.launch.config import overrides, preset_configs


class BuilderTest(parameterized.TestCase):
  def test_the_agent_sees_what_the_environment_shows(self):
    config = preset_configs.smoke()
    made = builder.agent(config)
    self.assertEqual(made.observation_spec, land.observation_spec(config.env))

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

  def test_equal_configs_get_the_same_functions(self):
    made, again, other, longer = (
      builder.agent(overrides.apply(preset_configs.smoke(), settings))
      for settings in (
        [],
        ["run.seed=7"],
        ["network.d_model=32"],
        ["env.num_slots=7"],
      )
    )
    self.assertIs(made.network, again.network)
    self.assertIs(made.actor, again.actor)
    self.assertIsNot(made.network, other.network)
    self.assertIsNot(made.network, longer.network)
    self.assertNotEqual(made.observation_spec, longer.observation_spec)

  @parameterized.parameters(
    ("uniform", uniform.UniformCurriculum), ("plr", plr.PLRCurriculum)
  )
  def test_the_curriculum_draws_from_the_training_half(self, kind, cls):
    config = overrides.apply(
      preset_configs.smoke(), [f"curriculum.kind={kind}"]
    )
    made = builder.curriculum(config)
    self.assertIsInstance(made, cls)
    [assignment] = made.next_tasks(1)
    self.assertStartsWith(assignment.task.name, "train ")

  def test_environments_get_the_run_s_sizes(self):
    config = preset_configs.smoke()
    with absltest.mock.patch.object(builder.land, "Land") as made:
      result = builder.environment(config, 4, 9, self.fail)
    made.assert_called_once_with(4, config.env, self.fail, 9)
    self.assertIs(result, made.return_value)

  def test_the_learner_gets_the_run_s_settings(self):
    config = preset_configs.smoke()
    network: Any = object()
    with absltest.mock.patch.object(learner, "make_learner") as made:
      builder.learner(config, network)
      # On one device, that is all of them.
      builder.learner(config, network, jax.devices())
      builder.learner(config, network, [])
    given = (network, config.learner, config.network.action_sizes)
    self.assertEqual(
      [call.args for call in made.call_args_list],
      [(*given, tuple(jax.devices()), None), (*given, (), None)],
    )


if __name__ == "__main__":
  absltest.main()
