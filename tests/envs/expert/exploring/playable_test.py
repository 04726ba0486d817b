"""Tests of adaland.envs.expert.exploring.playable."""

from absl.testing import absltest, parameterized

from adaland.envs.expert.exploring import playable
from adaland.envs.tasks.task import Task

NEAR = "near(player1, black sphere)"
RULE = "near(player1, black cube) -> black sphere"


def make_task(goal=NEAR, hide_rules=(1,), **kwargs):
  return Task.of(
    goal, ["black cube"], [RULE], hide_rules=hide_rules, name="odd", **kwargs
  )


class PlayableTest(parameterized.TestCase):
  def test_simple_tasks_are_for_all(self):
    task = make_task()
    self.assertTrue(playable.is_simple(task))
    playable.check(task)
    playable.check_tutor(task)

  @parameterized.parameters(
    {"goal": "hold(player1, black sphere)"},
    {"goal": "not near(player1, black cube)"},
    {"goal": "near(black cube, black sphere)"},
    {"hide_rules": ()},
    {"levels": 2},
    {"walls": 1},
  )
  def test_others_are_not_for_the_tutor(self, **kwargs):
    task = make_task(**kwargs)
    playable.check(task)
    with self.assertRaisesRegex(ValueError, "'odd': the tutor can't play it"):
      playable.check_tutor(task)

  def test_two_players_are_refused(self):
    task = make_task([NEAR, NEAR])
    with self.assertRaisesRegex(ValueError, "can't play it with 2 players"):
      playable.check(task)


if __name__ == "__main__":
  absltest.main()
