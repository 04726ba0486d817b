"""Tests of adaland.launch.evaluation.episode on a land without physics."""

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.launch import errors
from adaland.launch.evaluation import episode, picture, policies
from tests.launch import fakes

_MAKE_LAND = land.maker(land.LandConfig())


class FakeVideo:
  """A video that keeps its frames in memory."""

  def __init__(self, path, size):
    self.path, self.size = path, size
    self.frames = []
    self.end = None

  def add(self, frame):
    self.frames.append(frame)

  def close(self):
    self.end = "kept"

  def discard(self):
    self.end = "discarded"


class EpisodeTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.films = []

    def film(*args):
      self.films.append(FakeVideo(*args))
      return self.films[-1]

    def draw(environments, player):
      return player, environments.state_view(0).step

    for target, name, fake in (
      (episode.land, "Land", fakes.FakeLand),
      (episode.video, "Video", film),
      (episode.picture, "draw", draw),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, fake))

  def play(self, policy, **more):
    task = fakes.make_task("2", trials=3)
    return episode.play(_MAKE_LAND, task, lambda n: policy, 0, **more)

  def test_actions_and_rewards_of_the_whole_episode(self):
    policy = fakes.Constant(4)
    played = self.play(policy)
    np.testing.assert_array_equal(played.actions, np.full((45, 6), 4))
    np.testing.assert_array_equal(played.rewards, [30, 45, 60])
    self.assertEqual(played.rewards.dtype, np.float32)
    self.assertEmpty(self.films)

  def test_a_film_has_a_frame_for_each_step(self):
    self.play(fakes.Constant(1), video_path="a.mp4", player="nobody")
    [film] = self.films
    self.assertEqual((film.path, film.size), ("a.mp4", picture.SIZE))
    expected = [("nobody", step) for step in [*range(15)] * 3]
    self.assertEqual(film.frames, expected)
    self.assertEqual(film.end, "kept")

  def test_an_episode_may_end_early(self):
    class Tired(fakes.Constant):
      def act(self, step):
        if self.num_calls == 17:
          raise policies.EndedError
        return super().act(step)

    played = self.play(Tired(1), video_path="a.mp4")
    np.testing.assert_array_equal(played.actions, np.full((17, 6), 1))
    np.testing.assert_array_equal(played.rewards, [30, 6])
    self.assertEqual(self.films[0].end, "kept")

  def test_an_interrupted_film_is_deleted(self):
    class Broken(fakes.Constant):
      def act(self, step):
        if self.num_calls == 5:
          raise KeyboardInterrupt
        return super().act(step)

    with self.assertRaises(KeyboardInterrupt):
      self.play(Broken(1), video_path="a.mp4")
    self.assertLen(self.films[0].frames, 6)
    self.assertEqual(self.films[0].end, "discarded")

  def test_a_task_that_does_not_fit_is_the_user_s_error(self):
    def no_room(*args):
      raise ValueError("no room for\nblack cube")

    with (
      absltest.mock.patch.object(episode.land, "Land", no_room),
      self.assertRaisesRegex(errors.UserError, "^no room for black cube$"),
    ):
      self.play(fakes.Constant(1), video_path="a.mp4")
    self.assertEmpty(self.films)


if __name__ == "__main__":
  absltest.main()
