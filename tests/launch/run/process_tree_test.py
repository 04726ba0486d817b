"""Tests of adaland.launch.run.process_tree on real processes."""

import os
import subprocess
import sys
import time

from absl.testing import absltest

from adaland.launch.run import process_tree

# Starts a child, which works for 0.3 s and ends; waits for it, reports that,
# and sleeps.
_PARENT = """
import subprocess, sys, time
python = [sys.executable, "-S", "-c"]
work = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([*python, work], check=True)
child = subprocess.Popen([*python, "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


_HOLDER = """
import sys
print(flush=True)
sys.stdin.readline()
held = b"x" * (50 * 2**20)
print(flush=True)
sys.stdin.readline()
"""


class ProcessesTest(absltest.TestCase):
  def test_written_memory_is_the_process_s_own(self):
    # Not this process, in which other tests have left memory to be freed.
    with subprocess.Popen(
      [sys.executable, "-S", "-c", _HOLDER],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
    ) as holder:
      assert holder.stdin is not None
      assert holder.stdout is not None
      holder.stdout.readline()
      before = process_tree.memory(holder.pid)
      print(file=holder.stdin, flush=True)
      holder.stdout.readline()
      after = process_tree.memory(holder.pid)
      holder.stdin.close()
    self.assertAlmostEqual(after.own - before.own, 50.0, delta=1.0)
    self.assertAlmostEqual(after.shared, before.shared, delta=1.0)

  def test_processor_time_is_that_of_the_process(self):
    start = time.process_time()
    while time.process_time() < start + 0.1:
      pass
    # The system counts in hundredths of a second.
    self.assertAlmostEqual(
      process_tree.cpu_seconds(os.getpid()), time.process_time(), delta=0.05
    )

  def test_a_tree_counts_ended_processes_and_can_be_killed(self):
    parent = subprocess.Popen(
      [sys.executable, "-S", "-c", _PARENT], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    try:
      child = int(parent.stdout.readline())
      self.assertCountEqual(process_tree.tree(parent.pid), [parent.pid, child])
      # Counting in hundredths may miss some of the 0.3 s.
      self.assertBetween(process_tree.tree_cpu_seconds(parent.pid), 0.25, 1.5)
      self.assertLess(process_tree.cpu_seconds(child), 0.3)
    finally:
      process_tree.end_tree(parent.pid)
      parent.wait()
      parent.stdout.close()
    self.assertEqual(process_tree.tree(parent.pid), [])
    self.assertEqual(process_tree.tree_cpu_seconds(parent.pid), 0.0)
    deadline = time.monotonic() + 10.0
    while _lives(child) and time.monotonic() < deadline:
      time.sleep(0.05)
    self.assertFalse(_lives(child))


def _lives(pid: int) -> bool:
  """Returns True for a running process, False for a zombie or none."""
  try:
    with open(f"/proc/{pid}/stat") as file:
      return file.read().rsplit(")", 1)[1].split()[0] != "Z"
  except OSError:
    return False


if __name__ == "__main__":
  absltest.main()
