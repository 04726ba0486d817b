"""Tests of adaland.envs.stepping.seeds."""

import re
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.stepping import seeds


class CheckedNumEnvsTest(parameterized.TestCase):
  @parameterized.parameters(1, np.int32(3))
  def test_a_number_is_pythons(self, num_envs):
    found = seeds.checked_num_envs(num_envs)
    self.assertEqual((found, type(found)), (num_envs, int))

  @parameterized.parameters(0, -1, 2.0, True, "2", None)
  def test_refuses(self, num_envs: Any):
    with self.assertRaisesRegex(
      ValueError, f"num_envs is {num_envs!r}, allowed: an integer from 1"
    ):
      seeds.checked_num_envs(num_envs)


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
    found = seeds.of_each(seed, 2, may_keep=True)
    self.assertEqual(found, expected)
    self.assertLessEqual({type(value) for value in found}, {int, type(None)})

  @parameterized.parameters(
    ([0, 1.5],), ([0, "a"],), ([0, True],), ([0, -1],), ([0],), ([0, 1, 2],),
    (2.0,), (-1,), (True,), (None,), (np.array(3),), (np.array([[0, 1]] * 2),),
  )  # fmt: skip
  def test_what_is_no_seed_is_refused(self, seed: Any):
    given = re.escape(repr(seed))
    message = f"seed is {given}, allowed: an integer from 0, or 2 of them"
    with self.assertRaisesRegex(ValueError, rf"{message}$"):
      seeds.of_each(seed, 2, may_keep=False)
    with self.assertRaisesRegex(
      ValueError, rf"{message} \(None keeps the current seed\)$"
    ):
      seeds.of_each(seed, 2, may_keep=True)

  def test_none_keeps_no_seed_where_there_is_none_yet(self):
    with self.assertRaisesRegex(ValueError, "or 2 of them$"):
      seeds.of_each([None, 3], 2, may_keep=False)


if __name__ == "__main__":
  absltest.main()
