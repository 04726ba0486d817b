"""Tests of adaland.envs.expert.exploring.notes, on hand-made states."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.expert.exploring import notes
from tests.envs.expert import fakes

_GOAL = 7
_A, _B, _D, _H = 3, 4, 5, 9
_Z = 0.25


def taken(*views, remembers=True):
  """Returns the notes taken in a batch of one."""
  made = notes.Notes(1, 6, remembers)
  for view in views:
    made.update(view, np.array([_GOAL]))
  return made


def touches(made):
  return {
    int(kind): int(made.touch[0, kind])
    for kind in np.flatnonzero(made.touch[0] != notes.UNTRIED)
  }


# The player looks along +x from the origin; near is a distance of 1 m.
class NotesTest(parameterized.TestCase):
  def test_what_turns_into_something_is_noted(self):
    before = fakes.make_batch({0: (_A, (1.2, 0, _Z)), 1: (_B, (3, 0, _Z))})
    after = fakes.make_batch(
      {0: (_GOAL, (1.2, 0, _Z)), 1: (_B, (3, 0, _Z))}, player=(0.3, 0)
    )
    made = taken(before, after)
    self.assertEqual(touches(made), {_A: _GOAL})
    self.assertEqual(made.types[0, :2].tolist(), [_GOAL, _B])
    # The result was not there when the trial began.
    self.assertEqual(made.home_types[0, :2].tolist(), [_A, _B])

  def test_what_vanishes_near_and_what_vanishes_far_away(self):
    at = {0: (_D, (1.2, 0, _Z)), 1: (_A, (3, 1, _Z)), 2: (_B, (3, -1, _Z))}
    before = fakes.make_batch(at)
    after = fakes.make_batch({2: at[2]}, player=(0.3, 0))
    made = taken(before, after)
    self.assertEqual(touches(made), {_D: notes.VANISHES})
    self.assertEqual(np.flatnonzero(made.suspect[0]).tolist(), [_A])
    self.assertEqual(made.types[0, :3].tolist(), [0, 0, _B])

  def test_what_stays_as_the_player_stands_by_is_inert(self):
    at = {0: (_A, (0.8, 0, _Z)), 1: (_B, (0.7, 0.5, _Z))}
    first, second = fakes.make_batch(at), fakes.make_batch(at, step=2)
    # At first sight, the rules may not have fired yet.
    self.assertEmpty(touches(taken(first)))
    made = taken(first, second)
    self.assertEqual(touches(made), {_A: notes.INERT, _B: notes.INERT})
    self.assertEqual(made.pair[0, _A, _B], notes.INERT)
    self.assertEqual(made.pair[0, _B, _A], notes.INERT)
    self.assertEqual(made.pair[0, _A, _A], notes.UNTRIED)

  @parameterized.parameters(
    ("behind another", {1: (_B, (1.5, 0, _Z))}, 0.0),
    ("behind the player", {}, np.pi),
    ("at the edge of the view", {}, 0.75),
  )
  def test_what_is_out_of_view_is_not_missed(self, name, others, yaw):
    del name
    before = fakes.make_batch({0: (_A, (3, 0, _Z)), **others})
    after = fakes.make_batch(
      {0: (_A, (3, 0, _Z)), **others}, hidden=[0], yaw=yaw
    )
    made = taken(before, after)
    self.assertEqual(made.types[0, 0], _A)
    self.assertFalse(made.suspect.any())

  def test_two_that_vanish_beside_each_other(self):
    at = {0: (_A, (2, 0, _Z)), 1: (_B, (2, 0.9, _Z)), 2: (_D, (3.5, 0, _Z))}
    before = fakes.make_batch(at)
    after = fakes.make_batch({1: (_H, (2, 0.4, _Z)), 2: at[2]})
    made = taken(before, after)
    self.assertEqual(made.pair[0, _A, _B], _H)
    self.assertEqual(made.pair[0, _B, _A], _H)
    self.assertEmpty(touches(made))
    self.assertFalse(made.suspect.any())

  def test_a_held_object_is_known_to_have_moved(self):
    at = {0: (_A, (0.8, 0, _Z)), 1: (_B, (2.1, 0, _Z))}
    before = fakes.make_batch(at, held=0)
    after = fakes.make_batch({1: (_GOAL, (2.1, 0, _Z))}, player=(0.4, 0))
    made = taken(before, after)
    self.assertEqual(made.pair[0, _A, _B], _GOAL)

  def test_a_reward_tells_what_came_of_a_contact(self):
    before = fakes.make_batch({0: (_A, (1.2, 0, _Z))})
    after = fakes.make_batch({}, player=(0.3, 0))
    rewarded = fakes.make_batch({}, player=(0.3, 0), reward=0.1)
    self.assertEqual(touches(taken(before, after)), {_A: notes.VANISHES})
    self.assertEqual(touches(taken(before, after, rewarded)), {_A: _GOAL})

  def test_what_came_of_a_contact_is_seen_later(self):
    before = fakes.make_batch({0: (_A, (1.2, 0, _Z))})
    after = fakes.make_batch({}, player=(0.3, 0))
    beside = fakes.make_batch({0: (_H, (1.2, 1, _Z))}, player=(0.3, 0))
    elsewhere = fakes.make_batch({3: (_B, (1.2, 3, _Z))}, player=(0.3, 0))
    self.assertEqual(touches(taken(before, after, beside)), {_A: _H})
    self.assertEqual(
      touches(taken(before, after, elsewhere)), {_A: notes.VANISHES}
    )

  @parameterized.parameters(0, 1)
  def test_of_two_products_the_goal_s_object_counts(self, steps_later):
    gone = {0: (_H, (1.2, 0, _Z))}
    goal = {1: (_GOAL, (1.6, 0, _Z))}
    views = [fakes.make_batch({0: (_A, (1.2, 0, _Z))})]
    views += steps_later * [fakes.make_batch(gone, player=(0.3, 0))]
    views.append(fakes.make_batch(gone | goal, player=(0.3, 0)))
    self.assertEqual(touches(taken(*views))[_A], _GOAL)

  def test_what_is_known_is_not_lost_by_not_seeing_it(self):
    before = fakes.make_batch({0: (_A, (1.2, 0, _Z))}, step=0)
    made = taken(before)
    made.touch[0, _A] = _GOAL
    made.update(fakes.make_batch({}, player=(0.3, 0)), np.array([_GOAL]))
    self.assertEqual(touches(made), {_A: _GOAL})
    self.assertEqual(made.expected().tolist(), [_GOAL])

  def test_memory_of_trials(self):
    at = {0: (_A, (1.2, 0, _Z)), 1: (_B, (3, 0, _Z))}
    trial = [
      fakes.make_batch(at, step=0),
      fakes.make_batch({0: (_H, (1.2, 0, _Z)), 1: at[1]}, player=(0.3, 0)),
    ]
    again = fakes.make_batch(at, step=0, trial=1, yaw=np.pi, hidden=[0, 1])
    made = taken(*trial, again)
    self.assertEqual(touches(made), {_A: _H})
    self.assertEqual(made.types[0, :2].tolist(), [_A, _B])
    self.assertFalse(made.seen.any())
    made = taken(*trial, again, remembers=False)
    self.assertEmpty(touches(made))
    self.assertFalse(made.types.any())
    other = fakes.make_batch({}, step=0, trial=0)
    made = taken(*trial, other)
    self.assertEmpty(touches(made))
    self.assertFalse(made.home_types.any())

  def test_directions_looked_at(self):
    made = taken(fakes.make_batch({}, yaw=0.0))
    self.assertEqual(made.looked.sum(), 24 / 4)
    for yaw in (np.pi / 2, np.pi, -np.pi / 2):
      made.update(fakes.make_batch({}, yaw=yaw), np.array([_GOAL]))
    self.assertTrue(made.looked.all())


if __name__ == "__main__":
  absltest.main()
