"""Tests of adaland.launch.bench.ray_speed; no run is started."""

from absl.testing import absltest

from adaland.launch.bench import ray_speed
from adaland.launch.bench.lib import bench_run


def _run(steps_per_s, cores):
  return bench_run.Steady(steps_per_s, steps_per_s / cores, 1.0, cores, 0.0)


class OverheadTest(absltest.TestCase):
  def test_launchers_take_turns_with_the_same_settings(self):
    with absltest.mock.patch.object(
      bench_run, "measure", return_value=_run(100.0, 2.0)
    ) as measure:
      found = ray_speed.overhead("smoke", 30.0, ["actor.num_actors=2"])
    self.assertEqual(
      [call.args for call in measure.call_args_list],
      [
        ("smoke", launcher, 30.0, ["actor.num_actors=2"])
        for launcher in ("local", "ray", "local", "ray")
      ],
    )
    self.assertEqual(found["ray_ratio"], 1.0)

  def test_by_hand(self):
    local = [_run(100.0, 2.0), _run(300.0, 2.0)]
    ray = [_run(90.0, 1.5), _run(210.0, 2.0)]
    found = ray_speed.compare(local, ray, 4)
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
      # Without Ray, 1.5 processors would do for these 150 steps.
      "ray_extra_cores": 0.25,
      "ray_whole_machine_ratio": 1 - 0.25 / 4,
    }
    self.assertCountEqual(found, expected)
    for name, value in expected.items():
      self.assertAlmostEqual(found[name], value, msg=name)


if __name__ == "__main__":
  absltest.main()
