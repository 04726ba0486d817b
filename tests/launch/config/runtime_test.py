"""Tests of adaland.launch.config.runtime: bounds, and a run's progress."""

import math
import re

from absl.testing import absltest, parameterized

from adaland.launch.config import runtime


class BoundsTest(parameterized.TestCase):
  @parameterized.parameters(
    (runtime.ActorConfig, "num_actors", (1, 1024), (0, 1025)),
    (runtime.ActorConfig, "envs_per_actor", (1, 65_536), (0, 65_537)),
    (runtime.ActorConfig, "unroll_length", (2, 100_000), (1, 100_001)),
    (runtime.ActorConfig, "params_poll_seconds", (1e-3, 60), (0, 60.5)),
    (runtime.RunConfig, "seed", (0, 2**31 - 1), (-1, 2**31)),
    (runtime.RunConfig, "max_steps", (0, 10**12), (-1,)),
    (runtime.RunConfig, "max_minutes", (0, 0.1), (-1, math.inf, math.nan)),
    (runtime.RunConfig, "publish_updates", (1,), (0,)),
    (runtime.RunConfig, "checkpoint_minutes", (0.01,), (0, math.nan)),
    (runtime.RunConfig, "log_seconds", (0.01,), (0, math.nan)),
    (runtime.RunConfig, "eval_tasks", (0, 100_000), (-1, 100_001)),
    (runtime.RunConfig, "eval_trials", ((1, 48),), ((), (0,), (1, 49))),
    (runtime.ClusterConfig, "num_learners", (1, 1024), (0, 1025)),
    (runtime.ClusterConfig, "actor_cpus", (0, 0.5), (-1, math.inf)),
    (runtime.ClusterConfig, "learner_cpus", (0, 2), (-1, math.inf)),
    (runtime.ClusterConfig, "learner_gpus", (None, 0, 1), (-1,)),
    (runtime.ClusterConfig, "replay_cpus", (0, 2), (-1, math.inf)),
    (runtime.ClusterConfig, "evaluator_cpus", (0, 2), (-1, math.inf)),
    (runtime.ClusterConfig, "eval_minutes", (0, 0.1), (-1, math.inf)),
    (runtime.ClusterConfig, "eval_tasks", (1, 10_000), (0, 10_001)),
    (runtime.ClusterConfig, "ready_seconds", (1, 1e6), (0.5, math.inf)),
    (runtime.ClusterConfig, "hung_seconds", (1, 1e6), (0.5, math.inf)),
    (runtime.DeviceConfig, "memory_fraction", (0.05, 0.95), (0.04, 0.96)),
  )
  def test_bounds(self, kind, name, allowed, refused):
    for value in allowed:
      self.assertEqual(getattr(kind(**{name: value}), name), value)
    for value in refused:
      message = rf"^{name} is {re.escape(repr(value))}, allowed: \S"
      with self.assertRaisesRegex(ValueError, message):
        kind(**{name: value})


class RunConfigTest(absltest.TestCase):
  def test_numbers_of_trials_are_in_order_each_once(self):
    made = runtime.RunConfig(eval_trials=(3, 1, 1))
    self.assertEqual(made.eval_trials, (1, 3))

  def test_progress_is_the_share_of_steps_or_else_of_time(self):
    for bounds, progress in (
      ({"max_steps": 200, "max_minutes": 1}, 0.25),
      ({"max_steps": 40, "max_minutes": 1}, 1.0),
      ({"max_steps": 0, "max_minutes": 10}, 0.15),
      ({"max_steps": 0, "max_minutes": 1}, 1.0),
      ({"max_steps": 0, "max_minutes": 0}, 0.0),
    ):
      made = runtime.RunConfig(**bounds)
      self.assertAlmostEqual(made.progress(steps=50, seconds=90), progress)


if __name__ == "__main__":
  absltest.main()
