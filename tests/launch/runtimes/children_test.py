"""Tests of adaland.launch.runtimes.children."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from unittest import mock

from absl.testing import absltest

from adaland.launch.runtimes import children

_CHILD = "tests.launch.runtimes.sleepy_child"


def _until(condition, seconds=20.0):
  deadline = time.monotonic() + seconds
  while not condition():
    if time.monotonic() > deadline:
      raise AssertionError("did not come true in time")
    time.sleep(0.01)


def _gone(pid):
  """Returns True if a process has ended, waited for or not."""
  try:
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
  except FileNotFoundError:
    return True
  return stat.rpartition(")")[2].split()[0] == "Z"


class ChildrenTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.log = os.path.join(self.create_tempdir().full_path, "child.log")

  def _start(self, mode="sleep"):
    child = children.Child(_CHILD, [mode], {}, self.log)
    self.addCleanup(child.kill)
    return child

  def _ready(self, times=1):
    log = pathlib.Path(self.log)
    _until(lambda: log.read_text().count("ready") == times)

  def test_it_can_be_started_again(self):
    child = self._start()
    self._ready()
    pid = child.process.pid
    child.kill()
    self.assertEqual(child.process.returncode, -signal.SIGKILL)
    child.start()
    self._ready(times=2)
    self.assertNotEqual(child.process.pid, pid)

  def test_its_last_words_are_the_end_of_its_log(self):
    child = self._start("fail")
    self.assertEqual(child.process.wait(60), 1)
    self.assertEqual(child.last_words(), "could not start: no flour")
    with open(self.log, "w"):
      pass
    self.assertEqual(child.last_words(), "without a word")

  def test_a_user_s_module_may_be_named_as_a_folder_of_the_checkout(self):
    folder = self.create_tempdir()
    folder.create_file("agent.py", "x = 1")
    folder.create_file("of_the_user.py", "import adaland, agent; agent.x")
    path = os.pathsep.join(
      filter(None, [folder.full_path, os.environ.get("PYTHONPATH")])
    )
    self.enter_context(contextlib.chdir(self.create_tempdir().full_path))
    with mock.patch.dict(os.environ, {"PYTHONPATH": path}):
      child = children.Child("of_the_user", [], {}, self.log)
    self.addCleanup(child.kill)
    self.assertEqual(child.process.wait(60), 0, child.last_words())

  def test_children_die_with_a_killed_parent(self):
    script = (
      "from adaland.launch.runtimes import children\n"
      f"c = children.Child({_CHILD!r}, ['sleep'], {{}}, {self.log!r})\n"
      "print(c.process.pid, flush=True)\n"
      "import time; time.sleep(600)\n"
    )
    parent = subprocess.Popen(
      [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    self._ready()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _until(lambda: _gone(pid))

  def test_a_process_that_is_not_tied_outlives_its_parent(self):
    # Like a shell's process, which outlives the shell.
    script = (
      "import subprocess, sys\n"
      f"c = subprocess.Popen([sys.executable, '-m', {_CHILD!r}, 'sleep'],"
      " stdout=subprocess.PIPE)\n"
      "c.stdout.readline()\n"
      "print(c.pid, flush=True)\n"
      "import time; time.sleep(600)\n"
    )
    parent = subprocess.Popen(
      [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.stdout.close()
    parent.kill()
    parent.wait()
    time.sleep(0.2)
    self.assertFalse(_gone(pid))
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
  absltest.main()
