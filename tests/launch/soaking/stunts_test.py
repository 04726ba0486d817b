"""Tests of adaland.launch.soaking.stunts, in a state that does not change."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.launch.soaking import stunts
from tests.launch.soaking import states


def _performer(view=None, seed=0) -> stunts.Performer:
  made = stunts.Performer(0, np.random.default_rng(seed))
  made.view = (view or states.room()).row(0)
  return made


class PerformerTest(absltest.TestCase):
  def test_targets_are_the_loose_objects_nearest_first(self):
    view = states.room()
    self.assertEqual(_performer(view).targets().tolist(), [0, 1])
    view.player_pos[0, 0, 0] = 3.0
    self.assertEqual(_performer(view).targets().tolist(), [1, 0])
    view.frozen[0, 0] = True
    self.assertEqual(_performer(view).targets().tolist(), [1])
    view.held[0, 0] = 1
    self.assertEmpty(_performer(view).targets())

  def test_it_holds_what_its_own_hand_holds(self):
    for slot in (-1, 0, 1):
      view = states.room()
      view.held[0, 0] = slot
      self.assertEqual(_performer(view).holds, slot >= 0)

  def test_approaching_turns_looks_and_walks_to_the_object(self):
    view = states.room()
    # The second cube is 2 m ahead and 0.65 m below the eye.
    action = _performer(view).approach(1, grip=1)
    self.assertEqual(action.indices, (2, 1, 2, 0, 1, 1))
    view.pitch[0, 0] = -np.arctan2(0.65, 2)
    self.assertEqual(_performer(view).approach(1, grip=0).look, 1)
    # To the left, then to the right.
    for y, turn in ((0.5, 4), (-0.5, 0)):
      view.object_pos[0, 1, :2] = 0.5, y
      action = _performer(view).approach(1, grip=0)
      self.assertEqual((action.turn, action.move, action.grip), (turn, 1, 0))

  def test_approaching_depends_on_place_and_heading(self):
    view = states.room()
    view.player_pos[0, 0] = 0.8, -2.0, 0.0
    view.yaw[0, 0] = np.pi / 2
    # The first cube is straight ahead.
    action = _performer(view).approach(0, grip=0)
    self.assertEqual((action.move, action.strafe, action.turn), (2, 1, 2))
    self.assertEqual(action.look, 0)
    view.object_pos[0, 0, 2] = 2.0
    self.assertEqual(_performer(view).approach(0, grip=0).look, 2)

  def test_near_the_object_it_stands(self):
    view = states.room()
    for x, move in ((0.89, 1), (0.91, 2)):
      view.object_pos[0, 0, 0] = x
      self.assertEqual(_performer(view).approach(0, grip=1).move, move)


class StuntsTest(parameterized.TestCase):
  @parameterized.parameters(
    ("throw", 6), ("border", 4), ("wedge", 3), ("pile", 8)
  )
  def test_an_object_is_let_go_at_the_end(self, name, steps):
    view = states.room()
    view.held[0, 0] = 0
    grips = [a.grip for a in stunts.STUNTS[name](_performer(view))]
    self.assertGreater(len(grips), steps)
    self.assertEqual(grips, [1] * (len(grips) - steps) + [0] * steps)

  def test_an_object_out_of_reach_is_given_up(self):
    grips = [action.grip for action in stunts.pile(_performer())]
    self.assertEqual(grips, [1] * 45)

  def test_an_object_that_vanishes_is_not_fetched(self):
    view = states.room()
    stunt = stunts.pile(_performer(view))
    next(stunt)
    view.slot_types[:] = 0
    self.assertEmpty([*stunt])

  def test_where_nothing_can_be_taken_it_stands(self):
    view = states.room()
    view.frozen[:] = True
    [action] = stunts.pile(_performer(view))
    self.assertEqual(action.indices, constants.NOOP_ACTION)

  def test_snatching_opens_and_closes_the_hand(self):
    for types in ([states.CUBE, states.CUBE, 0], [0, 0, 0]):
      view = states.room()
      view.slot_types[0] = types
      grips = [action.grip for action in stunts.snatch(_performer(view))]
      self.assertEqual(grips, [0, 0, 0, 1, 1, 1] * 4)

  def test_climbing_walks_ahead_with_an_open_hand(self):
    found = {(a.move, a.grip) for a in stunts.climb(_performer())}
    self.assertEqual(found, {(2, 0)})

  def test_without_a_second_object_it_drops_the_first(self):
    view = states.room()
    view.held[0, 0] = 0
    view.slot_types[0, 1] = 0
    grips = [action.grip for action in stunts.pile(_performer(view))]
    self.assertEqual(grips, [0] + [1] * 10 + [0] * 8)

  def test_players_act_by_their_seed_and_apart(self):
    view = states.room()
    pair = view._replace(
      held=np.full((1, 2), -1),
      player_pos=np.zeros((1, 2, 3)),
      yaw=np.zeros((1, 2)),
      pitch=np.zeros((1, 2)),
    )
    both = type(view)(*(np.repeat(array, 2, axis=0) for array in pair))

    def play(seed):
      players = stunts.StuntPlayers(2, 2, seed)
      return np.stack([players.act(both) for _ in range(100)])

    actions = play(3)
    self.assertEqual(actions.shape, (100, 2, 2, 6))
    np.testing.assert_array_equal(actions, play(3))
    self.assertTrue((actions != play(4)).any())
    one, *others = np.moveaxis(actions.reshape(100, 4, 6), 1, 0)
    for other in others:
      self.assertTrue((one != other).any())
    self.assertTrue((actions >= 0).all())
    self.assertTrue((actions < constants.ACTION_SIZES).all())


if __name__ == "__main__":
  absltest.main()
