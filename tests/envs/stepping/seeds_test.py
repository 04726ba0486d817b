"""Tests of adaland.envs.stepping.seeds."""

import re
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.stepping import seeds


class OfEachTest(parameterized.TestCase):
  @parameterized.parameters(
    (0, (0, 1)),
    (3, (3, 4)),
    (np.int64(3), (3, 4)),
    ([7, 2], (7, 2)),
    ((None, 0), (None, 0)),
    (np.array([7, 2]), (7, 2)),
    (range(5, 7), (5, 6)),
  )
  def test_one_for_each_environment(self, seed, expected):
    found = seeds.of_each(seed, 2)
    self.assertEqual(found, expected)
    self.assertLessEqual({type(value) for value in found}, {int, type(None)})

  @parameterized.parameters(
    ([0, 1.5],), ([0, "a"],), ([0, True],), ([0, -1],), ([0],), ([0, 1, 2],),
    (2.0,), (-1,), (True,), (None,),
  )  # fmt: skip
  def test_what_is_no_seed_is_refused(self, seed: Any):
    with self.assertRaisesRegex(
      ValueError,
      f"seed is {re.escape(str(seed))}, allowed: an integer from 0, or 2",
    ):
      seeds.of_each(seed, 2)


if __name__ == "__main__":
  absltest.main()
