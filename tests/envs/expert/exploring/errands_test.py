"""Tests of adaland.envs.expert.exploring.errands."""

import numpy as np
from absl.testing import absltest

from adaland.envs.expert.exploring import errands, notes

_GOAL, _A, _B, _P, _Q, _M = 7, 3, 4, 5, 6, 9


class ErrandsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    own = notes.Notes(1, 6, remembers=True)
    for slot, (kind, x) in enumerate([(_A, 1), (_B, 3), (_P, 5), (_Q, 8)]):
      own.types[0, slot] = own.home_types[0, slot] = kind
      own.pos[0, slot] = (x, 0, 0.25)
      own.frozen[0, slot] = kind in (_P, _Q)
    self.own = own

  def _choose(self, held=-1, in_view=None):
    return errands.choose(self.own, 0, _GOAL, np.zeros(3), held, in_view)

  def _pair(self, a, b, made):
    self.own.pair[0, a, b] = self.own.pair[0, b, a] = made

  def test_the_nearest_untried_contact(self):
    self.assertEqual(self._choose(), errands.Errand(0))
    self.own.touch[0, _A] = notes.INERT
    # B is 3 m away; A to P takes 1 + 4 m.
    self.assertEqual(self._choose(), errands.Errand(1))
    self.own.touch[0, _B] = notes.INERT
    # A to P: 1 + 4 m, B to P: 3 + 2 m; with B in the hand only 2 m.
    self.assertEqual(self._choose(held=1), errands.Errand(1, 2))
    self._pair(_B, _P, notes.VANISHES)
    self._pair(_A, _P, notes.INERT)
    self.assertEqual(self._choose(held=1), errands.Errand(1, 3))

  def test_what_makes_the_goal_s_object_comes_first(self):
    self.own.touch[0, [_A, _B]] = notes.INERT
    self._pair(_B, _Q, _GOAL)
    self.assertEqual(self._choose(), errands.Errand(1, 3))
    self.own.touch[0, _B] = notes.UNTRIED
    self.own.touch[0, _A] = _M
    self._pair(_M, _Q, _GOAL)
    self.assertEqual(self._choose(), errands.Errand(0))

  def test_by_the_view_what_is_seen_comes_first(self):
    self.own.touch[0, [_A, _B]] = notes.INERT
    view = np.array([False, True, False, True])
    for seen, slot in ((view, 1), (np.zeros(6, bool), 0)):
      found = self._choose(in_view=seen)
      assert found is not None
      self.assertEqual(found.slot, slot)
    # With A in the hand, it goes to the places and leaves B, though in view.
    self.assertEqual(self._choose(0, view), errands.Errand(0, 3))
    view[2] = True
    self.assertEqual(self._choose(0, view), errands.Errand(0, 2))
    view[2:] = False
    self.assertEqual(self._choose(0, view), errands.Errand(0, 2))

  def test_by_the_view_what_is_in_the_hand_is_tried_first(self):
    view = np.array([True, True, True, True])
    self.assertEqual(self._choose(in_view=view), errands.Errand(0))
    self.assertEqual(self._choose(1, view), errands.Errand(1))

  def test_by_the_view_what_is_known_comes_first_all_the_same(self):
    self.own.touch[0, [_A, _B]] = notes.INERT
    self._pair(_B, _Q, _GOAL)
    view = np.array([True, False, True, False])
    self.assertEqual(self._choose(in_view=view), errands.Errand(1, 3))
    self.assertEqual(self._choose(0, view), errands.Errand(1, 3))

  def test_what_vanishes_is_of_no_use(self):
    self.own.touch[0, [_A, _B]] = notes.VANISHES
    self.assertIsNone(self._choose())
    # The type that A turns into has not been tried with the places.
    self.own.touch[0, _A] = _M
    self.assertEqual(self._choose(), errands.Errand(0))
    self._pair(_M, _P, notes.VANISHES)
    self._pair(_M, _Q, notes.INERT)
    self.assertIsNone(self._choose())


if __name__ == "__main__":
  absltest.main()
