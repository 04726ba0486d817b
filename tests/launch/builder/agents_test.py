"""Tests of adaland.launch.builder.agents; nothing is compiled or computed."""

from typing import Any

import jax
from absl.testing import absltest

from adaland.agent import learner
from adaland.envs import land
from adaland.launch import builder
from adaland.launch.config import overrides, preset_configs


class AgentsTest(absltest.TestCase):
  def test_the_agent_sees_what_the_environment_shows(self):
    config = preset_configs.smoke()
    made = builder.agent(config)
    self.assertEqual(made.observation_spec, land.observation_spec(config.env))

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
