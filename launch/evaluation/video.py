"""Writes mp4 files, completely or not at all."""

import contextlib
import os
import warnings
from collections.abc import Iterator

import numpy as np

from adaland.envs import constants
from adaland.launch import errors


class Video:
  """An mp4 file, which gets its final name when it is complete.

  Args:
    path: Path of the file.
    size: Width and height, multiples of 16.
    speed: Speed of the video relative to the simulation.
  """

  def __init__(self, path: str, size: tuple[int, int], speed: float = 1.0):
    import imageio_ffmpeg

    self._path = path
    folder, name = os.path.split(os.path.abspath(path))
    self._partial = os.path.join(folder, f".partial-{os.getpid()}-{name}.mp4")
    self._frames = 0
    self._writer = imageio_ffmpeg.write_frames(
      self._partial,
      size,
      fps=speed / constants.STEP_SECONDS,
      quality=7,
      ffmpeg_log_level="quiet",  # Failures are reported here.
    )
    with _forks_allowed():
      self._writer.send(None)

  def add(self, frame: np.ndarray) -> None:
    """Adds a frame, uint8 [H, W, 3].

    Raises:
      RunError: If ffmpeg has given up.
    """
    try:
      self._writer.send(np.ascontiguousarray(frame))
    except OSError as error:
      raise self._incomplete() from error
    self._frames += 1

  def close(self) -> None:
    """Finishes the file.

    Raises:
      RunError: If it is incomplete; it is then deleted.
    """
    self._writer.close()
    # The exit status of ffmpeg is unknown here, so the file is checked.
    if self._written_frames() != self._frames:
      self.discard()
      raise self._incomplete()
    os.replace(self._partial, self._path)

  def _written_frames(self) -> int:
    import imageio_ffmpeg

    try:
      with _forks_allowed():
        frames, _ = imageio_ffmpeg.count_frames_and_secs(self._partial)
    except (OSError, RuntimeError):
      return 0
    return frames or 0

  def _incomplete(self) -> errors.RunError:
    return errors.RunError(
      f"--video={self._path}: could not be completed; is the disk full?"
    )

  def discard(self) -> None:
    """Deletes the partial file."""
    self._writer.close()
    if os.path.exists(self._partial):
      os.unlink(self._partial)


@contextlib.contextmanager
def _forks_allowed() -> Iterator[None]:
  """Silences JAX's warning about forks, which here only run ffmpeg."""
  with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
    yield


def check_path(path: str) -> None:
  """Raises UserError if a name is not a video's."""
  if not path.endswith(".mp4"):
    raise errors.UserError(f"--video={path}: the name must end in .mp4")
