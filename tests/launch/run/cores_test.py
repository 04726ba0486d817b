"""Tests of adaland.launch.run.cores."""

import os

from absl.testing import absltest

from adaland.launch.run import cores


class CoresTest(absltest.TestCase):
  def test_cores_that_a_process_may_not_use_do_not_count(self):
    with absltest.mock.patch.object(
      os, "sched_getaffinity", lambda _: {1, 5, 6}, create=True
    ):
      self.assertEqual(cores.num_cores(), 3)


if __name__ == "__main__":
  absltest.main()
