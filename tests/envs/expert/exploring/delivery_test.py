"""Tests of adaland.envs.expert.exploring.delivery."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.expert.exploring import delivery, errands

_NOOP = dict(zip(constants.ACTION_HEADS, constants.NOOP_ACTION, strict=True))
_CARRIED, _PLACE, _OTHER = range(3)
_AROUND = 4
_FLOOR = 0.2 - constants.EYE_HEIGHT


def _act(carried=(3.0, 0.0), place=(-3.0, 0.0), other=(0.0, -3.0), **changed):
  """Returns the action by head; the avatar looks along x; None is no place."""
  points = (carried, place or (-3.0, 0.0), other)
  scene = delivery.Scene(
    offset=np.array([(*at, _FLOOR) for at in points]),
    radius=np.array([0.0, 0.0, 1.2]),
    in_view=np.array([True, False, True]),
    movable=np.array([True, False, True]),
    errand=errands.Errand(_CARRIED, _PLACE if place else -1),
    yaw=0.0,
    pitch=constants.START_PITCH,
    held=-1,
    hand=0.0,
    closed=False,
    around=_AROUND,
  )
  action = delivery.act(scene._replace(**changed))
  return dict(zip(constants.ACTION_HEADS, action, strict=True))


class DeliveryTest(parameterized.TestCase):
  def test_it_turns_around_until_it_sees_the_object(self):
    action = _act(in_view=np.zeros(3, bool))
    self.assertEqual(action, _NOOP | {"turn": _AROUND})

  def test_it_walks_to_the_object_with_a_closed_hand(self):
    self.assertEqual(_act(), _NOOP | {"move": 2, "grip": 1})

  @parameterized.parameters((0.2, 3), (-0.2, 1), (1.0, 4), (-1.0, 0))
  def test_it_turns_to_the_object(self, bearing, turn):
    at = (3 * np.cos(bearing), 3 * np.sin(bearing))
    self.assertEqual(_act(carried=at)["turn"], turn)

  def test_its_hand_is_open_where_it_would_take_another(self):
    here, before = (1.5, 0.3), (1.5, 0.0)
    self.assertEqual(_act(carried=here)["grip"], 1)
    self.assertEqual(_act(carried=here, other=before)["grip"], 0)
    # The object itself is still out of reach.
    self.assertEqual(_act(other=(1.0, 1.0))["grip"], 0)
    # Out of reach, or not movable at all.
    self.assertEqual(_act(other=(2.5, 0.0))["grip"], 1)
    frozen = np.array([True, False, False])
    action = _act(carried=here, other=before, movable=frozen)
    self.assertEqual(action["grip"], 1)

  def test_a_closed_hand_that_takes_nothing_is_opened(self):
    self.assertEqual(_act(carried=(1.2, 0.0), closed=True)["grip"], 0)
    self.assertEqual(_act(carried=(1.2, 0.0))["grip"], 1)
    self.assertEqual(_act(carried=(1.8, 0.0), closed=True)["grip"], 1)

  def test_it_drops_another_object_first(self):
    action = _act(carried=(1.5, 0.0), held=_OTHER, hand=1.0)
    self.assertEqual(action["grip"], 0)

  def test_it_turns_with_the_object_until_it_sees_the_place(self):
    holding = {"held": _CARRIED, "hand": 0.9}
    self.assertEqual(_act(**holding), _NOOP | {"turn": _AROUND, "grip": 1})
    seen = np.array([True, True, True])
    for left in (1, -1):
      at = (3 * np.cos(0.5), left * 3 * np.sin(0.5))
      action = _act(place=at, in_view=seen, **holding)
      walk = {"move": 2, "strafe": 1 - left, "grip": 1}
      self.assertEqual(action, _NOOP | walk)

  @parameterized.parameters((0.05, 1), (-0.05, 3), (0.45, 2), (0.7, 3))
  def test_the_place_is_kept_beside_the_object_in_its_hand(self, bearing, turn):
    at = (3 * np.cos(bearing), 3 * np.sin(bearing))
    seen = np.array([True, True, True])
    action = _act(place=at, in_view=seen, held=_CARRIED, hand=0.9)
    self.assertEqual(action["turn"], turn)

  @parameterized.parameters((-1.0, 2), (-0.8, 1), (0.1, 1), (0.3, 0))
  def test_it_keeps_its_view_level(self, pitch, look):
    self.assertEqual(_act(pitch=pitch)["look"], look)

  def test_it_draws_the_object_close(self):
    action = _act(held=_CARRIED, hand=1.6)
    self.assertEqual(action["hand"], 0)

  def test_it_draws_to_itself_what_is_only_to_be_near(self):
    self.assertEqual(_act(place=None), _NOOP | {"move": 2, "grip": 1})
    action = _act(place=None, held=_CARRIED, hand=1.6)
    self.assertEqual(action, _NOOP | {"grip": 1, "hand": 0})

  def test_it_turns_gently_with_an_object_far_from_the_body(self):
    seen, aside = np.ones(3, bool), (0.0, 3.0)
    action = _act(place=aside, in_view=seen, held=_CARRIED, hand=0.9)
    self.assertEqual(action["turn"], 4)
    action = _act(place=aside, in_view=seen, held=_CARRIED, hand=1.6)
    self.assertEqual(action["turn"], 3)

  def test_it_keeps_away_from_what_is_to_be_left_alone(self):
    seen = np.ones(3, bool)
    action = _act(
      place=(2.6, 1.4),
      other=(0.9, 0.9),
      in_view=seen,
      held=_CARRIED,
      hand=0.9,
    )
    self.assertEqual(action, _NOOP | {"move": 2, "strafe": 2, "grip": 1})


if __name__ == "__main__":
  absltest.main()
