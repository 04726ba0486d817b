"""Tests on a few thousand damaged files; `python -m tests.fuzz` reads more."""

import random

from absl.testing import absltest, parameterized

from tests.fuzz import array_formats, formats, json_formats, mutate, runner

_CASES = {
  "task": 800,
  "config": 300,
  "agent": 200,
  "weights": 500,
  "setting": 300,
  "checkpoint": 150,
  "status": 200,
  "message": 500,
  "demo": 300,
  "testset": 500,
  "rulesets": 500,
  "evaluation": 400,
  "kept": 300,
  "replay": 100,
  "unroll": 500,
  "arrays": 20,
}


class FormatsTest(parameterized.TestCase):
  @parameterized.parameters(*formats.FORMATS)
  def test_damaged_files_are_refused_or_read(self, name):
    outcome = runner.run(name, first=0, cases=_CASES[name], seed=1)
    self.assertEqual(outcome.faults, {})
    self.assertEqual(outcome.accepted + outcome.refused, _CASES[name])
    # Otherwise there is too little or too much damage to find faults.
    self.assertBetween(outcome.accepted, 1, _CASES[name] - 1)


class _Fake(array_formats.Unroll):
  """A format whose reader raises a given error."""

  error: Exception = ValueError("one line")

  def read(self, data):
    raise self.error


class RunnerTest(parameterized.TestCase):
  @parameterized.parameters(
    (ValueError("one line"), 0),
    (ValueError(""), 5),
    (UnicodeDecodeError("utf-8", b"a", 0, 1, "bad"), 5),
    (RecursionError("too deep"), 5),
    (MemoryError("too large"), 5),
  )
  def test_only_the_documented_error_is_a_refusal(self, error, faults):
    with (
      absltest.mock.patch.object(_Fake, "error", error),
      absltest.mock.patch.dict(formats.FORMATS, {"fake": _Fake}),
    ):
      outcome = runner.run("fake", first=3, cases=5, seed=0)
    self.assertEqual(outcome.num_faults, faults)
    self.assertEqual(outcome.refused, 5 - faults)
    self.assertLen(outcome.faults, min(faults, 1))
    for what in outcome.faults.values():
      self.assertStartsWith(what, "case 3: ")


class MutateTest(absltest.TestCase):
  def test_a_seed_determines_a_case(self):
    made = json_formats.Task()
    one, two, other = (made.damage(random.Random(n)) for n in (5, 5, 6))
    self.assertEqual(one, two)
    self.assertNotEqual(one, other)

  def test_inserted_values_stay_unchanged(self):
    before = repr(mutate._VALUES)
    for number in range(300):
      mutate.json_text('{"a": [1, []]}', random.Random(number))
    self.assertEqual(repr(mutate._VALUES), before)

  def test_an_unchanged_text_comes_back(self):
    text = '{"a": [1, 2.5, {"b": null}], "a": "x", "": {}, "c": []}'
    self.assertEqual(mutate.dump(mutate.parse(text)), text)


if __name__ == "__main__":
  absltest.main()
