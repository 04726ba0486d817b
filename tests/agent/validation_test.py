"""Tests of adaland.agent.validation."""

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


if __name__ == "__main__":
  absltest.main()
