"""Tests of adaland.launch.run.heap."""

import subprocess
import sys

from absl.testing import absltest

# Holds 64 MiB in small pieces and frees all but the last. Prints the memory
# before, with the pieces, after freeing them, and after a trim.
_PIECES = """
import ctypes
from adaland.launch.run import process_tree
from adaland.launch.run import heap
import os
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def look():
  print(process_tree.memory(os.getpid()).own)
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

# Threads that all hold memory at the same time; then the heaps are listed.
_THREADS = """
import ctypes, sys, threading
from adaland.launch.run import heap
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
if sys.argv[1] == "one":
  heap.share()
all_hold = threading.Barrier(5)
def hold():
  libc.malloc(ctypes.c_size_t(1000))
  all_hold.wait()
threads = [threading.Thread(target=hold) for _ in range(4)]
for thread in threads:
  thread.start()
all_hold.wait()
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""


class HeapTest(absltest.TestCase):
  def heaps(self, how: str) -> int:
    said = subprocess.run(
      [sys.executable, "-c", _THREADS, how],
      check=True,
      capture_output=True,
      text=True,
    ).stdout
    return said.count("<heap nr=")

  def test_threads_share_one(self):
    if not sys.platform.startswith("linux"):
      self.skipTest("only glibc, of Linux, has several heaps")
    self.assertGreater(self.heaps("many"), 1)
    self.assertEqual(self.heaps("one"), 1)

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
