"""Tests of adaland.agent.validation."""

import dataclasses
import math
import re

from absl.testing import absltest

from adaland.agent import validation


class ValidationTest(absltest.TestCase):
  def test_an_error_names_field_value_and_what_is_allowed(self):
    validation.require(True, "size", 0, "above 0")
    with self.assertRaisesRegex(ValueError, "^size is '0', allowed: above 0$"):
      validation.require(False, "size", "0", "above 0")

  def test_choices_are_listed(self):
    validation.require_choice("kind", "b", ("a", "b"))
    with self.assertRaisesRegex(ValueError, "^kind is 'c', allowed: a, b$"):
      validation.require_choice("kind", "c", ("a", "b"))

  def test_sizes_end_before_those_that_no_machine_holds(self):
    for size in (1, 100_000):
      validation.require_size("width", size)
    for size in (0, 100_001):
      with self.assertRaisesRegex(
        ValueError, f"^width is {size}, allowed: 1 to 100000$"
      ):
        validation.require_size("width", size)

  def test_numbers_are_those_of_float32(self):
    @dataclasses.dataclass
    class Rates:
      rate: float = 0.0
      kind: str = "x"
      count: int = 10**100

    for rate in (0.0, 1.2e-38, -1.0, 3.4e38):
      validation.require_float32(Rates(rate))
    for rate in (1e-39, -1e-39, 3.5e38, -3.5e38, math.inf, math.nan):
      message = re.escape(f"a.rate is {rate}, allowed: 0, or ")
      with self.assertRaisesRegex(ValueError, f"^{message}"):
        validation.require_float32(Rates(rate), "a.")


if __name__ == "__main__":
  absltest.main()
