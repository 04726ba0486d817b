"""Tests of launch.bench_agent and launch.timing."""

import dataclasses
import time

from absl.testing import absltest

from launch import bench_agent, errors, presets, timing


def _stages(actor, learner, actor_cpu, learner_cpu):
  return {
    "actor_steps_per_s": actor,
    "learner_steps_per_s": learner,
    "actor_steps_per_cpu_s": actor_cpu,
    "learner_steps_per_cpu_s": learner_cpu,
  }


class PredictionTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    base = presets.smoke()
    self.config = dataclasses.replace(
      base,
      actor=dataclasses.replace(base.actor, num_actors=2),
      replay=dataclasses.replace(base.replay, samples_per_insert=4.0),
    )

  def _predict(self, stages, cores):
    return bench_agent.predicted_steps_per_s(self.config, stages, cores)

  def test_the_cores_bound(self):
    # A step costs 1 / 1000 + 4 / 2000 = 3 ms of processor time.
    stages = _stages(1000.0, 4000.0, 1000.0, 2000.0)
    self.assertAlmostEqual(self._predict(stages, 2), 2 / 0.003)

  def test_the_slowest_stage_bounds_where_there_are_cores_enough(self):
    stages = _stages(1000.0, 4000.0, 1000.0, 2000.0)
    self.assertAlmostEqual(self._predict(stages, 100), 4000.0 / 4)
    stages = _stages(300.0, 4000.0, 1000.0, 2000.0)
    self.assertAlmostEqual(self._predict(stages, 100), 2 * 300.0)

  def test_steady_rate_leaves_the_start_out(self):
    rows = [
      {"updates": n, "loss/total": 1.0, "env_steps": s, "seconds": t}
      for n, s, t in ((1, 0, 0), (3, 10, 1), (4, 20, 2), (5, 120, 4))
    ]
    # Of the three rows after the start, the last two.
    self.assertEqual(bench_agent.steady_rate(rows), 50.0)
    with self.assertRaisesRegex(errors.RunError, "too slow to measure"):
      bench_agent.steady_rate(rows[:2])


class TimingTest(absltest.TestCase):
  def test_sleep_takes_time_but_no_processor(self):
    (speed,) = timing.speeds([lambda: time.sleep(0.05)], 0.1)
    self.assertLess(speed.per_second, 20.0)
    self.assertGreater(speed.per_cpu_second, 3 * speed.per_second)


if __name__ == "__main__":
  absltest.main()
