"""Tests of stages: shares by hand, stages of a small batch."""

import dataclasses

from absl.testing import absltest

from adaland.envs.stepping import stages
from adaland.launch.bench.lib.stages import engine_ratio, stage_ms
from tests.envs import fixtures


class EngineRatioTest(absltest.TestCase):
  def test_leaves_out_physics_rays_tasks_and_python(self):
    ratio = engine_ratio(
      {
        "control": 1.0,
        "physics": 40.0,
        "sight": 2.0,
        "sight_rays": 8.0,
        "finish": 3.0,
        "renew": 1.5,
        "load": 6.0,
        "picture_rays": 20.0,
        "shading": 2.0,
        "something_new": 0.5,
        "host": 16.0,
        "step": 100.0,
      }
    )
    self.assertEqual(ratio, 0.1)


class StageTest(absltest.TestCase):
  def test_every_stage_of_a_step(self):
    config = dataclasses.replace(
      fixtures.CONFIG, observation="pixels", pixels=(8, 6)
    )
    world = fixtures.make_land(fixtures.busy_task(), config=config)
    world.reset()
    for _ in range(16):  # Into the second trial, when everything is compiled.
      world.step(fixtures.noop())
    before = (stages.finish, stages.sight_lines, world.physics.rays)
    steps = []

    def step():
      steps.append(world.step(fixtures.noop()))

    found = stage_ms(world, step, 1.0)
    self.assertLessEqual(
      {"control", "physics", "sight", "finish", "picture_rays", "shading"},
      set(found),
    )
    for name, taken in found.items():
      self.assertGreater(taken, 0, name)
    whole = found.pop("step")
    self.assertAlmostEqual(sum(found.values()), whole)
    self.assertLess(whole * len(steps), 60e3)
    # Everything is as it was.
    self.assertEqual(
      (stages.finish, stages.sight_lines, world.physics.rays), before
    )


if __name__ == "__main__":
  absltest.main()
