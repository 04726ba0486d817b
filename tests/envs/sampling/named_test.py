"""Tests of adaland.envs.sampling.named."""

import hashlib
import json

from absl.testing import absltest, parameterized

from adaland.envs.sampling import candidates, families, named
from adaland.envs.tasks import json_files


class NamedTest(parameterized.TestCase):
  def test_names(self):
    for name, kind in named.FAMILIES.items():
      self.assertEqual(named.parse(name), ((kind(), 1),))
      self.assertTrue(named.is_named(name))
    self.assertLen(named.parse("mixture"), 6)

  def test_fields(self):
    family = candidates.Chain(
      candidates=3, tiles=(6, 6), trials=(1, 4), trial_seconds=7.5, places=1
    )
    text = "chain:candidates=3, tiles=6,trials=1-4,trial_seconds=7.5,places=1"
    self.assertEqual(named.parse(text), ((family, 1),))

  def test_mixtures(self):
    text = "3*traps:candidates=4 + 2*find"
    self.assertEqual(
      named.parse(text),
      ((candidates.Traps(candidates=4), 3), (candidates.Find(), 2)),
    )
    weights = [n for _, n in named.parse("2*mixture+traps")]
    self.assertEqual(weights, [2] * 6 + [1])
    mixed = families.make(text)
    self.assertIsInstance(mixed, families.TaskMixture)
    names = [mixed.held_out().task(i).name.split()[0] for i in range(5)]
    self.assertCountEqual(names, ["traps"] * 3 + ["find"] * 2)
    self.assertEqual(families.make("find"), candidates.Find())

  def test_fields_of_a_composite_are_those_of_all_its_families(self):
    wide = named.parse("2*wide:trials=2,trial_seconds=3")
    self.assertEqual({family.trials for family, _ in wide}, {(2, 2)})
    self.assertEqual({family.trial_seconds for family, _ in wide}, {3.0})
    rooms = [family.tiles for family, _ in named.parse("wide")]
    self.assertEqual([family.tiles for family, _ in wide], rooms)
    self.assertEqual([n for _, n in wide], [2, 2, 4, 4, 4, 4, 4])
    self.assertEqual(named.parse("many:trials=48")[0][0].max_steps, 48 * 30)

  def test_wide_tasks_have_one_to_four_rules(self):
    tasks = families.make("wide").held_out()
    rules = [len(tasks.task(i).rules) for i in range(12)]
    self.assertEqual(set(rules), {1, 2, 3, 4})
    self.assertEqual(rules.count(4), 8)

  @parameterized.parameters(
    ("traps", "5117e33edcf0ee2c"),
    ("find", "d413052c1a814598"),
    ("fetch", "bcf17e9d6435fb2d"),
    ("chain", "7b4613cfe38b7836"),
    ("mixture", "5d1f1f7d3c2df813"),
    ("wide", "99b3efa83f048b32"),
    ("many", "d798d6300cedcf62"),
    # The tasks of the shipped agent.
    (
      "6*traps+2*traps:trials=1-3+traps:candidates=4+traps:candidates=5",
      "4bb39fb5f75c5f4f",
    ),
  )
  def test_tasks_never_change(self, name, expected):
    # Published scores and the shipped agent depend on exactly these tasks.
    family = families.make(name)
    digest = hashlib.sha256()
    for half in (family.training(), family.held_out()):
      for index in (0, 1, 2, 999, 12345):
        fields = json_files.to_json(half.task(index))
        fields["format"] = "adaland.task/1"  # The version may change.
        digest.update(json.dumps(fields, sort_keys=True).encode())
    self.assertEqual(digest.hexdigest()[:16], expected)

  def test_the_first_name_decides(self):
    self.assertTrue(named.is_named("3*traps:trials=2+5*hunt"))
    self.assertFalse(named.is_named("3*hunt:trials=2+5*traps"))
    self.assertEqual(named.parse(" 2 * find"), ((candidates.Find(), 2),))

  def test_a_close_name_is_suggested(self):
    self.assertRegex(named.unknown("2*trap+find"), "did you mean 'traps'.$")
    self.assertRegex(named.unknown("hold"), "or a folder of task files$")

  @parameterized.parameters("./traps", "trap", "my/find", "", "test", "/traps")
  def test_other_names_are_no_families(self, text):
    self.assertFalse(named.is_named(text))

  @parameterized.parameters(
    ("traps+hunt", "'traps\\+hunt': no family 'hunt', allowed: traps, find"),
    ("traps:size=3", "traps has no field 'size', allowed: candidates, tiles"),
    ("find:places=3", "find has no field 'places', allowed: candidates"),
    ("traps:candidates", 'candidates is "", allowed: a whole number'),
    ("traps:candidates=1.5", 'is "1.5", allowed: a whole number'),
    (
      "traps:candidates=8",
      "^'traps:candidates=8': candidates is 8, allowed: 2 to 7",
    ),
    ("find:candidates=0", "candidates is 0, allowed: 1 to 7"),
    ("wide:places=2", "find has no field 'places', allowed: candidates"),
    ("traps:trial_seconds=x", 'trial_seconds is "x", allowed: a number'),
    ("traps:trial_seconds=nan", "trial_seconds is nan, allowed: 2 to 40"),
    ("traps:tiles=4-x", 'tiles is "4-x", allowed: first-last, as 4-6'),
    ("traps:tiles=5-", 'tiles is "5-", allowed: first-last, as 4-6'),
    ("traps:tiles=9-4", r"tiles is \(9, 4\), allowed"),
    ("x*traps", "weight 'x' is not allowed: a whole number"),
    ("traps+", "no family '', allowed"),
    ("0*traps", "'0\\*traps': weight is 0, allowed: 1 to 1000"),
    ("1001*traps+find", "weight is 1001, allowed: 1 to 1000"),
    ("traps:candidates=2,candidates=4", "candidates is given twice, allowed"),
  )
  def test_refuses(self, text, message):
    with self.assertRaisesRegex(ValueError, message):
      named.parse(text)


if __name__ == "__main__":
  absltest.main()
