"""Tests of adaland.launch.config.overrides."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.config import overrides
from tests.launch.configs import Inner, Outer


class OverridesTest(parameterized.TestCase):
  def test_applies(self):
    config = overrides.apply(
      Outer(),
      [
        "inner.size=9",
        "inner.limit=5",
        "inner.kind=bcd",
        "name=12",
        "pair=3,4",
        'words=["r"]',
        "flag=true",
      ],
    )
    self.assertEqual(
      config,
      Outer(Inner(9, 0.5, "bcd", 5), "12", True, (3, 4), ("r",)),
    )
    self.assertEqual(overrides.apply(config, ["words=a,b"]).words, ("a", "b"))
    self.assertEqual(overrides.apply(config, ["words="]).words, ())
    none = overrides.apply(config, ["inner.limit=null"])
    self.assertIsNone(none.inner.limit)

  def test_updates_with_numbers_of_numpy(self):
    config = overrides.update(
      Outer(),
      {
        "inner.size": np.int64(9),
        "inner.rate": np.float32(0.25),
        "flag": np.bool_(True),
        "pair": (np.int32(3), 4),
      },
    )
    self.assertEqual(config, Outer(Inner(9, 0.25), flag=True, pair=(3, 4)))
    self.assertEqual(
      [type(value) for value in (config.inner.size, *config.pair)], [int] * 3
    )
    self.assertIs(config.flag, True)
    pair = overrides.update(Outer(), {"pair": np.array([5, 6])}).pair
    self.assertEqual(pair, (5, 6))
    with self.assertRaisesRegex(errors.UserError, "size: 0.5 is not a whole"):
      overrides.update(Outer(), {"inner.size": np.float64(0.5)})

  @parameterized.parameters(
    ("inner.size", "write it as field.name=value"),
    ("inner=3", "inner: is a group of fields"),
    ("inner.sice=3", "did you mean 'size'"),
    ("outer.size=3", "outer: no such field"),
    ("name.size=3", "name has no fields"),
    ("inner.size=three", "inner.size: 'three' is not a whole number"),
    ("inner.size=0", "inner.size is 0"),
    ("inner.size=", "inner.size: '' is not a whole number"),
    ("pair=1,2,3", "pair: .* is not"),
    ("inner.rate=NaN", "inner.rate: 'NaN' is not a finite"),
    ("pair=[1,2", r"pair: .\[1,2.: line 1, column 5: no JSON"),
    ("pair=[NaN,1]", r"pair: .\[NaN,1\].: NaN is given"),
    ("inner.size=" + 5000 * "9", "inner.size: '999.* is not a whole number"),
    ("inner.size=" + 100_000 * "[", "inner.size: .* nested too deeply"),
  )
  def test_refuses(self, setting, message):
    with self.assertRaisesRegex(errors.UserError, message):
      overrides.apply(Outer(), [setting])

  def test_later_settings_win_and_the_config_given_stays(self):
    config = Outer()
    changed = overrides.apply(config, ["inner.size=5", "inner.size=6"])
    self.assertEqual(changed.inner.size, 6)
    self.assertEqual(config, Outer())
    self.assertEqual(overrides.apply(config, []), config)

  def test_a_value_may_hold_equals_signs(self):
    self.assertEqual(overrides.apply(Outer(), ["name=a=b"]).name, "a=b")


if __name__ == "__main__":
  absltest.main()
