import contextlib
import os
import pathlib
import subprocess
import sys
import threading
import time
from unittest import mock

import ml_dtypes
import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import arrays
from tests import fake_clock

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_ARRAYS = {
  "00000": np.arange(6, dtype=np.float32).reshape(2, 3).T,
  "00001": np.array(7, np.int32),
  "00002": np.array([2**63 + 1], np.uint64),
  "00003": np.array([1.5, -2.0], ml_dtypes.bfloat16),
}
_HOUR = 3600
# Writes a checkpoint for each line that it is given.
_WRITER = """
import sys
import numpy as np
from adaland.agent.checkpoint import checkpoint
for step, _ in enumerate(sys.stdin):
  checkpoint.save(sys.argv[1], step, {"w": np.full([300], step)}, {})
  print(step, flush=True)
"""
# Allows a write a few seconds, the start of a process included.
_HANGS_SECONDS = 120


def _writes(pid: int) -> bool:
  """Returns True if a process has threads of TensorStore."""
  for name in pathlib.Path(f"/proc/{pid}/task").glob("*/comm"):
    with contextlib.suppress(OSError):  # The thread has ended.
      if name.read_text().startswith("ts_pool_work"):
        return True
  return False


class CheckpointArraysTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path) / "arrays"

  def read(self) -> list[np.ndarray]:
    template = list(_ARRAYS.values())
    return arrays.read(self.path, template, list(range(4)))

  def test_arrays_come_back_as_they_were(self):
    for is_back in (False, True):
      with (
        self.subTest(is_back=is_back),
        mock.patch.object(arrays._Clock, "is_back", return_value=is_back),
      ):
        arrays.write(self.path, _ARRAYS)
      for found, wanted in zip(self.read(), _ARRAYS.values(), strict=True):
        np.testing.assert_array_equal(found, wanted, strict=True)
      self.assertEqual(os.listdir(self.path.parent), ["arrays"])
      self.path.rename(self.create_tempdir().full_path)

  def test_a_write_that_hangs_once_the_clock_is_back_is_made_anew(self):
    goes_on = threading.Event()
    self.addCleanup(goes_on.set)

    def hang(path, leaves):
      del leaves
      (path.parent / f"{path.name}.half").mkdir()
      goes_on.wait()

    with (
      mock.patch.object(arrays, "_save", hang),
      mock.patch.object(arrays, "_GRACE_SECONDS", 0.1),
      mock.patch.object(
        arrays._Clock, "is_back", side_effect=[False, False, True]
      ),
    ):
      arrays.write(self.path, _ARRAYS)
    np.testing.assert_array_equal(self.read()[0], _ARRAYS["00000"])
    self.assertEqual(os.listdir(self.path.parent), ["arrays"])

  def test_what_another_process_says_of_its_failure_is_raised(self):
    self.path.parent.joinpath("file").touch()
    with (
      mock.patch.object(arrays._Clock, "is_back", return_value=True),
      self.assertRaisesRegex(OSError, "file"),
    ):
      arrays.write(self.path.parent / "file" / "arrays", _ARRAYS)

  def test_what_fails_here_is_raised(self):
    with (
      mock.patch.object(arrays, "_save", side_effect=OSError("disk full")),
      self.assertRaisesRegex(OSError, "disk full"),
    ):
      arrays.write(self.path, _ARRAYS)

  def test_a_clock_that_is_slewed_is_not_back(self):
    with mock.patch.object(arrays.time, "time") as now:
      now.return_value = 100.0
      clock = arrays._Clock()
      seen = []
      for now.return_value in (101.0, 100.5, 4000.0, 400.0, 3998.0, 4001.0):
        seen.append(clock.is_back())
    self.assertEqual(seen, [False, False, False, True, True, False])

  @pytest.mark.once
  def test_writes_after_the_clock_was_put_back(self):
    if fake_clock.missing():
      self.skipTest(f"no clock to set: {fake_clock.missing()}")
    folder = self.create_tempdir().full_path
    clock = fake_clock.FakeClock(folder)
    writer = subprocess.Popen(
      [sys.executable, "-c", _WRITER, f"{folder}/checkpoints"],
      cwd=_ROOT,
      env=os.environ | {"PYTHONPATH": str(_ROOT)} | clock.env,
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
      bufsize=1,
    )
    self.addCleanup(writer.wait)
    timer = threading.Timer(_HANGS_SECONDS, writer.kill)
    timer.start()
    self.addCleanup(timer.cancel)
    self.addCleanup(writer.kill)
    requests, written = writer.stdin, writer.stdout
    assert requests is not None
    assert written is not None
    clock.set(_HOUR)
    requests.write("\n")
    self.assertNotEmpty(written.readline(), "did not write")
    self.assertTrue(_writes(writer.pid))
    # TensorStore's threads have ended after idling so long, so the next write
    # needs new ones.
    clock.set(2 * _HOUR)
    while _writes(writer.pid):
      time.sleep(0.1)
    clock.set(-_HOUR)
    requests.write("\n")
    self.assertNotEmpty(written.readline(), "hung, and was killed")


if __name__ == "__main__":
  absltest.main()
