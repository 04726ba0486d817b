"""Tests of adaland.launch.runtimes.children."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.runtimes import children

_CHILD = "tests.launch.runtimes.sleepy_child"


def _until(condition, seconds=20.0):
  deadline = time.monotonic() + seconds
  while not condition():
    if time.monotonic() > deadline:
      raise AssertionError("did not come true in time")
    time.sleep(0.01)


def _gone(pid):
  """Whether a process has ended; one that nobody waited for counts."""
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
    child = children.Child("the child", _CHILD, [mode], {}, self.log)
    self.addCleanup(children.stop, [child], 0.0)
    return child

  def _ready(self, times=1):
    log = pathlib.Path(self.log)
    _until(lambda: log.read_text().count("ready") == times)

  def test_a_killed_child_is_started_again(self):
    child = self._start()
    self._ready()
    self.assertFalse(child.poll())
    pid = child.process.pid
    os.kill(pid, signal.SIGKILL)
    _until(child.poll)
    self._ready(times=2)
    self.assertNotEqual(child.process.pid, pid)
    self.assertEqual(child.restarts, 1)

  def test_a_child_that_never_lives_is_reported_with_its_last_words(self):
    child = self._start("fail")
    with self.assertRaisesRegex(
      errors.RunError, "the child dies right after .* no flour"
    ):
      _until(lambda: child.poll() and False)

  def test_a_child_that_is_always_killed_is_reported(self):
    child = self._start()

    def kill():
      child.process.kill()
      child.process.wait()
      return child.poll() and False

    with self.assertRaisesRegex(
      errors.RunError, "the child is killed .*memory"
    ):
      _until(kill)
    self.assertGreater(child.restarts, 10)

  def test_a_silent_child_is_killed_and_then_gets_twice_the_time(self):
    clock = self.enter_context(
      absltest.mock.patch.object(children.time, "monotonic")
    )
    clock.return_value = 100.0
    child = self._start()
    # So long ago it was a process of the same number that said something.
    self.assertEqual(child.silence(3.0), 0.0)
    for now, heard, hung in (
      (109.0, 3.0, False),
      (120.0, 115.0, False),
      (125.5, 115.0, True),
      (144.0, 3.0, False),
      (146.0, 3.0, True),
      (185.0, 3.0, False),
      (186.0, 185.5, False),
      (195.0, 185.5, False),
      (196.0, 185.5, True),
    ):
      clock.return_value = now
      said = f"at {now}"
      self.assertEqual(child.kill_if_hung(heard, 10.0), hung, said)
      self.assertEqual(child.poll(), hung, said)
    self.assertEqual(child.restarts, 3)

  def test_stop_ends_it(self):
    child = self._start()
    self._ready()
    children.stop([child])
    self.assertEqual(child.process.returncode, -signal.SIGTERM)

  def test_children_die_with_a_killed_parent(self):
    script = (
      "from adaland.launch.runtimes import children\n"
      f"c = children.Child('c', {_CHILD!r}, ['sleep'], {{}}, {self.log!r})\n"
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

  def test_who_was_not_asked_to_lives_on_without_its_parent(self):
    # Of a shell's, which goes on when that is closed.
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
