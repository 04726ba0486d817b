"""Tests of adaland.launch.evaluation.human."""

import os
import resource
import sys
import termios
import time
import types
from typing import Any
from unittest import mock

import numpy as np
from absl.testing import absltest

from adaland.envs.tasks.task import ObjectType
from adaland.launch import errors
from adaland.launch.evaluation import human, policies

# It is never shown to a person.
_STEP = mock.Mock()


class HumanTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(
      mock.patch.object(human, "screen", mock.Mock(return_value=""))
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
    key = mock.Mock()
    player = human.Human(self.land, key)
    for key.return_value, action in (
      ("w", [2, 1, 2, 1, 0, 1]),
      (" ", [1, 1, 2, 1, 1, 1]),
      ("", [1, 1, 2, 1, 1, 1]),
      ("q", [1, 1, 4, 1, 1, 1]),
      (" ", [1, 1, 2, 1, 0, 1]),
    ):
      self.assertEqual(player.act(_STEP).tolist(), [action])

  def test_each_key_sets_one_head(self):
    key = mock.Mock()
    player = human.Human(self.land, key)
    for keys, head, values in (
      ("sw", 0, (0, 2)),  # Back and forward.
      ("ad", 1, (0, 2)),  # Left and right.
      ("eq", 2, (0, 4)),  # Turns to the right and to the left.
      ("fr", 3, (0, 2)),  # Looks down and up.
      ("xc", 5, (0, 2)),  # The hand comes nearer and goes farther.
    ):
      for key.return_value, value in zip(keys, values, strict=True):
        [action] = player.act(_STEP)
        expected = [1, 1, 2, 1, 0, 1]
        expected[head] = value
        self.assertEqual(action.tolist(), expected)

  def test_escape_ends_the_episode(self):
    player = human.Human(self.land, lambda _: "\x1b")
    with self.assertRaises(policies.EndedError):
      player.act(_STEP)

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
    with open(theirs) as terminal, mock.patch.object(sys, "stdin", terminal):
      before = termios.tcgetattr(terminal)
      os.write(ours, b"wa\x1b[A")
      start = time.monotonic()
      # An arrow is none of the keys, and not the key that ends the game.
      self.assertEqual([human.read_key(60) for _ in range(3)], ["w", "a", ""])
      os.write(ours, b"\x1b")
      self.assertEqual(human.read_key(60), "\x1b")
      self.assertLess(time.monotonic() - start, 50.0)
      self.assertEqual(termios.tcgetattr(terminal), before)
    os.close(ours)

  def test_a_while_without_a_key_gives_none(self):
    ours, theirs = os.openpty()
    with open(theirs) as terminal, mock.patch.object(sys, "stdin", terminal):
      self.assertEqual(human.read_key(0.01), "")
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
      self.assertEqual(human.read_key(60), "d")
    os.close(ours)


class ScreenTest(absltest.TestCase):
  def test_levels_objects_and_players_with_x_to_the_right_and_y_up(self):
    cube = ObjectType.from_name("purple cube").type_id
    view: Any = types.SimpleNamespace(
      heights=np.array([[0, 1], [2, 3], [0, 0]]),
      slot_types=np.array([cube, 0, cube, cube]),
      # The last two are outside the arena.
      object_pos=np.array(
        [[0.3, 0.6, 0.2], [0.0, 0.0, 0.0], [-2.2, 0.1, 0.0], [9.0, 9.0, 0.0]]
      ),
      player_pos=np.array([[-1.2, -0.4, 0.0], [1.2, -0.9, 0.0]]),
      yaw=np.array([np.pi / 2, -np.pi / 2]),
    )
    self.assertEqual(
      human.screen(view).splitlines(),
      [
        "       pc   ",
        "1   3   0   ",
        " ^          ",
        "0   2   0 v ",
      ],
    )
    view.yaw = np.array([3.0, 0.1])
    self.assertEqual(
      human.screen(view).splitlines()[2:], [" <          ", "0   2   0 > "]
    )


if __name__ == "__main__":
  absltest.main()
