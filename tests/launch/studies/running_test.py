"""Tests of a study's plan; study_test has whole studies."""

import pathlib
from typing import Any

from absl.testing import absltest, parameterized

from adaland.launch.studies import running, study

_TWO = study.Study(
  "Does it matter?",
  (study.Variant("one"), study.Variant("two", teacher="one")),
  {"usual": study.Size("test", 2, minutes=1.0)},
)


def _plan(**length: Any) -> running.Plan:
  size = study.Size("test", 2, "smoke", num_tasks=3, **length)
  return running.Plan(
    "made", _TWO, "usual", size, 1, pathlib.Path("runs"), pathlib.Path("out")
  )


class PlanTest(parameterized.TestCase):
  @parameterized.parameters(
    # A run ends with an update, or a second before its time.
    ({"steps": 12_000}, "env_steps", 11_999, 12_000),
    ({"minutes": 2.0}, "seconds", 118.9, 119.0),
  )
  def test_a_run_is_over_after_its_steps_or_else_its_time(
    self, length, name, before, after
  ):
    plan = _plan(**length)
    for value, over in ((before, False), (after, True)):
      counters = {"env_steps": 1e9, "seconds": 1e9} | {name: value}
      self.assertEqual(plan.is_over(counters), over)

  @parameterized.parameters(
    # A tenth of the length, and 50,000 steps or a minute.
    ({"steps": 10_000}, "env_steps", 61_000, 61_001),
    ({"minutes": 2.0}, "seconds", 192.0, 192.1),
  )
  def test_a_run_may_end_a_little_late(self, length, name, fits, is_longer):
    plan = _plan(**length)
    for value, shorter in ((fits, False), (is_longer, True)):
      counters = {"env_steps": 0, "seconds": 0} | {name: value}
      self.assertEqual(plan.is_shorter_than(counters), shorter)

  def test_people_read_its_length(self):
    self.assertEqual(_plan(steps=12_000).length, "12,000 steps")
    self.assertEqual(_plan(minutes=0.5).length, "0.5 minutes")


class ConfigTest(absltest.TestCase):
  def test_runs_have_the_plan_s_length_and_their_own_seed(self):
    for length, bounds in (
      ({"steps": 12_000}, (12_000, 0.0)),
      ({"minutes": 2.0}, (0, 2.0)),
    ):
      for variant, teacher in zip(
        _TWO.variants, ("", "runs/one-4"), strict=True
      ):
        made = running.config(_plan(**length), variant, seed=4)
        self.assertEqual((made.run.max_steps, made.run.max_minutes), bounds)
        self.assertEqual((made.run.seed, made.run.eval_tasks), (4, 0))
        wanted = str(pathlib.Path(teacher).absolute()) if teacher else ""
        self.assertEqual(made.teaching.agent, wanted)


if __name__ == "__main__":
  absltest.main()
