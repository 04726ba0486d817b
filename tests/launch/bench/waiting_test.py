"""Tests of adaland.launch.bench.waiting; no run is started."""

import dataclasses

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench import waiting
from adaland.launch.bench.lib import bench_run, subprocess_json
from adaland.launch.config import presets

_STAGES = {"actor_steps_per_s": 1000.0, "learner_steps_per_s": 5000.0}


def _config(num_actors=2, **replay):
  base = presets.smoke()
  return dataclasses.replace(
    base,
    actor=dataclasses.replace(base.actor, num_actors=num_actors),
    replay=dataclasses.replace(base.replay, **replay),
  )


class RatioTest(absltest.TestCase):
  def test_supply(self):
    # Two actors play 2000 steps/s; from each, 3 are learned from: 6000 of the
    # 5000 that the learner could do.
    found = waiting.supply(_config(), _STAGES, 3.0)
    self.assertAlmostEqual(found, 1.2)

  def test_is_raised_until_actors_can_do_twice_what_is_asked_for(self):
    config = _config(samples_per_insert=1.0)
    ratio = waiting.samples_per_insert(config, _STAGES)
    self.assertEqual(ratio, 5.0)
    self.assertGreaterEqual(waiting.supply(config, _STAGES, ratio), 2.0)

  def test_is_never_lowered(self):
    config = _config(samples_per_insert=9.0)
    self.assertEqual(waiting.samples_per_insert(config, _STAGES), 9.0)

  def test_a_queue_has_but_one(self):
    queue = {"sampling": "queue", "samples_per_insert": None}
    with self.assertRaisesRegex(errors.UserError, "can play 0.4 times what"):
      waiting.samples_per_insert(_config(**queue), _STAGES)
    many = _config(num_actors=10, **queue)
    self.assertEqual(waiting.samples_per_insert(many, _STAGES), 1.0)


class WaitingTest(absltest.TestCase):
  def test_measures_a_run_with_the_ratio_that_the_stages_ask_for(self):
    config = _config(samples_per_insert=1.0)
    run = bench_run.Steady(500.0, 250.0, 7.0, 2.0, 0.04)
    with (
      absltest.mock.patch.object(
        subprocess_json,
        "run",
        side_effect=[
          {"actor_steps_per_s": 1000.0},
          {"learner_steps_per_s": 5000.0},
        ],
      ) as stages,
      absltest.mock.patch.object(
        bench_run, "measure", return_value=run
      ) as measure,
    ):
      found = waiting.waiting(
        config, "smoke", 10.0, "ray", ["actor.num_actors=2"]
      )
    how = ("--preset=smoke", "--seconds=10.0", "--set", "actor.num_actors=2")
    self.assertEqual(
      [call.args for call in stages.call_args_list],
      [("adaland.launch.bench", what, *how) for what in ("actor", "learner")],
    )
    measure.assert_called_once_with(
      "smoke",
      "ray",
      30.0,
      ("actor.num_actors=2", "replay.samples_per_insert=5.0"),
    )
    self.assertEqual(found["waiting_share_ratio"], 0.04)
    self.assertEqual(found["waiting_samples_per_insert_ratio"], 5.0)
    self.assertEqual(found["waiting_supply_ratio"], 2.0)


if __name__ == "__main__":
  absltest.main()
