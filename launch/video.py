"""Writes mp4 files, whole or not at all."""

import os
import warnings

import numpy as np

from envs import constants
from launch import errors


class Video:
  """An mp4 being written; it gets its name when it is closed whole.

  Args:
    path: Where it goes.
    size: Width and height, multiples of 16.
    speed: Of the video against the simulation.
  """

  def __init__(self, path: str, size: tuple[int, int], speed: float = 1.0):
    import imageio_ffmpeg

    self._path = path
    folder, name = os.path.split(os.path.abspath(path))
    self._partial = os.path.join(folder, f".partial-{os.getpid()}-{name}.mp4")
    self._writer = imageio_ffmpeg.write_frames(
      self._partial, size, fps=speed / constants.STEP_SECONDS, quality=7
    )
    with warnings.catch_warnings():
      # JAX warns of forks; this one runs ffmpeg at once and nothing else.
      warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
      self._writer.send(None)

  def add(self, frame: np.ndarray) -> None:
    """Adds a frame, uint8 [H, W, 3]."""
    self._writer.send(np.ascontiguousarray(frame))

  def close(self) -> None:
    """Finishes the file."""
    self._writer.close()
    os.replace(self._partial, self._path)

  def discard(self) -> None:
    """Leaves nothing behind."""
    self._writer.close()
    if os.path.exists(self._partial):
      os.unlink(self._partial)


def check_path(path: str) -> None:
  """Refuses a name that isn't a video's, before any work is done."""
  if not path.endswith(".mp4"):
    raise errors.UserError(f"--video={path}: the name must end in .mp4")
