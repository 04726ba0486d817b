"""Tests of picture without physics; train_test films for real."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants, land
from adaland.envs.tasks import task
from adaland.launch.evaluation import picture
from tests.launch import fakes

# An arena of 4 x 4 m on a map of 240 x 240 pixels: 60 pixels per metre.
_SCALE = 60
_EMPTY = np.zeros((3, 3))


def _type(name):
  return task.ObjectType.from_name(name).type_id


def _view(**changes):
  view = land.WorldView(
    slot_types=np.zeros(3, np.int32),
    frozen=np.zeros(3, bool),
    object_pos=_EMPTY,
    object_quat=np.zeros((3, 4)),
    held=np.array([-1]),
    hand_distance=np.zeros(1),
    player_pos=np.array([[1.5, 1.5, 0.0]]),
    yaw=np.zeros(1),
    pitch=np.zeros(1),
    visible=np.zeros((1, 4), bool),
    trial=0,
    step=0,
    heights=np.zeros((4, 4), int),
    ramps=np.zeros((4, 4), int),
    trial_rewards=np.zeros((2, 1)),
    fired=np.zeros(4, bool),
  )
  return view._replace(**changes)


def _pixel(view, x, y):
  """Returns the map's colour at a position in the arena."""
  image = np.asarray(picture.from_above(view))
  return tuple(image[int(120 - y * _SCALE), int(120 + x * _SCALE)].tolist())


class MapTest(parameterized.TestCase):
  def test_x_to_the_right_y_up(self):
    at = np.array([[-1.5, 0.5, 0.2], [0.5, -1.5, 0.2], [0, 0, 0]])
    types = np.array([_type("yellow cube"), _type("purple sphere"), 0])
    view = _view(slot_types=types, object_pos=at)
    self.assertEqual(_pixel(view, -1.5, 0.5), picture._COLOURS[2])
    self.assertEqual(_pixel(view, 0.5, -1.5), picture._COLOURS[1])
    # Empty slots are not drawn; the player is.
    self.assertEqual(_pixel(view, 0.1, 0.1), _pixel(_view(), 0.1, 0.1))
    self.assertEqual(_pixel(view, 1.5, 1.5), picture._PLAYERS[0])

  @parameterized.parameters(*constants.SHAPES)
  def test_every_shape_is_drawn(self, shape):
    types = np.array([_type(f"yellow {shape}"), 0, 0])
    self.assertEqual(_pixel(_view(slot_types=types), 0, 0), (250, 215, 30))

  def test_higher_ground_is_lighter_and_ramps_are_between(self):
    heights = np.zeros((4, 4), int)
    heights[0, 1], heights[2, 1], heights[0, 3] = 1, 3, 1
    ramps = np.zeros((4, 4), int)
    ramps[0, 3] = 1
    view = _view(heights=heights, ramps=ramps)
    # Tiles of the same shade in the chessboard: i + j is odd. Off-centre,
    # because a ramp has its arrow at the centre.
    low = _pixel(view, -0.5 + 0.3, -1.5 + 0.3)
    one = _pixel(view, -1.5 + 0.3, -0.5 + 0.3)
    ramp = _pixel(view, -1.5 + 0.3, 1.5 + 0.3)
    high = _pixel(view, 0.5 + 0.3, -0.5 + 0.3)
    reds = [low[0], one[0], ramp[0], high[0]]
    # From 61 to 204 in three levels.
    self.assertEqual(reds, [61, 61 + 47, 61 + 71, 204])

  def test_what_lies_higher_is_drawn_over_what_lies_lower(self):
    at = np.array([[0, 0, 0.9], [0, 0, 0.2], [0, 0, 0.1]])
    types = np.array(
      [_type(f"{c} cube") for c in ("purple", "yellow", "black")]
    )
    view = _view(slot_types=types, object_pos=at)
    self.assertEqual(_pixel(view, 0, 0), picture._COLOURS[1])

  @parameterized.parameters(
    (5, (1, 1)), (6, (-1, 1)), (7, (-1, -1)), (8, (1, -1))
  )
  def test_a_diagonal_cliff_is_lighter_in_its_higher_corner(self, form, corner):
    ramps = np.zeros((4, 4), int)
    ramps[0, 1] = form
    view = _view(ramps=ramps)
    dx, dy = 0.3 * np.array(corner)
    higher = _pixel(view, -1.5 + dx, -0.5 + dy)
    lower = _pixel(view, -1.5 - dx, -0.5 - dy)
    self.assertEqual((higher[0], lower[0]), (61 + 47, 61))

  def test_a_ramp_has_a_line_along_which_it_climbs(self):
    for form, (dx, dy) in ((1, (0.25, 0)), (2, (0, 0.25))):
      ramps = np.zeros((4, 4), int)
      ramps[0, 1] = form
      view = _view(ramps=ramps)
      self.assertEqual(_pixel(view, -1.5 + dx, -0.5 + dy), picture._DIM)
      self.assertNotEqual(_pixel(view, -1.5 + dy, -0.5 + dx), picture._DIM)

  def test_a_player_is_a_triangle_that_points_forward(self):
    view = _view(player_pos=np.zeros((1, 3)), yaw=np.array([np.pi / 2]))
    self.assertEqual(_pixel(view, 0.0, 0.2), picture._PLAYERS[0])
    for x, y in ((0.2, 0.0), (-0.2, 0.0), (0.0, -0.3)):
      self.assertNotEqual(_pixel(view, x, y), picture._PLAYERS[0])

  def test_what_is_held_has_a_rim_in_the_player_s_colour(self):
    types = np.array([_type("black cube"), 0, 0])
    for held, expected in ((0, True), (1, False), (-1, False)):
      view = _view(slot_types=types, held=np.array([held]))
      middle = np.asarray(picture.from_above(view))[90:150, 90:150]
      found = (middle == picture._PLAYERS[0]).all(-1).any()
      self.assertEqual(found, expected)

  def test_the_map_of_a_long_arena_keeps_its_shape(self):
    view = _view(heights=np.zeros((8, 4), int), ramps=np.zeros((8, 4), int))
    image = np.asarray(picture.from_above(view))
    ground = (image != picture._BACKGROUND).any(-1)
    self.assertEqual(int(ground.any(0).sum()), 240)
    self.assertEqual(int(ground.any(1).sum()), 120)


class CaptionTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    cube = task.ObjectType.from_name("black cube")
    near = task.Literal("near", task.Player(1), cube)
    self.task = fakes.make_task(
      trials=2,
      rules=(task.Rule(near, ()), task.Rule(near, (cube,))),
      hiding=(task.Hiding(rules=(2,)),),
    )

  def caption(self, **changes):
    return picture.caption(self.task, _view(**changes), "expert")

  def test_time_reward_goal_and_rules(self):
    lines = self.caption(
      trial=1,
      step=3,
      trial_rewards=np.array([[1.0], [0.25]]),
      fired=np.array([False, True]),
    )
    self.assertEqual(
      [text for text, _ in lines],
      [
        "expert   trial 2 of 2   0.4 of 2.0 s   reward 0.25 s, in all 1.25 s",
        "goal: near(player1, black cube)",
        "rule 1: near(player1, black cube) -> nothing",
        "rule 2: near(player1, black cube) -> black cube  [hidden]",
      ],
    )
    colours = [colour for _, colour in lines]
    self.assertEqual(
      colours, [picture._GOOD, picture._TEXT, picture._DIM, picture._GOOD]
    )

  def test_after_the_last_trial_it_stays_the_last(self):
    lines = self.caption(trial=2, trial_rewards=np.array([[1.0], [0.0]]))
    self.assertIn("trial 2 of 2", lines[0][0])
    self.assertIn("reward 0.00 s, in all 1.00 s", lines[0][0])
    self.assertEqual(lines[0][1], picture._TEXT)

  def test_more_rules_than_lines_are_counted(self):
    self.task = dataclasses.replace(self.task, rules=self.task.rules[:1] * 9)
    land_like = absltest.mock.MagicMock(tasks=[self.task])
    land_like.state_view.return_value = _view(fired=np.zeros(9, bool))
    views = np.zeros((1, picture.VIEW[1], picture.VIEW[0], 3), np.uint8)
    with (
      absltest.mock.patch.object(
        picture.first_person, "pictures", return_value=views
      ),
      absltest.mock.patch.object(picture.ImageDraw, "Draw") as pen,
    ):
      frame = picture.draw(land_like, "expert")
    drawn = [call.args[1] for call in pen.return_value.text.call_args_list]
    self.assertEqual(frame.shape, (picture.SIZE[1], picture.SIZE[0], 3))
    # Seven lines fit; two are the goal and time, and nine rules would follow.
    self.assertLen(drawn, 7)
    self.assertEqual(drawn[-1], "... 5 more")


if __name__ == "__main__":
  absltest.main()
