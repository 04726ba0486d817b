"""Tests of tasks that are not valid in their world."""

from absl.testing import absltest, parameterized

from adaland.envs.tasks import probes
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import validity

_CUBE = "black cube"
# Two steps up without room for a ramp; the player starts on the low ground.
_BLOCK = [[0] * 5, [0] * 5, [2] * 5, [2] * 5, [2] * 5]
_LOW = (-2.0, 0.0)


def _task(goal, at, heights=_BLOCK, frozen=False, **changes):
  cube = {"type": _CUBE, "at": [at], "frozen": frozen}
  return Task.of(goal=goal, objects=[cube], heights=heights, at=_LOW, **changes)


class CheckTest(parameterized.TestCase):
  @parameterized.parameters(*probes.names())
  def test_probes_pass(self, name):
    validity.check(probes.load(name))

  @parameterized.parameters(
    ("hold(player1, black cube)", (2.2, 0.0), "no player can reach any"),
    ("near(player1, black cube)", (2.2, 0.0), "no player can get near any"),
  )
  def test_ground_out_of_reach(self, goal, at, reason):
    with self.assertRaisesRegex(
      ValueError, rf"players\[0\].goal is .*, which can never hold: {reason}"
    ):
      validity.check(_task(goal, at))
    ramp = [[0] * 5, [0] * 5, [1] * 5, [1] * 5, [2] * 5]  # A ramp each.
    validity.check(_task(goal, at, heights=ramp))

  def test_what_stands_at_the_edge_is_in_the_hand_s_reach(self):
    validity.check(_task("hold(player1, black cube)", (-0.2, 0.0)))
    with self.assertRaisesRegex(ValueError, "every black cube is frozen"):
      validity.check(
        _task("hold(player1, black cube)", (-0.2, 0.0), frozen=True)
      )

  def test_the_second_player_s_goal(self):
    goals = ["hold(player1, black cube)", "near(player2, black wall)"]
    with self.assertRaisesRegex(ValueError, r"players\[1\].*no black wall"):
      validity.check(Task.of(goal=goals, objects=[_CUBE]))

  def test_no_room(self):
    with self.assertRaisesRegex(ValueError, "no room"):
      validity.check(
        Task.of(
          goal="near(player1, black wall)",
          objects=[{"type": "black wall", "count": 24}],
          tiles=(3, 3),
        )
      )


if __name__ == "__main__":
  absltest.main()
