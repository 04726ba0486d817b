"""Tests of adaland.envs.stepping.forks."""

import os
from unittest import mock

from absl.testing import absltest

from adaland.envs import land
from adaland.envs.stepping import forks


class ForksTest(absltest.TestCase):
  def test_a_fork_is_refused_once_its_parent_has_environments(self):
    guard = forks.Guard()
    guard.check()
    guard.check()
    with (
      mock.patch.object(forks, "GUARD", guard),
      mock.patch.object(os, "getpid", return_value=os.getpid() + 1),
      self.assertRaisesRegex(RuntimeError, 'the method "spawn"'),
    ):
      land.Land(1, land.LandConfig(), mock.Mock())

  def test_a_fork_may_have_the_first_environments(self):
    guard = forks.Guard()
    with mock.patch.object(os, "getpid", return_value=os.getpid() + 1):
      guard.check()
    with self.assertRaises(RuntimeError):
      guard.check()


if __name__ == "__main__":
  absltest.main()
