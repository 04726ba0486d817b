"""Tests of adaland.envs.expert.exploring.playable."""

from absl.testing import absltest, parameterized

from adaland.envs.expert.exploring import playable
from adaland.envs.sampling import candidates
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

  @parameterized.parameters(
    candidates.Traps, candidates.Find, candidates.Fetch, candidates.Chain
  )
  def test_the_guide_plays_the_families(self, family):
    for index in range(20):
      playable.check_guide(family().task(index))

  @parameterized.parameters(
    ("hold(player1, black cube) -> black sphere",),
    ("not near(player1, black cube) -> black sphere",),
    # Nothing is frozen, so there is no place to carry the cube to.
    ("near(black cube, purple pyramid) -> black sphere",),
    # Nothing makes the yellow cube.
    ("near(player1, yellow cube) -> black sphere",),
  )
  def test_what_the_guide_can_not_make(self, rule):
    task = Task.of(
      NEAR, ["black cube", "purple pyramid"], [rule], hide_rules=[1]
    )
    playable.check_tutor(task)
    with self.assertRaisesRegex(
      ValueError, "guide can't play it, allowed: a g"
    ):
      playable.check_guide(task)

  def test_a_rule_may_need_what_another_makes(self):
    rules = [
      "near(yellow cube, purple wall) -> black sphere",
      "near(player1, black cube) -> yellow cube",
    ]
    frozen = {"type": "purple wall", "frozen": True}
    task = Task.of(NEAR, ["black cube", frozen], rules, hide_rules=[1, 2])
    playable.check_guide(task)

  def test_two_players_are_refused(self):
    task = make_task([NEAR, NEAR])
    for check, name in (
      (playable.check, "explorer"),
      (playable.check_tutor, "tutor"),
      (playable.check_guide, "guide"),
    ):
      with self.assertRaisesRegex(
        ValueError, f"the {name} can't play it with 2 players"
      ):
        check(task)


if __name__ == "__main__":
  absltest.main()
