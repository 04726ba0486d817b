"""Tests of the table of studies: every row makes runs that may start."""

import dataclasses
import pathlib

from absl.testing import absltest, parameterized

from adaland.agent.config import MEMORIES
from adaland.launch.studies import running, table

_TWO = (table.Variant("a"), table.Variant("b"))


def _plan(name):
  return running.Plan(
    name,
    table.STUDIES[name],
    seeds=2,
    minutes=1.0,
    runs=pathlib.Path("runs"),
    out=pathlib.Path("out"),
    launcher="local",
  )


class StudiesTest(parameterized.TestCase):
  @parameterized.parameters(*table.STUDIES)
  def test_every_variant_has_a_config(self, name):
    plan = _plan(name)
    made = [running.config(plan, each, 1) for each in plan.study.variants]
    for variant, config in zip(plan.study.variants, made, strict=True):
      self.assertEqual(config.run.seed, 1)
      self.assertEqual(config.run.max_minutes, 1.0)
      if variant.teacher:
        path = pathlib.Path("runs", f"{variant.teacher}-1").absolute()
        self.assertEqual(config.teaching.agent, str(path))
    self.assertLen(set(made), len(made), "two variants are the same")

  def test_all_memories_are_compared(self):
    made = [
      running.config(_plan("memories"), variant, 0).network.memory
      for variant in table.STUDIES["memories"].variants
    ]
    self.assertEqual(tuple(made), MEMORIES)

  @parameterized.parameters(
    ({"variants": _TWO[:1]}, "two or more"),
    ({"variants": (*_TWO, table.Variant("a"))}, "of unlike names"),
    ({"variants": (*_TWO, table.Variant("expert"))}, "name of a player"),
    (
      {"variants": (table.Variant("a", teacher="b"), table.Variant("b"))},
      "teacher='b' of 'a': must be an earlier variant",
    ),
    ({"trials": 0}, "trials=0: must be above 0"),
  )
  def test_bad_studies_are_refused(self, fields, message):
    study = table.Study("?", "smoke", _TWO, "traps", trials=2)
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(study, **fields)

  def test_names_are_fit_for_files(self):
    with self.assertRaisesRegex(ValueError, "small letters"):
      table.Variant("a/b")


if __name__ == "__main__":
  absltest.main()
