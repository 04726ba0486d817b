"""Tests of adaland.envs.tasks.json_checks."""

from absl.testing import absltest, parameterized

from adaland.envs.tasks import json_checks


class ShownTest(parameterized.TestCase):
  @parameterized.parameters(
    (3, "3"),
    ("a 'word'", "\"a 'word'\""),
    ([1, "b"], "[1, 'b']"),
    (None, "None"),
  )
  def test_short_values_are_whole(self, value, text):
    self.assertEqual(json_checks.shown(value), text)

  def test_long_values_are_cut(self):
    self.assertEqual(json_checks.shown("a" * 58), '"' + "a" * 58 + '"')
    self.assertEqual(json_checks.shown("a" * 59), '"' + "a" * 56 + "...")

  def test_a_refusal_is_one_line(self):
    error = json_checks.refusal("rules[1]", "a\nb", "a rule")
    self.assertEqual(str(error), 'rules[1] is "a\\nb", allowed: a rule')


class ParseTest(parameterized.TestCase):
  def test_bytes_and_text(self):
    for data in ('{"a": [1, "é"]}', '{"a": [1, "é"]}'.encode()):
      self.assertEqual(json_checks.parse(data), {"a": [1, "é"]})

  @parameterized.parameters(
    (b"\xef\xbb\xbf{}", "no JSON: Unexpected UTF-8 BOM"),
    ("{}".encode("utf-16"), "not UTF-8"),
    (b'"\xed\xa0\x80"', "not UTF-8"),
    (b'{"a": {"b": 1, "b": 1}}', 'the field "b" is given twice'),
    (b"[-Infinity]", "-Infinity is given"),
    (b"[1e999]", "1e999 is given, allowed: finite numbers"),
    (b"-1" + 400 * b"0" + b".5", r"-10+\.\.\. is given"),
    (b"[" * 100_000, "nested too deeply"),
    (5000 * b"9", "4300 digits"),
    (1_000_001 * b" ", "larger than 1000000 bytes"),
  )
  def test_refuses(self, data, message):
    with self.assertRaisesRegex(ValueError, message):
      json_checks.parse(data)

  def test_a_caller_may_allow_more(self):
    large = b"[" + 1_000_000 * b" " + b"]"
    self.assertEqual(json_checks.parse(large, 1_000_002), [])
    file = self.create_tempfile("large.json", large)
    self.assertEqual(json_checks.load(file.full_path, 1_000_002), [])
    with self.assertRaisesRegex(ValueError, "larger than 1000001 bytes"):
      json_checks.load(file.full_path, 1_000_001)

  def test_deep_values_are_shown_short(self):
    deep = json_checks.parse(b"[" * 300 + b"]" * 300)
    self.assertLess(len(json_checks.shown(deep)), 61)


class ReadersTest(parameterized.TestCase):
  @parameterized.parameters(
    (json_checks.read_text, "abc", "abc"),
    (json_checks.read_text, "", ""),
    (json_checks.read_whole, -3, -3),
    (json_checks.read_number, 2, 2.0),
    (json_checks.read_number, -1e9, -1e9),
    (json_checks.read_flag, False, False),
  )
  def test_takes(self, read, value, expected):
    given = read(value, "here")
    self.assertEqual(given, expected)
    self.assertIs(type(given), type(expected))

  @parameterized.parameters(
    (json_checks.read_text, 3, "a text in quotes"),
    (json_checks.read_whole, 2.0, "a whole number"),
    (json_checks.read_whole, True, "a whole number"),
    (json_checks.read_whole, "1", "a whole number"),
    (json_checks.read_number, False, "a number"),
    (json_checks.read_number, "1", "a number"),
    (json_checks.read_number, None, "a number"),
    (json_checks.read_number, float("nan"), "a finite number"),
    (json_checks.read_number, float("inf"), "a finite number"),
    (json_checks.read_number, 10**400, "a finite number"),
    (json_checks.read_flag, 0, "true or false"),
    (json_checks.read_flag, None, "true or false"),
  )
  def test_refuses(self, read, value, allowed):
    with self.assertRaisesRegex(ValueError, f"^here is .*, allowed: {allowed}"):
      read(value, "here")

  def test_lists(self):
    self.assertEqual(json_checks.read_list([1], "here", "rules"), [1])
    with self.assertRaisesRegex(ValueError, "here is .*a list of rules"):
      json_checks.read_list({"a": 1}, "here", "rules")


class FieldsTest(parameterized.TestCase):
  def test_takes_known_fields(self):
    value = {"a": 1, "b": None}
    self.assertEqual(
      json_checks.read_fields(value, "here", iter("abc"), ("a",)), value
    )

  @parameterized.parameters(
    ([], r"here is \[\], allowed: an object with a, b"),
    ({"a": 1, "c": 2}, 'here has the unknown field "c", allowed: a, b'),
    ({"b": 1}, 'here lacks the field "a", needed: a'),
  )
  def test_refuses(self, value, message):
    with self.assertRaisesRegex(ValueError, message):
      json_checks.read_fields(value, "here", ("a", "b"), ("a",))


if __name__ == "__main__":
  absltest.main()
