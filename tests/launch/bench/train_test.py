"""Tests of adaland.launch.bench.train."""

import dataclasses

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench import train
from adaland.launch.config import presets


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
    return train.predicted_steps_per_s(self.config, stages, cores)

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
    self.assertEqual(train.steady_rate(rows), 50.0)
    with self.assertRaisesRegex(errors.RunError, "too slow to measure"):
      train.steady_rate(rows[:2])


class InTurnsTest(absltest.TestCase):
  def test_one_device_plays_and_then_learns(self):
    stages = {"actor_steps_per_s": 1000.0, "learner_steps_per_s": 4000.0}
    # 1 ms to play a step, and two times 0.25 ms to learn from it.
    self.assertAlmostEqual(train.predicted_in_turns(stages, 2.0), 1 / 0.0015)

  def test_a_run_compared(self):
    measured = {
      "actor_steps_per_s": 1000.0,
      "actor_steps_per_cpu_s": 1000.0,
      "learner_steps_per_s": 4000.0,
      "learner_steps_per_cpu_s": 2000.0,
      "actor_acting_flop_per_step": 1e9,
      "learner_flop_per_step": 4e9,
      "learner_product_tflop_per_s": 10.0,
      "train_replayed_ratio": 2.0,
      "train_steps_per_s": 500.0,
      "train_accelerators_count": 1.0,
    }
    found = train.compared(presets.smoke(), measured)
    self.assertAlmostEqual(found["train_predicted_steps_per_s"], 1 / 0.0015)
    self.assertAlmostEqual(found["train_ratio"], 500 * 0.0015)
    # 9 GFLOP for each step played, 500 a second, of 10 TFLOP/s.
    self.assertAlmostEqual(found["train_flop_per_step"], 9e9)
    self.assertAlmostEqual(found["train_flop_ratio"], 0.45)
    # Without an accelerator they share the cores, as processes do.
    on_cores = measured | {"train_accelerators_count": 0.0}
    with absltest.mock.patch.object(train, "num_cores", return_value=2):
      found = train.compared(presets.smoke(), on_cores)
    # samples_per_insert = 1: 1 ms + 0.5 ms of processor time a step.
    self.assertAlmostEqual(
      found["train_predicted_steps_per_s"], min(1000.0, 2 / 0.0015)
    )


if __name__ == "__main__":
  absltest.main()
