"""Tests of adaland.launch.studio.people, with made-up rewards."""

import dataclasses
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.launch.agents import saved_agent
from adaland.launch.config import factories, preset_configs
from adaland.launch.studio import people
from tests.launch import fakes


class StudyTest(absltest.TestCase):
  def result(self, environment: str) -> dict[str, Any]:
    """Returns the result of a person and an agent, each with reward 1."""
    own = factories.FactoriesConfig(environment=environment)
    config = dataclasses.replace(preset_configs.smoke(), factories=own)
    known: Any = absltest.mock.Mock()
    known.agent.return_value = saved_agent.SavedAgent(
      config, {}, absltest.mock.Mock()
    )
    theirs = object()

    def best(tasks, make_land, progress):
      progress(1, 1)
      return np.full(len(tasks), 4.0 if make_land is theirs else 2.0)

    def play(make_land, tasks, make_policy, on_progress):
      self.assertIs(make_land, theirs)
      return np.ones((len(tasks), 1))

    for target, name, fake in (
      (people.builder, "environments", lambda _: theirs),
      (people.fewshot, "agent_policy", lambda *_: None),
      (people.expert, "expert_rewards", best),
      (people.rollout, "play", play),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, fake))
    study = people.Study([fakes.make_task()], trials=1)
    study.next_task()
    study.record([1.0], 0)
    return study.result(known, "agent:mine", lambda _: None)

  def test_an_agent_is_scored_by_the_expert_of_its_own_environment(self):
    found = self.result("mine:Icy")
    self.assertEqual(found["by_trial"]["mean"], [0.5])
    self.assertEqual(found["beside"]["by_trial"]["mean"], [0.25])

  def test_in_the_person_s_environment_the_expert_is_the_same(self):
    found = self.result("")
    self.assertEqual(found["by_trial"]["mean"], [0.5])
    self.assertEqual(found["beside"]["by_trial"]["mean"], [0.5])


if __name__ == "__main__":
  absltest.main()
