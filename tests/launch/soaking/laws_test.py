"""Tests that each law, of worlds and of reports, catches a violation."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch.soaking import laws
from tests.launch.soaking import states


def _touch(t, a, b):
  t.touching[0, [a, b], [b, a]] = True


def _fire(t):
  """Makes the rule turn the first cube into a sphere, correctly."""
  t.after.fired[0, 0] = True
  t.after.slot_types[0, 0] = states.SPHERE
  t.after.object_pos[0, 0, 2] = 0.24
  _touch(t, 0, 1)


def _not_a_number(t):
  t.after.player_pos[0, 0, 0] = np.nan


def _object_vanishes(t):
  t.after.slot_types[0, 1] = 0
  t.after.object_pos[0, 1] = states.PARKED


def _object_changes(t):
  t.after.slot_types[0, 1] = states.SPHERE


def _rule_keeps_its_object(t):
  t.after.fired[0, 0] = True


def _spawn_is_lost(t):
  _fire(t)
  t.after.slot_types[0, 0] = 0
  t.after.object_pos[0, 0] = states.PARKED


def _leaves(t):
  t.after.object_pos[0, 1, :2] = 4.5, 0.0


def _sinks(t):
  t.after.object_pos[0, 1, 2] = -0.05


def _player_sinks(t):
  for view in (t.before, t.after):
    view.player_pos[0, 0, 2] = -0.2


def _starts_inside(t):
  t.restarted[0] = True
  for view in (t.after, t.start):
    view.object_pos[0, 1] = view.object_pos[0, 0] + 0.1


def _spawns_inside(t):
  _fire(t)
  t.after.object_pos[0, 0, :2] = t.after.object_pos[0, 1, :2]


def _ghost_is_seen(t):
  t.after.visible[0, 0, 3] = True


def _ghost_is_touched(t):
  _touch(t, 0, 3)


def _ghost_is_held(t):
  t.after.held[0, 0] = 2


def _ghost_is_here(t):
  t.after.object_pos[0, 2, 2] = 0.5


def _floats(t):
  for view in (t.before, t.after):
    view.object_pos[0, 1, 2] = 0.6


def _reward_is_missing(t):
  t.reward[0, 0] = t.trial_reward[0, 0] = t.after.trial_rewards[0, 0, 0] = 0.0


def _reward_is_wrong(t):
  t.after.object_pos[0, 0, 0] = 1.1


def _sum_is_wrong(t):
  t.after.trial_rewards[0, 0, 0] = 1.0


def _trial_differs(t):
  t.restarted[0] = True
  t.after.object_quat[0, 1, 0] -= 1e-7


def _player_starts_elsewhere(t):
  t.restarted[0] = True
  t.after.player_pos[0, 0, 1] = 1e-6


def _contact_is_missed(t):
  for view in (t.before, t.after):
    view.player_pos[0, 0, 0] = 0.35


def _contact_is_made_up(t):
  _touch(t, 0, 2)


def _ends_at_rest_in_the_air(t):
  t.still[0, 1] = 1
  _floats(t)


def _held_object_is_pressed(t):
  t.after.held[0, 0] = 1
  _sinks(t)


def _falls_fast(t):
  t.way[0, 1] = 1.2  # Metres per step: it enters the ground in a substep.
  _sinks(t)


def _new_trial(t):
  t.restarted[0] = True
  t.reward[0, 0] = 0.0
  t.trial_reward[0, 0] = t.after.trial_rewards[0, 0, 0] = 0.0


_VIOLATIONS = (
  ("finite", _not_a_number),
  ("counted", _object_vanishes),
  ("counted", _object_changes),
  ("counted", _rule_keeps_its_object),
  ("counted", _spawn_is_lost),
  ("inside", _leaves),
  ("inside", _sinks),
  ("inside", _player_sinks),
  ("apart", _starts_inside),
  ("apart", _spawns_inside),
  ("gone", _ghost_is_seen),
  ("gone", _ghost_is_touched),
  ("gone", _ghost_is_held),
  ("gone", _ghost_is_here),
  ("supported", _floats),
  ("rewarded", _reward_is_missing),
  ("rewarded", _reward_is_wrong),
  ("rewarded", _sum_is_wrong),
  ("repeated", _trial_differs),
  ("repeated", _player_starts_elsewhere),
  ("sensed", _contact_is_missed),
  ("sensed", _contact_is_made_up),
)


class LawsTest(parameterized.TestCase):
  @parameterized.parameters(
    (lambda t: None,),
    (_fire,),
    (_ends_at_rest_in_the_air,),
    (_held_object_is_pressed,),
    (_falls_fast,),
    (_new_trial,),
  )
  def test_good_play_breaks_no_law(self, change):
    t = states.transition()
    change(t)
    self.assertEmpty([x for law in laws.LAWS.values() for x in law(t)])

  @parameterized.parameters(*_VIOLATIONS)
  def test_violations_are_found(self, law, change):
    t = states.transition()
    change(t)
    found = list(laws.LAWS[law](t))
    self.assertNotEmpty(found)
    self.assertEqual({env for env, _ in found}, {0})

  def test_each_law_has_a_violation(self):
    self.assertEqual(set(laws.LAWS), {law for law, _ in _VIOLATIONS})


if __name__ == "__main__":
  absltest.main()
