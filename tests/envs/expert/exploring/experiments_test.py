"""Tests of adaland.envs.expert.exploring.experiments."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.exploring import beliefs, experiments
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.literals import parse_literal
from adaland.envs.tasks.symbolic import Condition, make_condition
from adaland.envs.tasks.task import Task
from tests.envs.expert import fakes

WALL, CUBE, PURPLE, YELLOW, SPHERE, PLAYER = 1, 4, 5, 6, 7, 13
GOAL = make_condition(parse_literal("hold(player1, black sphere)"))
OBJECTS = {
  0: (CUBE, (1.5, 0.0, 0.2)),
  1: (PURPLE, (3.0, 0.0, 0.2)),
  2: (YELLOW, (-3.0, -3.0, 0.2)),
}


def believe(rules, **hiding):
  task = Task.of("hold(player1, black sphere)", ["black cube"], rules, **hiding)
  return beliefs.Beliefs(task)


def find(known, tried=()):
  """Returns the best experiment, or None."""
  view = fakes.make_view(OBJECTS)
  ground = navigate.make_ground(view.heights, view.ramps)
  return experiments.best(known, view, ground, GOAL, tried, {})


def best(known) -> experiments.Experiment:
  """Returns the best experiment."""
  found = find(known)
  assert found is not None
  return found


class ExperimentsTest(absltest.TestCase):
  def test_tries_what_the_hidden_predicate_may_be(self):
    known = believe(
      ["near(black cube, yellow cube) -> black sphere"],
      hide_predicates=["near"],
    )
    trial = best(known)
    self.assertEqual(trial.wanted, Condition("touching", CUBE, YELLOW))
    self.assertEqual(trial.slots, (0, 2))
    # Touching includes near: one attempt tests both.
    self.assertCountEqual(
      trial.tests,
      [Condition(p, CUBE, YELLOW) for p in ("touching", "near")],
    )

  def test_tries_the_nearest_of_equals_first(self):
    known = believe(
      ["hold(player1, black cube) -> black sphere"],
      hide_objects=["black cube"],
    )
    trial = best(known)
    self.assertEqual(trial.wanted, Condition("hold", PLAYER, CUBE))
    known.note_inert(trial.tests)
    self.assertEqual(best(known).wanted.b, PURPLE)

  def test_tries_pairs_where_all_is_hidden(self):
    known = believe(
      ["hold(player1, black cube) -> black sphere"], hide_rules=[1]
    )
    # One attempt tests two conditions.
    self.assertEqual(best(known).wanted, Condition("touching", CUBE, PURPLE))

  def test_tries_what_may_make_what_is_needed(self):
    known = believe(
      [
        "hold(player1, black cube) -> black wall",
        "hold(player1, yellow cube) -> black sphere",
        "near(player1, black pyramid) -> nothing",
        "touching(black pyramid, black pyramid) -> nothing",
      ],
      hide_predicates=["hold"],
    )
    # The cube is nearer, but no wall is needed.
    self.assertEqual(best(known).wanted.b, YELLOW)

  def test_does_not_try_what_is_known_or_was_in_vain(self):
    known = believe(["hold(player1, black cube) -> black sphere"])
    self.assertIsNone(find(known))
    known = believe(
      ["near(black cube, yellow cube) -> black sphere"],
      hide_predicates=["near"],
    )
    self.assertIsNone(find(known, tried=best(known).tests))

  def test_frozen_objects_are_not_carried(self):
    known = believe(
      ["near(black cube, yellow cube) -> black sphere"],
      hide_predicates=["near"],
    )
    view = fakes.make_view(OBJECTS)
    ground = navigate.make_ground(view.heights, view.ramps)
    for frozen, slots in (([0], (2, 0)), ([0, 2], None)):
      stuck = view._replace(frozen=np.isin(np.arange(6), frozen))
      trial = experiments.best(known, stuck, ground, GOAL, (), {})
      self.assertEqual(trial and trial.slots, slots)

  def test_needed_types_are_those_that_lead_to_the_goal(self):
    known = believe(
      [
        "near(black cube, black wall) -> black sphere",
        "hold(player1, yellow pyramid) -> black wall",
        "hold(player1, purple pyramid) -> yellow wall",
      ]
    )
    pyramid = 12
    needed = experiments.needed_types(known, GOAL, {CUBE})
    self.assertEqual(needed, {SPHERE, WALL, pyramid})
    self.assertEmpty(experiments.needed_types(known, GOAL, {SPHERE}))

  def test_looks_at_the_nearest_ground_not_seen(self):
    heights = np.zeros((8, 8), int)
    ground = navigate.make_ground(heights, heights)
    viewed = ground.centres[:, 0] < 1.0
    place = experiments.frontier(ground, np.array([0.25, 0.25]), viewed)
    assert place is not None
    np.testing.assert_allclose(ground.centres[place[0]], [1.25, 0.25])
    self.assertIsNone(
      experiments.frontier(ground, np.zeros(2), np.ones_like(viewed))
    )


if __name__ == "__main__":
  absltest.main()
