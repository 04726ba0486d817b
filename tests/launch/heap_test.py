"""Tests of launch.roles.heap."""

import subprocess
import sys

from absl.testing import absltest

# Holds 64 MiB in small pieces and frees all but the last: memory before, with
# the pieces, after they were freed, and after a trim.
_PIECES = """
import ctypes
from launch import processes
from launch.roles import heap
import os
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def look():
  print(processes.memory(os.getpid()).own)
look()
size = 64 * 1024
pieces = [libc.malloc(ctypes.c_size_t(size)) for _ in range(1024)]
for piece in pieces:
  ctypes.memset(piece, 1, size)
look()
for piece in pieces[:-1]:
  libc.free(piece)
look()
heap.trim()
look()
"""


class HeapTest(absltest.TestCase):
  def test_what_is_free_is_given_back(self):
    if not sys.platform.startswith("linux"):
      self.skipTest("only glibc, of Linux, is told to")
    said = subprocess.run(
      [sys.executable, "-c", _PIECES],
      check=True,
      capture_output=True,
      text=True,
    ).stdout
    before, held, freed, trimmed = map(float, said.split())
    self.assertBetween(held - before, 60, 70)
    self.assertGreater(freed - before, 55)
    self.assertLess(trimmed - before, 10)


if __name__ == "__main__":
  absltest.main()
