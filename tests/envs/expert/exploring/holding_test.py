"""Tests of adaland.envs.expert.exploring.holding."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.exploring import holding, sights
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.symbolic import Condition
from tests.envs.expert import fakes

CUBE, SPHERE, WALL, PLAYER = 4, 7, 1, 13


def surely(objects, hidden=(), **kwargs):
  view = fakes.make_view(objects, **kwargs)
  visible = view.visible.copy()
  visible[0, 1 + np.array(hidden, int)] = False
  view = view._replace(visible=visible)
  ground = navigate.make_ground(view.heights, view.ramps)
  seen = sights.Sights(6, len(ground.centres))
  seen.update(view, ground, False)
  return holding.surely(seen, view, ground)


class HoldingTest(absltest.TestCase):
  def test_relations_of_what_is_in_view(self):
    found = surely({0: (CUBE, (2.0, 0.0, 0.2)), 1: (SPHERE, (2.0, 0.9, 0.2))})
    self.assertEqual(
      found,
      {
        Condition("see", PLAYER, CUBE),
        Condition("see", PLAYER, SPHERE),
        Condition("near", CUBE, SPHERE),
        Condition("see", CUBE, SPHERE),
      },
    )

  def test_the_player_s_own(self):
    found = surely({0: (CUBE, (0.8, 0.0, 0.7))}, held=0)
    self.assertEqual(
      found,
      {Condition(p, PLAYER, CUBE) for p in ("see", "near", "hold")},
    )

  def test_nothing_of_what_is_out_of_view(self):
    objects = {0: (CUBE, (2.0, 0.0, 0.2)), 1: (SPHERE, (2.0, 0.9, 0.2))}
    self.assertEqual(surely(objects, [1]), {Condition("see", PLAYER, CUBE)})

  def test_touching_where_shapes_must_overlap(self):
    touching = Condition("touching", CUBE, SPHERE)
    at = (2.0, 0.0, 0.2)
    for gap, expected in ((0.4, True), (0.45, False)):
      found = surely({0: (CUBE, at), 1: (SPHERE, (2.0, gap, 0.2))})
      self.assertEqual(touching in found, expected)

  def test_causes_the_likeliest_first(self):
    at = np.array([[1.5, 0.0, 0.2], [1.5, 0.7, 0.2], [9.0, 9.0, 0.2]])
    view = fakes.make_view({})
    found = holding.causes({0: CUBE, 1: SPHERE}, {}, at, view, False)
    self.assertEqual(found[0], Condition("near", CUBE, SPHERE))
    self.assertIn(Condition("touching", CUBE, SPHERE), found)
    self.assertNotIn(Condition("near", PLAYER, CUBE), found)
    # It picked the object up, and the object vanished.
    found = holding.causes({0: CUBE}, {1: SPHERE}, at, view, True)
    self.assertEqual(found[0], Condition("hold", PLAYER, CUBE))
    # It held the object, and something out of view was near.
    found = holding.causes({0: CUBE}, {1: SPHERE, 2: WALL}, at, view, False)
    self.assertEqual(found[0], Condition("near", CUBE, SPHERE))
    self.assertNotIn(Condition("near", WALL, CUBE), found)
    # From far away, only conditions on absence or sight can be the cause.
    found = holding.causes({2: WALL}, {}, at, view, True)
    self.assertEqual(found[0], Condition("see", PLAYER, WALL))
    self.assertTrue(all(x.negated for x in found[1:]))


if __name__ == "__main__":
  absltest.main()
