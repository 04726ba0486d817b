"""Tests of adaland.launch.evaluation.video."""

import os
import warnings
from typing import Any

import imageio_ffmpeg
import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.evaluation import video

_SIZE = (64, 32)


class VideoTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.path = os.path.join(self.folder, "film.mp4")

  def _film(self, frames=5):
    film = video.Video(self.path, _SIZE, speed=2.0)
    for shade in range(frames):
      # Not contiguous, like slices of pictures.
      frame = np.full((_SIZE[0], _SIZE[1], 3), 40 * shade, np.uint8)
      film.add(frame.transpose(1, 0, 2))
    return film

  def test_it_gets_its_name_when_it_is_whole(self):
    film = self._film()
    self.assertFalse(os.path.exists(self.path))
    film.close()
    self.assertEqual(os.listdir(self.folder), ["film.mp4"])
    reader: Any = imageio_ffmpeg.read_frames(self.path)
    with warnings.catch_warnings():
      # As in adaland.launch.evaluation.video: the fork runs ffmpeg at once.
      warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
      about = next(reader)
    self.assertEqual(about["source_size"], _SIZE)
    self.assertAlmostEqual(about["fps"], 15.0)  # Twice 7.5 steps per second.
    shades = [np.frombuffer(frame, np.uint8).mean() for frame in reader]
    np.testing.assert_allclose(shades, 40 * np.arange(5), atol=6)

  def test_one_that_is_not_whole_leaves_what_was_there(self):
    with open(self.path, "w") as file:
      file.write("old")
    film = self._film()
    film._writer.close()
    (partial,) = set(os.listdir(self.folder)) - {"film.mp4"}
    os.truncate(os.path.join(self.folder, partial), 300)
    with self.assertRaisesRegex(
      errors.RunError, "film.mp4: could not be completed"
    ):
      film.close()
    self.assertEqual(os.listdir(self.folder), ["film.mp4"])
    with open(self.path) as file:
      self.assertEqual(file.read(), "old")

  def test_an_encoder_that_has_given_up_is_one_line(self):
    def write_frames(*args, **more):
      del args, more
      yield
      raise OSError("Broken pipe")

    with absltest.mock.patch.object(
      imageio_ffmpeg, "write_frames", write_frames
    ):
      film = video.Video(self.path, _SIZE)
    with self.assertRaisesRegex(errors.RunError, "mp4: could not be completed"):
      film.add(np.zeros((32, 64, 3), np.uint8))

  def test_discarded_it_leaves_what_was_there(self):
    with open(self.path, "w") as file:
      file.write("old")
    self._film().discard()
    self.assertEqual(os.listdir(self.folder), ["film.mp4"])
    with open(self.path) as file:
      self.assertEqual(file.read(), "old")


class CheckPathTest(parameterized.TestCase):
  @parameterized.parameters("a.gif", "mp4", "a.mp4.zip", "a.MP4")
  def test_refuses(self, path):
    with self.assertRaisesRegex(errors.UserError, f"--video={path}: .*.mp4"):
      video.check_path(path)

  def test_takes_mp4(self):
    self.assertIsNone(video.check_path("a/b.mp4"))


if __name__ == "__main__":
  absltest.main()
