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
# Writes or reads a checkpoint for each input line. In a "late" one the process
# notices that the clock was set back only after it has begun.
_PROGRAM = """
import contextlib
import sys
from unittest import mock
import numpy as np
from adaland.agent.checkpoint import arrays, checkpoint
arrays._PATIENCE_SECONDS = 0.5
for step, line in enumerate(sys.stdin):
  *late, what = line.split()
  state = {"w": np.full([300], step)}
  if late:
    seen = [False, True]
    clock = mock.patch.object(arrays._clock, "is_back", side_effect=seen)
  else:
    clock = contextlib.nullcontext()
  with clock:
    if what == "write":
      checkpoint.save(sys.argv[1], step, state, {})
    else:
      checkpoint.restore(sys.argv[1], state)
  print(step, flush=True)
"""
# Time limit for work of a few seconds, including the start of a process.
_HANGS_SECONDS = 120


def _has_threads(pid: int) -> bool:
  """Returns True if a process has TensorStore threads."""
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
        read = self.read()
      for found, wanted in zip(read, _ARRAYS.values(), strict=True):
        np.testing.assert_array_equal(found, wanted, strict=True)
      self.assertEqual(os.listdir(self.path.parent), ["arrays"])
      self.path.rename(self.create_tempdir().full_path)

  def hang(self, name):
    """Makes a function hang in the first thread that calls it.

    The clock is set back then. This process does what another one would do.
    """
    goes_on = threading.Event()
    self.addCleanup(goes_on.set)
    here = getattr(arrays, name)

    def work(path, leaves):
      if threading.current_thread() is threading.main_thread():
        return here(path, leaves)
      path.with_name(f"{path.name}.half").mkdir()
      return goes_on.wait()

    for target, attribute, value in (
      (arrays, name, work),
      (arrays, "_apart", arrays._serve),
      (arrays, "_PATIENCE_SECONDS", 0.1),
      (arrays._Clock, "is_back", mock.Mock(side_effect=[False, False, True])),
    ):
      self.enter_context(mock.patch.object(target, attribute, value))

  def test_a_write_that_hangs_once_the_clock_is_back_is_made_anew(self):
    self.hang("_save")
    arrays.write(self.path, _ARRAYS)
    self.assertEqual(os.listdir(self.path.parent), ["arrays"])
    found = arrays._load(self.path, _ARRAYS)
    np.testing.assert_array_equal(found["00000"], _ARRAYS["00000"])

  def test_a_read_that_hangs_once_the_clock_is_back_is_made_anew(self):
    arrays.write(self.path, _ARRAYS)
    self.hang("_load")
    np.testing.assert_array_equal(self.read()[3], _ARRAYS["00003"], strict=True)

  def test_what_another_process_says_of_its_failure_is_raised(self):
    self.path.parent.joinpath("file").touch()
    with (
      mock.patch.object(arrays._Clock, "is_back", return_value=True),
      self.assertRaisesRegex(OSError, "file"),
    ):
      arrays.write(self.path.parent / "file" / "arrays", _ARRAYS)
    with (
      mock.patch.object(arrays._Clock, "is_back", return_value=True),
      self.assertRaisesRegex(OSError, "arrays"),
    ):
      self.read()

  def test_another_process_that_fails_without_output_is_an_error(self):
    failure = subprocess.CalledProcessError(-9, "python", stderr=b"\n \n")
    with (
      mock.patch.object(arrays._Clock, "is_back", return_value=True),
      mock.patch.object(subprocess, "run", side_effect=failure),
      self.assertRaisesRegex(OSError, "^it wrote no output$"),
    ):
      arrays.write(self.path, _ARRAYS)

  def test_arrays_of_another_shape_or_dtype_are_refused(self):
    for template, message in (
      (np.zeros([3, 3], np.float32), r"float32\[3, 2\], not float32\[3, 3\]"),
      (np.zeros([3, 2], np.int32), r"float32\[3, 2\], not int32\[3, 2\]"),
    ):
      found = {"00000": _ARRAYS["00000"]}
      with (
        mock.patch.object(arrays, "_load", return_value=found),
        self.assertRaisesRegex(ValueError, f"array 00000 is {message}"),
      ):
        arrays.read(self.path, [template], [0])

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
  def test_writes_and_reads_after_the_clock_was_put_back(self):
    if fake_clock.missing():
      self.skipTest(f"no clock to set: {fake_clock.missing()}")
    folder = self.create_tempdir().full_path
    clock = fake_clock.FakeClock(folder)
    process = subprocess.Popen(
      [sys.executable, "-c", _PROGRAM, f"{folder}/checkpoints"],
      cwd=_ROOT,
      env=os.environ | {"PYTHONPATH": str(_ROOT)} | clock.env,
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
      bufsize=1,
    )
    self.addCleanup(process.wait)
    timer = threading.Timer(_HANGS_SECONDS, process.kill)
    timer.start()
    self.addCleanup(timer.cancel)
    self.addCleanup(process.kill)
    requests, done = process.stdin, process.stdout
    assert requests is not None
    assert done is not None
    clock.set(_HOUR)
    requests.write("write\n")
    self.assertNotEmpty(done.readline(), "did not write")
    self.assertTrue(_has_threads(process.pid))
    # TensorStore's threads end, because they have long been idle: the next
    # request needs new ones.
    clock.set(2 * _HOUR)
    while _has_threads(process.pid):
      time.sleep(0.1)
    clock.set(-_HOUR)
    for request in ("read", "late write", "late read"):
      requests.write(f"{request}\n")
      self.assertNotEmpty(done.readline(), f"hung in a {request}")
    # The work that it began itself hangs for two hours, but does not block it.
    requests.close()
    self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
  absltest.main()
