"""Tests of adaland.curriculum.base."""

from absl.testing import absltest

from adaland.curriculum import base


class CheckKindTest(absltest.TestCase):
  def test_the_same_kind_passes(self):
    base.check_kind({"kind": "plr", "more": 1}, "plr")

  def test_another_kind_is_named(self):
    with self.assertRaisesRegex(ValueError, "is 'plr', this run has 'uniform'"):
      base.check_kind({"kind": "plr"}, "uniform")

  def test_no_kind_at_all(self):
    with self.assertRaisesRegex(ValueError, "is None, this run has 'plr'"):
      base.check_kind({}, "plr")


if __name__ == "__main__":
  absltest.main()
