"""Tests of adaland.launch.errors."""

from absl.testing import absltest, parameterized

from adaland.launch import errors


class UserInputTest(parameterized.TestCase):
  @parameterized.parameters(
    ("", ValueError("a\n  b"), "a b"),
    ("--x", ValueError("bad"), "--x: bad"),
    ("--x", errors.UserError("bad"), "--x: bad"),
    # Already said, further down.
    ("--x", errors.UserError("--x: bad"), "--x: bad"),
    ("", errors.UserError("bad"), "bad"),
    ("--x", FileNotFoundError(2, "No such file", "f"), "--x: f: No such file"),
    ("f", FileNotFoundError(2, "No such file", "f"), "f: No such file"),
  )
  def test_becomes_one_line(self, what, error, message):
    with self.assertRaises(errors.UserError) as caught, errors.user_input(what):
      raise error
    self.assertEqual(str(caught.exception), message)

  @parameterized.parameters(IndexError, KeyError, OverflowError, TypeError)
  def test_reading_a_file_of_another_form_is_one_line(self, kind):
    with (
      self.assertRaisesRegex(
        errors.UserError, "f: is not of the expected form .*x"
      ),
      errors.of_another_form("f"),
    ):
      raise kind("x")

  @parameterized.parameters(KeyError, TypeError, errors.RunError)
  def test_defects_keep_their_type(self, kind):
    with self.assertRaises(kind), errors.user_input("--x"):
      raise kind("x")

  def test_a_bad_argument_keeps_its_type(self):
    with (
      self.assertRaisesRegex(errors.ArgumentError, "^x: bad$"),
      errors.user_input(),
      errors.argument("x"),
    ):
      raise ValueError("bad")

  def test_good_input_passes(self):
    with errors.user_input("--x"):
      value = 1
    self.assertEqual(value, 1)


class WordsTest(parameterized.TestCase):
  @parameterized.parameters(
    (OSError(28, "No space left on device", "f"), "f: No space left on device"),
    (OSError(28, "No space left on device"), "No space left on device"),
    (OSError("odd"), "odd"),
    (ConnectionResetError(), "ConnectionResetError"),
  )
  def test_os_errors_without_their_numbers(self, error, message):
    self.assertEqual(errors.describe_os_error(error), message)

  @parameterized.parameters(
    (KeyError("a"), "KeyError: 'a'"),
    (TypeError("two\nlines"), "TypeError: two lines"),
    (AssertionError(), "AssertionError"),
    (MemoryError(), "MemoryError: out of memory"),
    (MemoryError("no room"), "MemoryError: no room"),
  )
  def test_errors_with_their_type(self, error, message):
    self.assertEqual(errors.describe(error), message)

  def test_control_characters_are_escaped(self):
    self.assertEqual(
      errors.one_line("a\x1b[2J\n b\u202e\ud800é"), r"a\x1b[2J b\u202e\ud800é"
    )
    self.assertLen(errors.one_line(10_000 * "ab "), 2000)

  def test_long_and_deep_values_are_cut(self):
    deep = []
    for _ in range(10_000):
      deep = [deep]
    self.assertLess(len(errors.shown(deep)), 101)
    self.assertEqual(errors.shown(500 * "a"), "'" + 96 * "a" + "...")
    self.assertEqual(errors.shown("it's"), '"it\'s"')

  def test_choice_names_the_closest(self):
    error = errors.choice("--policy", "export", iter(["agent", "expert"]))
    self.assertEqual(
      str(error),
      "--policy: 'export' is not one of agent, expert, did you mean 'expert'?",
    )
    self.assertEqual(errors.did_you_mean("zzz", ["agent"]), "")


if __name__ == "__main__":
  absltest.main()
