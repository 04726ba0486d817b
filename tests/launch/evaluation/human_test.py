"""Tests of adaland.launch.evaluation.human."""

import os
import resource
import sys
import time
from unittest import mock

import numpy as np
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.evaluation import human, policies

# It is never shown to a person.
_STEP = mock.Mock()


class HumanTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(
      mock.patch.multiple(
        human, screen=mock.Mock(return_value=""), _read_key=mock.DEFAULT
      )
    )
    for stream in ("stdin", "stderr"):
      self.enter_context(
        mock.patch.object(
          sys, stream, mock.Mock(**{"isatty.return_value": True})
        )
      )
    view = mock.Mock(trial=0, step=3, trial_rewards=np.zeros((1, 1)))
    self.land = mock.Mock(tasks=[mock.MagicMock()])
    self.land.state_view.return_value = view

  def test_keys_are_actions_and_the_grip_stays(self):
    player = human.Human(self.land)
    for key, action in (
      ("w", [2, 1, 2, 1, 0, 1]),
      (" ", [1, 1, 2, 1, 1, 1]),
      ("", [1, 1, 2, 1, 1, 1]),
      ("q", [1, 1, 4, 1, 1, 1]),
      (" ", [1, 1, 2, 1, 0, 1]),
    ):
      with mock.patch.object(human, "_read_key", return_value=key):
        self.assertEqual(player.act(_STEP).tolist(), [action])

  def test_escape_ends_the_episode(self):
    with (
      mock.patch.object(human, "_read_key", return_value="\x1b"),
      self.assertRaises(policies.EndedError),
    ):
      human.Human(self.land).act(_STEP)

  def test_it_needs_a_terminal(self):
    with (
      mock.patch.object(
        sys, "stdin", mock.Mock(**{"isatty.return_value": False})
      ),
      self.assertRaisesRegex(errors.UserError, "needs a terminal"),
    ):
      human.Human(self.land)


class KeysTest(absltest.TestCase):
  def test_keys_pressed_at_once_come_one_by_one_and_soon(self):
    ours, theirs = os.openpty()
    with (
      open(theirs) as terminal,
      mock.patch.object(sys, "stdin", terminal),
      mock.patch.object(human, "_WAIT_SECONDS", 60.0),
    ):
      os.write(ours, b"wa\x1b[A")
      start = time.monotonic()
      # An arrow is none of the keys, and not the key that ends the game.
      self.assertEqual([human._read_key() for _ in range(3)], ["w", "a", ""])
      os.write(ours, b"\x1b")
      self.assertEqual(human._read_key(), "\x1b")
      self.assertLess(time.monotonic() - start, 50.0)
    os.close(ours)

  def test_the_terminal_may_be_any_open_file(self):
    ours, theirs = os.openpty()
    # `select` has room for 1,024 open files; the limit is often just that.
    high = 1100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, high + 1), hard))
    self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    os.dup2(theirs, high)
    os.close(theirs)
    with (
      open(high) as terminal,
      mock.patch.object(sys, "stdin", terminal),
    ):
      os.write(ours, b"d")
      self.assertEqual(human._read_key(), "d")
    os.close(ours)


if __name__ == "__main__":
  absltest.main()
