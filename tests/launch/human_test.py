"""Tests of launch.human."""

import os
import sys
import time
from unittest import mock

from absl.testing import absltest

from launch import human


class KeysTest(absltest.TestCase):
  def test_keys_pressed_at_once_come_one_by_one_and_soon(self):
    ours, theirs = os.openpty()
    with open(theirs) as terminal, mock.patch.object(sys, "stdin", terminal):
      os.write(ours, b"wa\x1b[A")
      start = time.monotonic()
      # An arrow is none of the keys, and not the one that ends.
      self.assertEqual([human._read_key() for _ in range(3)], ["w", "a", ""])
      os.write(ours, b"\x1b")
      self.assertEqual(human._read_key(), "\x1b")
      self.assertLess(time.monotonic() - start, 0.9)
    os.close(ours)


if __name__ == "__main__":
  absltest.main()
