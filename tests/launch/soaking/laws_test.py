"""Tests that each law, of worlds and of reports, catches a violation."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants, land
from adaland.envs.physics import parts
from adaland.envs.tasks.task import Task
from adaland.launch.soaking import laws, transitions

_CUBE, _SPHERE = 4, 7
_TASK = Task.of(
  goal="near(player1, black cube)",
  objects=["black cube", "black cube"],
  rules=["touching(player1, black cube) -> black sphere"],
)
_PARKED = np.array(parts.PARKING, np.float32)


def _view() -> land.BatchView:
  """Returns a flat room with two cubes and an empty slot, in one environment.

  The player is at the centre, near the first cube.
  """
  pos = np.array([[0.8, 0, 0.2], [2, 0, 0.2], _PARKED], np.float32)
  tiles = (1, constants.MAX_TILES, constants.MAX_TILES)
  return land.BatchView(
    slot_types=np.array([[_CUBE, _CUBE, 0]], np.int32),
    frozen=np.zeros((1, 3), bool),
    object_pos=pos[None],
    object_quat=np.tile(np.array([1, 0, 0, 0], np.float32), (1, 3, 1)),
    held=np.full((1, 1), -1, np.int32),
    hand_distance=np.zeros((1, 1), np.float32),
    player_pos=np.zeros((1, 1, 3), np.float32),
    yaw=np.zeros((1, 1), np.float32),
    pitch=np.zeros((1, 1), np.float32),
    visible=np.zeros((1, 1, 4), bool),
    trial=np.zeros(1, np.int32),
    step=np.ones(1, np.int32),
    trials=np.full(1, 2, np.int32),
    tiles=np.full((1, 2), 8, np.int32),
    heights=np.zeros(tiles, np.int32),
    ramps=np.zeros(tiles, np.int32),
    trial_rewards=np.full((1, 2, 1), constants.STEP_SECONDS),
    fired=np.zeros((1, 1), bool),
    last_action=np.ones((1, 1, 6), np.int32),
    last_reward=np.zeros((1, 1), np.float32),
  )


def _transition() -> transitions.Transition:
  """Returns a step in which nothing moved and the goal held."""
  return transitions.Transition(
    tasks=(_TASK,),
    before=_view(),
    after=_view(),
    start=_view(),
    touching=np.zeros((1, 4, 4), bool),
    reward=np.full((1, 1), constants.STEP_SECONDS),
    trial_reward=np.full((1, 1), constants.STEP_SECONDS),
    trial=np.zeros(1, np.int32),
    dropped=np.zeros(1, np.int64),
    first=np.zeros(1, bool),
    restarted=np.zeros(1, bool),
    still=np.full((1, 3), 9),
    way=np.zeros((1, 3)),
  )


def _touch(t, a, b):
  t.touching[0, [a, b], [b, a]] = True


def _fire(t):
  """Makes the rule turn the first cube into a sphere, correctly."""
  t.after.fired[0, 0] = True
  t.after.slot_types[0, 0] = _SPHERE
  t.after.object_pos[0, 0, 2] = 0.24
  _touch(t, 0, 1)


def _not_a_number(t):
  t.after.player_pos[0, 0, 0] = np.nan


def _object_vanishes(t):
  t.after.slot_types[0, 1] = 0
  t.after.object_pos[0, 1] = _PARKED


def _object_changes(t):
  t.after.slot_types[0, 1] = _SPHERE


def _rule_keeps_its_object(t):
  t.after.fired[0, 0] = True


def _spawn_is_lost(t):
  _fire(t)
  t.after.slot_types[0, 0] = 0
  t.after.object_pos[0, 0] = _PARKED


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
    t = _transition()
    change(t)
    self.assertEmpty([x for law in laws.LAWS.values() for x in law(t)])

  @parameterized.parameters(*_VIOLATIONS)
  def test_violations_are_found(self, law, change):
    t = _transition()
    change(t)
    found = list(laws.LAWS[law](t))
    self.assertNotEmpty(found)
    self.assertEqual({env for env, _ in found}, {0})

  def test_each_law_has_a_violation(self):
    self.assertEqual(set(laws.LAWS), {law for law, _ in _VIOLATIONS})


if __name__ == "__main__":
  absltest.main()
