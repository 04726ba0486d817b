"""Tests of what players are told about a task."""

from absl.testing import absltest

from adaland.envs.tasks.task import Task
from adaland.launch.studio import told


def _task():
  return Task.of(
    goal="hold(player1, black cube)",
    objects=["black pyramid", "yellow sphere"],
    rules=[
      "near(black pyramid, yellow sphere) -> black cube",
      "not see(player1, yellow sphere) -> nothing",
      "touching(black pyramid, player1) -> yellow sphere, black wall",
    ],
    hide_rules=[1],
    hide_objects=["yellow sphere"],
    hide_predicates=["touching"],
    trials=2,
    trial_seconds=4,
  )


class ToldTest(absltest.TestCase):
  def test_hidden_parts_are_question_marks(self):
    self.assertEqual(
      told.rules(_task(), 0),
      [
        "?",
        "not see(player1, object 1?) -> nothing",
        "predicate 1?(black pyramid, player1) -> object 1?, black wall",
      ],
    )

  def test_revealed_rules_are_whole_and_marked(self):
    task = _task()
    found = told.task(task, 0, reveal=True)
    self.assertEqual(found["rules"], [str(rule) for rule in task.rules])
    self.assertEqual(found["hidden"], [0, 1, 2])
    self.assertEqual((found["trials"], found["steps"]), (2, 30))

  def test_each_player_is_told_its_own(self):
    task = Task.of(
      goal=["near(player1, player2)", "not near(player1, player2)"],
      objects=[],
      rules=["near(player1, player2) -> black cube"],
    )
    self.assertEqual(told.task(task, 0)["goal"], "near(player1, player2)")
    self.assertEqual(told.task(task, 1)["goal"], "not near(player1, player2)")


if __name__ == "__main__":
  absltest.main()
