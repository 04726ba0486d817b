"""Tests of adaland.envs.expert.control.senses."""

import math

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.control import senses
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.symbolic import Condition
from tests.envs.expert import fakes


class SensesTest(absltest.TestCase):
  def test_the_hand_takes_what_is_closest_to_the_axis(self):
    # Eyes are 0.85 m above the feet; both objects are at eye height.
    objects = {0: (1, (1.5, 0.4, 0.85)), 2: (2, (1.5, 0.1, 0.85))}
    self.assertEqual(senses.aimed_at(fakes.make_situation(objects)), 2)
    turned = fakes.make_situation(objects, yaw=math.atan2(0.4, 1.5))
    self.assertEqual(senses.aimed_at(turned), 0)

  def test_the_hand_takes_nothing_out_of_reach_or_off_the_axis(self):
    far = fakes.make_situation({0: (1, (2.1, 0.0, 0.85))})
    self.assertEqual(senses.aimed_at(far), -1)
    aside = fakes.make_situation({0: (1, (1.0, 0.8, 0.85))})
    self.assertEqual(senses.aimed_at(aside), -1)

  def test_the_hand_takes_what_is_aside_if_nothing_is_closer_to_the_axis(self):
    alone = fakes.make_situation({0: (1, (1.0, 0.5, 0.85))})
    self.assertEqual(senses.aimed_at(alone), 0)

  def test_stands_are_in_reach(self):
    situation = fakes.make_situation({})
    point = np.array([1.0, 1.0, 0.2])
    cells = senses.stands(situation.ground, point)
    offset = situation.ground.centres[cells] - point[:2]
    distance = np.linalg.norm(offset, axis=1)
    self.assertGreater(len(cells), 8)
    self.assertTrue(np.all((distance > 0.75) & (distance < 1.5)))

  def test_the_other_player_hides_what_is_behind_it(self):
    cube = (4, (3.0, 0.25, 0.2))
    view = fakes.make_pair({0: cube}, (1.25, 0.25), (2.25, 0.25))
    ground = navigate.make_ground(view.heights, view.ramps)
    situation = senses.Situation(view, ground, ())
    point = np.array(cube[1])
    cell = ground.cell_of(np.array([1.75, 0.25]))
    self.assertIn(cell, senses.stands(ground, point))
    others = situation.others(0)
    self.assertNotIn(cell, senses.stands(ground, point, others))

  def test_clear_cells_or_the_farthest(self):
    ground = fakes.make_situation({}).ground
    points = np.array([[-4.0, -4.0, 0.0]])
    near = senses.clear_cells(ground, points, 2.0)
    offset = ground.centres[near] + 4.0
    self.assertGreater(np.linalg.norm(offset, axis=1).min(), 2.0)
    farthest = senses.clear_cells(ground, points, 50.0)
    self.assertLen(farthest, 3)
    self.assertIn(len(ground.centres) - 1, farthest)

  def test_must_not_concerns_the_player_and_the_type(self):
    situation = fakes.make_situation(
      {0: (1, (0.0, 0.0, 0.0)), 1: (2, (1.0, 0.0, 0.0))},
      avoid=(Condition("hold", 13, 1), Condition("near", 1, 2)),
    )
    self.assertTrue(situation.must_not("hold", 0))
    self.assertFalse(situation.must_not("hold", 1))
    self.assertFalse(situation.must_not("near", 1))


if __name__ == "__main__":
  absltest.main()
