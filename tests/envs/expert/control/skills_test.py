"""Tests of adaland.envs.expert.control.skills in small worlds."""

from absl.testing import absltest, parameterized

from adaland.envs import land
from adaland.envs.expert import expert
from tests.envs import fixtures
from tests.envs.tasks.planner_test import make_task

# Goal, objects, rules.
GOALS = {
  "hold": ("hold(player1, black cube)", ["black cube"], []),
  "see": ("see(player1, black sphere)", ["black sphere"], []),
  "near": ("near(player1, black pyramid)", ["black pyramid"], []),
  "touch": ("touching(player1, black cube)", ["black cube"], []),
  "bump": (
    "touching(player1, black cube)",
    ["black cube"],
    ["hold(player1, black cube) -> nothing"],
  ),
  "put near": (
    "near(black cube, yellow sphere)",
    ["black cube", "yellow sphere"],
    [],
  ),
  "press": (
    "touching(black cube, yellow cube)",
    ["black cube", "yellow cube"],
    [],
  ),
  "push": (
    "near(black cube, yellow cube)",
    ["black cube", "yellow cube"],
    [
      "hold(player1, black cube) -> nothing",
      "hold(player1, yellow cube) -> nothing",
    ],
  ),
  "rule": (
    "hold(player1, purple wall)",
    ["black cube", "yellow cube"],
    ["touching(black cube, yellow cube) -> purple wall"],
  ),
  "careful": (
    "near(black cube, yellow cube)",
    ["black cube", "yellow cube", "purple sphere"],
    ["near(black cube, purple sphere) -> nothing"],
  ),
}


class SkillsTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    tasks = [
      make_task(goal, dict.fromkeys(objects, 1), rules)
      for goal, objects, rules in GOALS.values()
    ]
    assert len(tasks) == fixtures.NUM_PLAYED  # Few programs are compiled.
    rewards = expert.expert_rewards(tasks, land.maker(fixtures.CONFIG), runs=1)
    cls.rewards = dict(zip(GOALS, rewards, strict=True))

  @parameterized.parameters(*GOALS)
  def test_goal_is_met_in_half_of_the_trial(self, name):
    # Trials last 20 s. An object pushed by the body rolls on, so the contact
    # does not last.
    least = 1.0 if name == "bump" else 10.0
    self.assertGreater(self.rewards[name], least)
    self.assertLess(self.rewards[name], 20.001)


if __name__ == "__main__":
  absltest.main()
