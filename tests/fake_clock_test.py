"""Tests of tests.fake_clock, in processes whose clock jumps."""

import json
import os
import subprocess
import sys
import time
from typing import Any

from absl.testing import absltest

from tests import fake_clock

# Prints the time for each line of input.
_CLOCK = """
import json, sys, time
for line in sys.stdin:
  times = [time.time(), time.time_ns() / 1e9, time.mktime(time.localtime()),
           time.monotonic()]
  print(json.dumps(times), flush=True)
"""
# Waits for two seconds by the time of day, by one of C's functions.
_WAIT = """
import ctypes, platform, sys, time

class Timespec(ctypes.Structure):
  _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]

libc = ctypes.CDLL(None)
end = Timespec(int(time.time()) + 2, int(time.time() % 1 * 1e9))
sem, word = ctypes.create_string_buffer(64), ctypes.c_int(0)
mutex, cond = (ctypes.create_string_buffer(64) for _ in range(2))
print("waits", flush=True)
start = time.monotonic()
if sys.argv[1] == "sem":
  libc.sem_init(sem, 0, 0)
  libc.sem_timedwait(sem, ctypes.byref(end))
elif sys.argv[1] == "cond":
  libc.pthread_mutex_lock(mutex)
  while libc.pthread_cond_timedwait(cond, mutex, ctypes.byref(end)) == 0:
    pass
else:
  futex = {"x86_64": 202, "aarch64": 98}[platform.machine()]
  wait_bitset_private_realtime = 9 | 128 | 256
  long = ctypes.c_long
  libc.syscall(
    long(futex), ctypes.byref(word), long(wait_bitset_private_realtime),
    long(0), ctypes.byref(end), long(0), long(0xFFFFFFFF))
print(time.monotonic() - start, flush=True)
"""


class FakeClockTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    if fake_clock.missing():
      self.skipTest(f"no clock to set: {fake_clock.missing()}")
    self.clock = fake_clock.FakeClock(self.create_tempdir().full_path)

  def start(self, code, *args) -> Any:
    process = subprocess.Popen(
      [sys.executable, "-c", code, *args],
      env={**os.environ, **self.clock.env},
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
    )
    self.addCleanup(process.communicate)
    self.addCleanup(process.kill)
    return process

  def test_the_time_of_day_jumps_and_the_monotonic_clock_does_not(self):
    process = self.start(_CLOCK)
    for offset in (0, 3600, -7200, 5):
      self.clock.set(offset)
      process.stdin.write("\n")
      process.stdin.flush()
      *of_the_day, monotonic = json.loads(process.stdout.readline())
      for seen in of_the_day:
        self.assertAlmostEqual(seen, time.time() + offset, delta=60.0)
      self.assertAlmostEqual(monotonic, time.monotonic(), delta=60.0)

  def test_a_jump_moves_the_end_of_waits_by_the_time_of_day(self):
    for before, after, least, most in (
      (3600, 3600, 1.0, 20.0),
      # Set ahead, the clock is past that time at once.
      (0, 3600, 0.0, 1.5),
      # With the clock set back by three seconds, it takes three seconds longer.
      (3600, 3597, 4.0, 20.0),
    ):
      self.clock.set(before)
      waiting = {
        how: self.start(_WAIT, how) for how in ("sem", "cond", "futex")
      }
      for process in waiting.values():
        self.assertEqual(process.stdout.readline(), "waits\n")
      self.clock.set(after)
      for how, process in waiting.items():
        seconds = float(process.stdout.readline())
        self.assertBetween(seconds, least, most, f"{how} {before} {after}")


if __name__ == "__main__":
  absltest.main()
