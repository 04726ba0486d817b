"""Tests of adaland.envs.stepping.forks."""

import os
from unittest import mock

from absl.testing import absltest

from adaland.envs import land
from adaland.envs.stepping import forks


class ForksTest(absltest.TestCase):
  def test_a_fork_is_refused_once_its_parent_has_environments(self):
    with mock.patch.object(forks._Process, "id", None):
      forks.check()
      forks.check()
      fork = mock.patch.object(os, "getpid", return_value=os.getpid() + 1)
      with fork, self.assertRaisesRegex(RuntimeError, 'the method "spawn"'):
        land.Land(1, land.LandConfig(), mock.Mock())

  def test_a_fork_may_have_the_first_environments(self):
    with mock.patch.object(forks._Process, "id", None):
      fork = mock.patch.object(os, "getpid", return_value=os.getpid() + 1)
      with fork:
        forks.check()
      with self.assertRaises(RuntimeError):
        forks.check()


if __name__ == "__main__":
  absltest.main()
