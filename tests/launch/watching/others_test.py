"""Tests of adaland.launch.watching.others."""

import dataclasses

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.agents import agent_dir
from adaland.launch.config import factories, preset_configs
from adaland.launch.evaluation import fewshot, trained_agent
from adaland.launch.watching import others


class OthersTest(absltest.TestCase):
  def test_shipped_agents_have_a_memoryless_counterpart_by_name(self):
    with absltest.mock.patch.object(
      agent_dir, "names", return_value=["small", "small-memoryless", "large"]
    ):
      for workdir, beside in (
        ("agent:small", "agent:small-memoryless"),
        ("agent:large", None),
        ("small", None),
      ):
        self.assertEqual(others.memoryless_beside(workdir), beside)

  def test_a_memoryless_agent_has_the_same_environments(self):
    def load(workdir, own_parts):
      self.assertTrue(own_parts)
      network = dataclasses.replace(
        preset_configs.smoke().network,
        memory="gru" if workdir == "remembers" else "none",
      )
      config = dataclasses.replace(preset_configs.smoke(), network=network)
      if workdir == "large":
        env = dataclasses.replace(config.env, num_slots=9)
        config = dataclasses.replace(config, env=env)
      if workdir == "icy":
        own = factories.FactoriesConfig(environment="mine:Icy")
        config = dataclasses.replace(config, factories=own)
      return trained_agent.SavedAgent(config, {}, absltest.mock.Mock())

    def make(place):
      config = preset_configs.smoke()
      return others.memoryless(place, "run", config, 5, own_parts=True)

    with (
      absltest.mock.patch.object(trained_agent, "load", load),
      absltest.mock.patch.object(fewshot, "agent_policy") as agent_policy,
    ):
      self.assertIs(make("same"), agent_policy.return_value)
      agent_policy.assert_called_once_with(load("same", True).config, {}, 5)
      for place in ("large", "icy"):
        with self.assertRaisesRegex(
          errors.UserError, f"memoryless={place}: its environments differ from"
        ):
          make(place)
      with self.assertRaisesRegex(
        errors.UserError, "memoryless=remembers: has the memory gru, allowed"
      ):
        make("remembers")

  def test_scripted_players_are_made_by_name(self):
    names = list(others.scripted(seed=0))
    self.assertEqual(names, ["expert", "explorer", "forgetful", "random"])


if __name__ == "__main__":
  absltest.main()
