"""Tests of adaland.launch.watching.film without physics; watch_test films."""

import types
from typing import Any

import numpy as np
from absl.testing import absltest
from PIL import Image, ImageDraw

from adaland.envs import land
from adaland.envs.tasks.task import Literal, ObjectType, Player, Rule
from adaland.launch.watching import film
from tests.launch import fakes

_BLUE = np.array(film._AGENT)


def _world(num_rules: int) -> Any:
  cube = ObjectType.from_name("black cube")
  rule = Rule(Literal("near", Player(1), cube), ())
  task = fakes.make_task(trials=4, rules=(rule,) * num_rules)
  view = types.SimpleNamespace(
    step=3,
    fired=np.zeros(num_rules, bool),
    heights=np.zeros((4, 4), int),
    ramps=np.zeros((4, 4), int),
    object_pos=np.zeros((1, 3)),
    slot_types=np.zeros(1, int),
    player_pos=np.zeros((1, 3)),
    yaw=np.zeros(1),
    held=np.array([-1]),
  )
  return types.SimpleNamespace(tasks=[task, task], state_view=lambda row: view)


class DrawTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    width, height = film._VIEW
    self.enter_context(
      absltest.mock.patch.object(
        film.first_person,
        "pictures",
        lambda world, rows: np.zeros((1, height, width, 3), np.uint8),
      )
    )

  def draw(self, rewards=(1.0,), num_rules=1, now=(0.0, 0.0)):
    frame = film.draw(_world(num_rules), np.array(now), rewards, 2.0, "agent")
    self.assertEqual(frame.shape, (film.SIZE[1], film.SIZE[0], 3))
    return frame

  def blue(self, rewards, num_rules=1):
    frame = self.draw(rewards, num_rules)
    return int((frame == _BLUE).all(-1).sum())

  def test_pictures_are_framed_while_the_goal_holds(self):
    def framed(now):
      frame = self.draw(now=now)[film._TOP + 1]
      return (frame == np.array(film._GOOD)).all(-1)

    self.assertFalse(framed((0.0, 0.0)).any())
    agent, expert = framed((0.1, 0.0)), framed((0.0, 0.1))
    # View and map of the agent, then the map of the expert.
    np.testing.assert_array_equal(np.flatnonzero(agent)[[0, -1]], [0, 575])
    np.testing.assert_array_equal(np.flatnonzero(expert)[[0, -1]], [592, 831])

  def test_bars_grow_with_rewards(self):
    # So low that no bar is behind its number.
    one = self.blue([0.7])
    self.assertAlmostEqual(self.blue([1.4]) / one, 2, delta=0.1)
    self.assertAlmostEqual(self.blue([0.7, 0.7]) / one, 2, delta=0.1)
    # A bar is full at the expert's reward; only the number in it differs.
    self.assertAlmostEqual(self.blue([3.0]) / self.blue([2.0]), 1, delta=0.02)

  def test_bars_of_many_trials(self):
    for trials in (1, 24, 40, 48):
      image = Image.new("RGB", film.SIZE)
      film._draw_bars(ImageDraw.Draw(image), [1.0] * trials, 1.0, trials)
      blue = (np.asarray(image) == _BLUE).all(-1).any(axis=0)
      # There are gaps between the bars.
      self.assertEqual(np.count_nonzero(np.diff(blue.astype(int)) == 1), trials)

  def test_many_rules_and_none(self):
    for num_rules in (0, 12):
      self.assertGreater(self.blue([2.0], num_rules), 0)


class WriteTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.film = absltest.mock.Mock()
    self.made: list[Any] = []
    self.drawn: list[Any] = []

    def make(*args):
      self.made.append(fakes.FakeLand(*args))
      return self.made[-1]

    for target, name, fake in (
      (film.land, "Land", make),
      (film.video, "Video", lambda *args: self.film),
      (film.policies, "Expert", lambda world: fakes.Constant(9)),
      (film, "draw", self.draw),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, fake))

  def draw(self, world, now, rewards, best, name):
    self.drawn.append((list(now), len(rewards)))
    return list(rewards)

  def write(self):
    task = fakes.make_task("2", trials=2)
    actions = np.arange(30)[:, None] * np.ones((1, 6), int)
    make_land = land.maker(land.LandConfig())
    return film.write(
      "a.mp4", make_land, task, actions, 5, 60.0, "agent", print
    )

  def test_the_agent_s_actions_beside_the_expert(self):
    np.testing.assert_array_equal(self.write(), [30, 45])
    [world] = self.made
    self.assertEqual(world.seed, [5, 5])
    done = np.array(world.actions)[:, :, 0]
    np.testing.assert_array_equal(done[:, 0], range(30))
    np.testing.assert_array_equal(done[:, 1], 9)
    self.film.close.assert_called_once()

  def test_frames_wait_at_the_end_of_each_trial(self):
    self.write()
    frames = [call.args[0] for call in self.film.add.call_args_list]
    self.assertLen(frames, 30 + film._PAUSE - 1 + film._END)
    self.assertEqual(frames.count([30, 0]), film._PAUSE)
    self.assertEqual(frames[-film._END :], [[30, 45]] * film._END)

  def test_a_trial_starts_without_the_last_one_s_reward(self):
    self.write()
    starts = [now for now, trial in self.drawn if trial == 2]
    self.assertEqual(starts[0], [0.0, 0.0])
    self.assertGreater(min(starts[1]), 0.0)

  def test_a_failure_leaves_no_film(self):
    self.film.add.side_effect = OSError("full")
    with self.assertRaises(OSError):
      self.write()
    self.film.discard.assert_called_once()
    self.film.close.assert_not_called()


if __name__ == "__main__":
  absltest.main()
