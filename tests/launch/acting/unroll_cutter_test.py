"""Tests of adaland.launch.acting.unroll_cutter."""

import numpy as np
from absl.testing import absltest

from adaland.launch.acting import cutting, unroll_cutter


class UnrollCutterTest(absltest.TestCase):
  def test_rules_of_the_next_tasks_do_not_reach_an_unroll(self):
    """The program runs after it is called, when the next rules may be there."""
    cutter = unroll_cutter.UnrollCutter(
      num_envs=2, num_players=1, length=4, snapshots={}, emit=lambda *_: None
    )
    rules = np.arange(2, dtype=np.int32).reshape(2, 1, 1)
    with absltest.mock.patch.object(cutting, "cut") as cut:
      cutter.cut(
        time=3,
        last=np.array([True, False]),
        learned=np.ones((2, 1), bool),
        buffer=absltest.mock.Mock(),
        version=0,
        rules=rules,
      )
    cut.assert_called_once()
    (given,) = (x for x in cut.call_args.args if np.shape(x) == rules.shape)
    rules[:] = 7
    np.testing.assert_array_equal(given[:, 0, 0], [0, 1])


if __name__ == "__main__":
  absltest.main()
