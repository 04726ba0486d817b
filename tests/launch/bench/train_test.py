"""Tests of adaland.launch.bench.train; no run is started."""

import dataclasses

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench import train
from adaland.launch.bench.lib import run_speed, subprocess_json
from adaland.launch.config import preset_configs


def _stages(actor, learner, actor_cpu, learner_cpu):
  return {
    "actor_steps_per_s": actor,
    "learner_steps_per_s": learner,
    "actor_steps_per_cpu_s": actor_cpu,
    "learner_steps_per_cpu_s": learner_cpu,
  }


def _config(num_actors=2, **replay):
  base = preset_configs.smoke()
  return dataclasses.replace(
    base,
    actor=dataclasses.replace(base.actor, num_actors=num_actors),
    replay=dataclasses.replace(base.replay, **replay),
  )


def _speed(steps_per_s, cores, updates_per_s=1.0, wait_share=0.0):
  return run_speed.Speed(
    steps_per_s, steps_per_s / cores, updates_per_s, cores, wait_share
  )


class PredictionTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.config = _config(num_actors=2)

  def _predict(self, stages, cores):
    return train.predicted_steps_per_s(self.config, stages, cores, 4.0)

  def test_the_cores_bound(self):
    # A step costs 1 / 1000 + 4 / 2000 = 3 ms of processor time.
    stages = _stages(1000.0, 4000.0, 1000.0, 2000.0)
    self.assertAlmostEqual(self._predict(stages, 2), 2 / 0.003)

  def test_the_slowest_stage_bounds_where_there_are_cores_enough(self):
    stages = _stages(1000.0, 4000.0, 1000.0, 2000.0)
    self.assertAlmostEqual(self._predict(stages, 100), 4000.0 / 4)
    stages = _stages(300.0, 4000.0, 1000.0, 2000.0)
    self.assertAlmostEqual(self._predict(stages, 100), 2 * 300.0)


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
    found = train.compare_stages(preset_configs.smoke(), measured)
    self.assertAlmostEqual(found["train_predicted_steps_per_s"], 1 / 0.0015)
    self.assertAlmostEqual(found["train_ratio"], 500 * 0.0015)
    # 9 GFLOP for each step played, 500 per second, of 10 TFLOP/s.
    self.assertAlmostEqual(found["train_flop_per_step"], 9e9)
    self.assertAlmostEqual(found["train_flop_ratio"], 0.45)
    # Without an accelerator they share the cores, like processes.
    on_cores = measured | {"train_accelerators_count": 0.0}
    with absltest.mock.patch.object(train.cores, "num_cores", return_value=2):
      found = train.compare_stages(preset_configs.smoke(), on_cores)
    # samples_per_insert = 1: 1 ms + 0.5 ms of processor time per step.
    self.assertAlmostEqual(
      found["train_predicted_steps_per_s"], min(1000.0, 2 / 0.0015)
    )


class SupplyTest(absltest.TestCase):
  # Two actors play 2000 steps/s.
  stages = _stages(1000.0, 5000.0, 1000.0, 5000.0)

  def test_supply_is_played_over_wanted_steps(self):
    # Each step is learned from 3 times: 6000 per second, of the learner's 5000.
    found = train.supply(_config(), self.stages, 3.0)
    self.assertAlmostEqual(found, 1.2)

  def test_ratio_is_raised_until_actors_can_play_twice_the_wanted_steps(self):
    config = _config(samples_per_insert=1.0)
    ratio = train.ample_samples_per_insert(config, self.stages)
    self.assertEqual(ratio, 5.0)
    self.assertGreaterEqual(train.supply(config, self.stages, ratio), 2.0)

  def test_ratio_is_never_lowered(self):
    config = _config(samples_per_insert=9.0)
    self.assertEqual(train.ample_samples_per_insert(config, self.stages), 9.0)

  def test_a_queue_allows_one_ratio(self):
    queue = {"sampling": "queue", "samples_per_insert": None}
    with self.assertRaisesRegex(errors.UserError, "play 0.4 times the steps"):
      train.ample_samples_per_insert(_config(**queue), self.stages)
    many = _config(num_actors=10, **queue)
    self.assertEqual(train.ample_samples_per_insert(many, self.stages), 1.0)


class LauncherTest(absltest.TestCase):
  def test_by_hand(self):
    local = [_speed(100.0, 2.0), _speed(300.0, 2.0)]
    ray = [_speed(90.0, 1.5), _speed(210.0, 2.0)]
    found = train.compare_launchers(local, ray, 4)
    expected = {
      "ray_local_steps_per_s": 200.0,
      "ray_steps_per_s": 150.0,
      "ray_ratio": 0.75,
      "ray_ratio_spread": 0.9 - 0.7,
      "ray_local_steps_per_cpu_s": 100.0,
      "ray_steps_per_cpu_s": 150.0 / 1.75,
      "ray_cpu_ratio": 1.5 / 1.75,
      "ray_cpu_ratio_spread": 1.2 - 0.7,
      "ray_local_busy_cores": 2.0,
      "ray_busy_cores": 1.75,
      # Without Ray, 1.5 processors would suffice for these 150 steps.
      "ray_extra_cores": 0.25,
      "ray_whole_machine_ratio": 1 - 0.25 / 4,
    }
    self.assertCountEqual(found, expected)
    for name, value in expected.items():
      self.assertAlmostEqual(found[name], value, msg=name)


class TrainTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.config = _config(samples_per_insert=1.0)
    self.stages = self.enter_context(
      absltest.mock.patch.object(
        subprocess_json,
        "run",
        side_effect=lambda module, bench, *flags, env: {
          f"{bench}_steps_per_s": 1000.0,
          f"{bench}_steps_per_cpu_s": 1000.0,
        },
      )
    )
    self.measure = self.enter_context(
      absltest.mock.patch.object(
        run_speed, "measure", return_value=_speed(400.0, 2.0, 7.0, 0.04)
      )
    )
    self.enter_context(
      absltest.mock.patch.object(train.cores, "num_cores", return_value=2)
    )

  def test_a_run_is_compared_with_its_stages(self):
    found = train.train(self.config, "smoke", 10.0, "ray", ["run.seed=3"])
    flags = (
      "--launcher=local",
      *("--preset=smoke", "--seconds=10.0", "--set", "run.seed=3"),
    )
    self.assertEqual(
      [call.args for call in self.stages.call_args_list],
      [("adaland.launch.bench", name, *flags) for name in ("actor", "learner")],
    )
    self.measure.assert_called_once_with("smoke", "ray", 50.0, ["run.seed=3"])
    # A step costs 1 ms to play and 1 ms to learn from, on two cores.
    self.assertAlmostEqual(found["train_predicted_steps_per_s"], 1000.0)
    self.assertAlmostEqual(found["train_steps_per_s"], 400.0)
    self.assertAlmostEqual(found["train_ratio"], 0.4)
    self.assertEqual(found["train_updates_per_s"], 7.0)
    self.assertEqual(found["train_busy_cores"], 2.0)
    self.assertEqual(found["train_wait_ratio"], 0.04)
    self.assertEqual(found["train_supply_ratio"], 2.0)

  def test_ample_actors_raise_the_ratio_of_the_run(self):
    config = _config(num_actors=1, samples_per_insert=1.0)
    found = train.train(config, "smoke", 10.0, "local", (), ample_actors=True)
    self.measure.assert_called_once_with(
      "smoke", "local", 50.0, ("replay.samples_per_insert=2.0",)
    )
    self.assertEqual(found["train_samples_per_insert_ratio"], 2.0)
    self.assertEqual(found["train_supply_ratio"], 2.0)

  def test_launchers_are_compared_in_turns_with_the_same_settings(self):
    found = train.train(
      self.config, "smoke", 10.0, "ray", ["run.seed=3"], versus_local=True
    )
    self.assertEqual(
      [call.args for call in self.measure.call_args_list],
      [
        ("smoke", launcher, 50.0, ["run.seed=3"])
        for launcher in ("local", "ray", "local", "ray")
      ],
    )
    self.assertEqual(found["ray_ratio"], 1.0)


if __name__ == "__main__":
  absltest.main()
