"""Tests of adaland.envs.expert.exploring.sights."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.exploring import sights
from adaland.envs.expert.ways import navigate
from tests.envs.expert import fakes

CUBE, SPHERE, WALL = 4, 7, 1
AHEAD, BESIDE, BEHIND = (2.0, 0.0, 0.2), (2.0, 0.8, 0.2), (-2.0, 0.0, 0.2)


class SightsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    heights = np.zeros((8, 8), int)
    self.ground = navigate.make_ground(heights, heights)
    self.seen = sights.Sights(6, len(self.ground.centres))
    self.seen.begin()

  def look(self, objects, hidden=(), grips=False, **kwargs):
    view = fakes.make_view(objects, **kwargs)
    visible = view.visible.copy()
    visible[0, 1 + np.array(hidden, int)] = False
    view = view._replace(visible=visible)
    return self.seen.update(view, self.ground, grips)

  def test_knows_what_it_has_seen(self):
    self.assertIsNone(self.look({0: (CUBE, AHEAD), 1: (WALL, BEHIND)}, [1]))
    self.assertEqual(self.seen.types.tolist(), [CUBE, 0, 0, 0, 0, 0])
    # A change behind the player goes unnoticed.
    self.assertIsNone(
      self.look({0: (CUBE, AHEAD), 1: (WALL, BEHIND)}, [0], yaw=np.pi)
    )
    self.assertEqual(self.seen.types.tolist(), [CUBE, WALL, 0, 0, 0, 0])
    self.assertEqual(self.seen.fresh[:2].tolist(), [False, True])

  def test_sees_what_becomes_of_two_objects(self):
    self.look({0: (CUBE, AHEAD), 1: (SPHERE, BESIDE)})
    event = self.look({0: (WALL, (2.0, 0.4, 0.3))})
    self.assertIsNotNone(event)
    self.assertEqual(event.lost, {0: CUBE, 1: SPHERE})
    self.assertEqual(event.made, (WALL,))
    self.assertEqual(self.seen.types[:2].tolist(), [WALL, 0])

  def test_misses_what_is_not_where_it_was(self):
    self.look({0: (CUBE, AHEAD)})
    events = [self.look({}) for _ in range(4)]
    self.assertEqual([x for x in events if x], [sights.Event({0: CUBE}, ())])
    self.assertFalse(self.seen.types.any())

  def test_does_not_miss_what_another_object_hides(self):
    self.look({0: (CUBE, AHEAD), 1: (SPHERE, (1.0, 0.0, 0.5))})
    for _ in range(4):
      hidden = {0: (CUBE, AHEAD), 1: (SPHERE, (1.0, 0.0, 0.5))}
      self.assertIsNone(self.look(hidden, [0]))
    self.assertEqual(self.seen.types[0], CUBE)

  def test_what_leaves_the_closed_hand_is_gone(self):
    self.look({0: (CUBE, (0.8, 0.0, 0.8))}, held=0, grips=True)
    event = self.look({}, grips=True)
    self.assertEqual(event, sights.Event({0: CUBE}, ()))

  def test_assumes_what_must_be_there_until_it_sees_it(self):
    self.look({0: (CUBE, AHEAD)})
    self.seen.expect([SPHERE, WALL], np.array(BEHIND))
    self.assertEqual(self.seen.types.tolist(), [CUBE, SPHERE, WALL, 0, 0, 0])
    # Another slot has the sphere, and there is no wall.
    objects = {0: (CUBE, AHEAD), 4: (SPHERE, (-2.0, 0.6, 0.2))}
    events = [self.look(objects, [0], yaw=np.pi) for _ in range(26)]
    self.assertEqual(events, [None] * 26)
    self.assertEqual(self.seen.types.tolist(), [CUBE, 0, 0, 0, SPHERE, 0])

  def test_a_product_was_not_there_at_first(self):
    self.look({0: (CUBE, AHEAD)})
    self.seen.expect([SPHERE], np.array(BESIDE))
    self.look({0: (CUBE, AHEAD), 4: (SPHERE, BESIDE)})
    self.seen.begin()
    self.assertEqual(self.seen.types.tolist(), [CUBE, 0, 0, 0, 0, 0])

  def test_a_trial_starts_with_what_was_there_at_first(self):
    self.look({0: (CUBE, AHEAD), 1: (SPHERE, BESIDE)})
    self.look({0: (WALL, (2.0, 0.4, 0.3))})
    self.seen.begin()
    self.assertEqual(self.seen.types[:2].tolist(), [CUBE, SPHERE])
    np.testing.assert_allclose(self.seen.pos[0], AHEAD)
    self.assertFalse(self.seen.fresh.any())

  def test_the_ground_in_view(self):
    self.look({})
    cells = [self.ground.cell_of(np.array(x)) for x in ((3, 0.1), (-3, 0.1))]
    self.assertEqual(self.seen.viewed[cells].tolist(), [True, False])


if __name__ == "__main__":
  absltest.main()
