"""Tests that every row of the table of studies makes runs that may start."""

import dataclasses
import pathlib

from absl.testing import absltest, parameterized

from adaland.agent.config import MEMORIES
from adaland.launch.evaluation import tasksets
from adaland.launch.recipes import task_source
from adaland.launch.studies import running, sizes, study, table

_TWO = (study.Variant("a"), study.Variant("b"))
_SIZE = study.Size("traps", trials=2, minutes=1.0)
_SIZES = [
  (name, size) for name, row in table.STUDIES.items() for size in row.sizes
]


def _plan(name, size="laptop"):
  row = table.STUDIES[name]
  return running.Plan(
    name,
    row,
    size,
    row.sizes[size],
    seeds=2,
    runs=pathlib.Path("runs"),
    out=pathlib.Path("out"),
  )


class StudiesTest(parameterized.TestCase):
  @parameterized.parameters(*_SIZES)
  def test_every_variant_has_a_config(self, name, size):
    plan = _plan(name, size)
    made = [running.config(plan, each, 1) for each in plan.study.variants]
    for variant, config in zip(plan.study.variants, made, strict=True):
      self.assertEqual(config.run.seed, 1)
      self.assertEqual(config.run.max_minutes, plan.size.minutes)
      self.assertEqual(config.run.max_steps, plan.size.steps)
      whole = plan.size is not sizes.MANY_MICRO
      self.assertEqual(config.whole_episodes, whole)
      if variant.teacher:
        path = pathlib.Path("runs", f"{variant.teacher}-1").absolute()
        self.assertEqual(config.teaching.agent, str(path))
    self.assertLen(set(made), len(made), "two variants are the same")

  @parameterized.parameters(*_SIZES)
  def test_tasks_fit_and_have_as_many_trials(self, name, size):
    plan = _plan(name, size)
    config = running.config(plan, plan.study.variants[0], 0)
    source = task_source.TaskSource(config, held_out=True)
    for task in tasksets.many(plan.size.taskset, source, 20):
      task_source.check_room(task, config.env, "the study's")
      self.assertEqual(task.trials, plan.size.trials)

  def test_all_memories_are_compared(self):
    made = [
      running.config(_plan("memories"), variant, 0).network.memory
      for variant in table.STUDIES["memories"].variants
    ]
    self.assertEqual(tuple(made), MEMORIES)

  @parameterized.parameters(
    ({"variants": _TWO[:1]}, "two or more"),
    ({"variants": (*_TWO, study.Variant("a"))}, "with different names"),
    ({"variants": (*_TWO, study.Variant("expert"))}, "no player has"),
    (
      {"variants": (study.Variant("a", teacher="b"), study.Variant("b"))},
      "teacher of 'a' is 'b', allowed: an earlier variant",
    ),
    ({"sizes": {}}, "sizes is {}, allowed: one or more"),
  )
  def test_bad_studies_are_refused(self, fields, message):
    made = study.Study("?", _TWO, {"laptop": _SIZE})
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(made, **fields)

  @parameterized.parameters(
    ({"trials": 0}, "trials is 0, allowed: above 0"),
    ({"steps": 5}, r"\(minutes, steps\) is \(1.0, 5\), allowed: one above 0"),
    ({"minutes": 0.0}, r"steps\) is \(0.0, 0\), allowed: one above 0"),
  )
  def test_bad_sizes_are_refused(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(_SIZE, **fields)

  def test_names_are_fit_for_files(self):
    with self.assertRaisesRegex(ValueError, "lower-case letters"):
      study.Variant("a/b")


if __name__ == "__main__":
  absltest.main()
