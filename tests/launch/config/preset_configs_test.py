"""Tests of presets and experiment."""

import dataclasses
import json
import os
import subprocess
import sys
import textwrap

from absl.testing import absltest, parameterized

from adaland.agent.replay.config import ReplayConfig
from adaland.envs import added_rows
from adaland.envs.sampling import named
from adaland.launch import errors
from adaland.launch.config import (
  experiment,
  json_codec,
  overrides,
  preset_configs,
)
from adaland.launch.recipes import task_source


class PresetsTest(parameterized.TestCase):
  @parameterized.parameters(*preset_configs.PRESETS)
  def test_json_round_trip(self, name):
    made = preset_configs.get(name)
    text = json.dumps(json_codec.to_json(made))
    self.assertEqual(
      json_codec.from_json(experiment.ExperimentConfig, json.loads(text)), made
    )

  def test_networks_have_the_ids_of_rows_that_a_user_adds(self):
    program = textwrap.dedent("""
      from adaland.launch.config import experiment, preset_configs
      makers = *preset_configs.PRESETS.values(), experiment.ExperimentConfig
      for make in makers:
        made = make().network
        assert made.num_predicate_ids == 11
        assert made.num_shape_ids == 20
        assert made.entity_shapes == 7
        assert made.entity_shape_ids == (1, 2, 3, 4, 18, 19, 5)
    """)
    done = subprocess.run(
      [sys.executable, "-c", program],
      env=os.environ | {added_rows.VARIABLE: "tests.envs.rows_of_a_user"},
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual(done.returncode, 0, done.stderr)

  def test_unknown_preset_names_the_closest(self):
    with self.assertRaisesRegex(errors.UserError, "mean 'laptop'"):
      preset_configs.get("labtop")

  def test_small_presets_learn_from_whole_episodes(self):
    for name in ("smoke", "laptop", "micro", "gpu"):
      self.assertTrue(preset_configs.get(name).whole_episodes, name)
    self.assertFalse(preset_configs.get("ada_23m").whole_episodes)
    self.assertEqual(preset_configs.get("smoke").longest_episode, 30)

  def test_tasks_of_small_presets_fit_their_environments(self):
    for name in ("smoke", "laptop", "micro", "gpu"):
      made = preset_configs.get(name)
      source = task_source.TaskSource(made)
      for i in range(50):
        task = source.task(i)
        self.assertLessEqual(len(task.rules), made.env.max_rules)
        self.assertLessEqual(task.num_objects, made.env.num_slots)
        self.assertLessEqual(
          task.trials * task.trial_steps, made.longest_episode
        )

  def test_held_out_tasks_of_small_presets_are_of_named_families(self):
    # With few games, a hash of each game would separate the answers of training
    # from held-out ones; tests of named families check that theirs do not.
    for name in ("laptop", "micro", "gpu"):
      self.assertTrue(named.is_named(preset_configs.get(name).tasks.family))

  @parameterized.parameters(
    ("actor.num_actors=0", "actor: num_actors is 0, allowed: 1 to 1024"),
    ("actor.unroll_length=1", "unroll_length is 1, allowed: 2 to 100000"),
    ("run.max_minutes=-1", "max_minutes is -1.0"),
    ("run.eval_trials=1,99", "eval_trials is .* numbers from 1 to 48"),
    ("env.num_slots=2", "env.num_slots is 2, allowed: at least the objects"),
    ("tasks.split=test", "tasks.split is 'test', allowed: train"),
    ("network.action_sizes=2,2", "network.action_sizes"),
    ("replay.batch_size=0", "replay.batch_size is 0"),
    ("learner.learning_rate=0", "learning_rate is 0.0, allowed: above 0"),
    ("curriculum.kind=plrr", "curriculum.kind"),
    ("learner.muesli.gamma=2", "gamma is 2.0, allowed: 0 to 1"),
  )
  def test_bad_values_are_refused(self, setting, message):
    with self.assertRaisesRegex(errors.UserError, message):
      overrides.apply(preset_configs.smoke(), [setting])

  def test_batch_size_goes_by_its_name_in_the_command_s_contract(self):
    changed = overrides.apply(preset_configs.smoke(), ["replay.batch_size=2"])
    self.assertEqual(
      changed.replay,
      dataclasses.replace(preset_configs.smoke().replay, batch_size=2),
    )
    self.assertIsInstance(changed.replay, ReplayConfig)


if __name__ == "__main__":
  absltest.main()
