"""Tests of adaland.launch.builder.agents; nothing is compiled or computed."""

import dataclasses
from typing import Any

import jax
from absl.testing import absltest

from adaland.agent import learner
from adaland.envs import land
from adaland.launch import builder, errors
from adaland.launch.agents import saved_agent
from adaland.launch.config import factories, overrides, preset_configs


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

  def test_another_agent_may_have_the_memory_of_this_run(self):
    def with_own(**own):
      config = overrides.apply(
        preset_configs.smoke(),
        ["run.start_from=other", "teaching.teacher=agent:other"],
      )
      parts = factories.FactoriesConfig(**own)
      return dataclasses.replace(config, factories=parts)

    def read(theirs, ours):
      saved = saved_agent.SavedAgent(theirs, {}, absltest.mock.Mock())
      with absltest.mock.patch.multiple(
        saved_agent,
        workdir_of=lambda name: name,
        load_config=lambda *_, **__: theirs,
        load=lambda *_: saved,
        check_start=lambda *_: None,
      ):
        self.assertIs(builder.teacher(ours), saved)
        made: Any = absltest.mock.Mock()
        made.network.init = lambda _: {}
        self.assertEqual(builder.starting_params(ours, made), {})

    # Nothing else of the agent is imported.
    others = {"environment": "mine:Icy", "tasks": "mine:tasks"}
    ours = with_own(memory="mine:EMA")
    read(with_own(memory="mine:EMA", **others), ours)
    read(with_own(**others), ours)
    read(with_own(**others), with_own())
    for config, allowed in ((ours, "mine:EMA"), (with_own(), "it has none")):
      with self.assertRaisesRegex(
        errors.UserError,
        "agent:other: has the memory theirs:LSTM, allowed: this run's own "
        rf"\({allowed}\)",
      ):
        read(with_own(memory="theirs:LSTM"), config)

  def test_a_message_names_another_agent_once(self):
    folder = self.create_tempdir().full_path
    for name, agent, read in (
      (
        "run.start_from",
        folder,
        lambda config: builder.starting_params(config, builder.agent(config)),
      ),
      ("teaching.teacher", f"agent:{folder}", builder.teacher),
    ):
      setting = f"{name}={agent}"
      config = overrides.apply(preset_configs.smoke(), [setting])
      with self.assertRaises(errors.UserError) as caught:
        read(config)
      self.assertEqual(
        str(caught.exception),
        f"{setting}: not a run of adaland train (no config.json)",
      )

  def test_the_learner_gets_the_run_s_settings(self):
    config = preset_configs.smoke()
    network: Any = object()
    with absltest.mock.patch.object(learner, "make_learner") as made:
      builder.learner(config, network)
      # With one device, that is all devices.
      builder.learner(config, network, jax.devices())
      builder.learner(config, network, [])
    given = (network, config.learner, config.network.action_sizes)
    self.assertEqual(
      [call.args for call in made.call_args_list],
      [(*given, tuple(jax.devices()), None), (*given, (), None)],
    )


if __name__ == "__main__":
  absltest.main()
