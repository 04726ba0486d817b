"""Tests of adaland.curriculum.validation."""

from absl.testing import absltest

from adaland.curriculum import validation


class ValidationTest(absltest.TestCase):
  def test_an_error_names_field_value_and_what_is_allowed(self):
    validation.require(True, "size", 0, "above 0")
    with self.assertRaisesRegex(ValueError, "^size is '0', allowed: above 0$"):
      validation.require(False, "size", "0", "above 0")


if __name__ == "__main__":
  absltest.main()
