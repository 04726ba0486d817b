"""Tests of adaland.envs.expert.control.undoing in small worlds."""

import dataclasses

from absl.testing import absltest, parameterized

from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.tasks import literals
from adaland.envs.tasks.task import ObjectSpec
from tests.envs import fixtures
from tests.envs.tasks.planner_test import make_task

# Goal, and where a black cube and a yellow sphere start.
GOALS = {
  "hold": ("not hold(player1, black cube)", (1.0, 0.0), (3.0, 0.0)),
  "near": ("not near(player1, black cube)", (0.6, 0.0), (3.0, 0.0)),
  "touching": ("not touching(player1, black cube)", (0.46, 0.0), (3.0, 0.0)),
  "see": ("not see(player1, black cube)", (1.5, 0.0), (3.0, 0.0)),
  "apart": ("not near(black cube, yellow sphere)", (2.0, 0.0), (2.6, 0.0)),
  "screen": ("not see(black cube, yellow sphere)", (2.0, 2.0), (2.0, -2.0)),
}


def make_placed(goal, cube, sphere):
  task = make_task(goal, {}, [])
  objects = [
    ObjectSpec(literals.ObjectType.from_name(name), at=(at,))
    for name, at in (("black cube", cube), ("yellow sphere", sphere))
  ]
  player = dataclasses.replace(task.players[0], at=(0.0, 0.0))
  return dataclasses.replace(task, objects=tuple(objects), players=(player,))


class UndoingTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    tasks = [make_placed(*case) for case in GOALS.values()]
    # Some are played twice, with another yaw: few programs are compiled.
    rewards = expert.expert_rewards(
      [*tasks, *tasks][: fixtures.NUM_PLAYED],
      land.maker(fixtures.CONFIG),
      runs=1,
    )
    cls.rewards = {
      name: rewards[i :: len(tasks)].min() for i, name in enumerate(GOALS)
    }

  @parameterized.parameters(*GOALS)
  def test_goal_is_met_in_most_of_the_trial(self, name):
    self.assertGreater(self.rewards[name], 15.0)


if __name__ == "__main__":
  absltest.main()
