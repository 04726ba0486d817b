"""Tests of adaland.envs.adaptors.gymnasium_make."""

import pathlib
import warnings

import gymnasium
import numpy as np
from absl.testing import absltest, parameterized
from gymnasium.utils import env_checker

from adaland.envs.adaptors import (
  gymnasium_env,
  gymnasium_vector,
  registration,
)
from adaland.envs.sampling import heldout
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import json_files, probes
from adaland.envs.tasks.task import Task
from tests.envs import fixtures

_SIZES = {"num_slots": 6, "max_rules": 6, "num_threads": 1}


def function(index):
  return Task.of(
    "hold(player1, black cube)", ["black cube"], tiles=(4, 4), name=str(index)
  )


def make(name, **arguments):
  env = gymnasium.make(f"adaland/{name}-v0", **arguments).unwrapped
  assert isinstance(env, gymnasium_env.LandEnv)
  return env


class MakeTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    registration.register()

  def test_probe_passes_gymnasiums_checker(self):
    env = make("Probe", probe="dont-act", **_SIZES)
    with warnings.catch_warnings():
      warnings.simplefilter("error")
      warnings.filterwarnings("ignore", message=".*infinity")
      env_checker.check_env(env)
    self.assertEqual(env.task, probes.load("dont-act"))

  def test_file(self):
    path = pathlib.Path(self.create_tempdir().full_path, "task.json")
    task = fixtures.busy_task()
    json_files.save(path, task)
    env = make("File", file=path, **_SIZES)
    env.reset(seed=0)
    self.assertEqual(env.task, task)

  @parameterized.parameters(("Train", False), ("Test", True))
  def test_sampled_tasks_are_of_their_half(self, name, is_held_out):
    config = SamplerConfig(
      tiles=(5, 6), levels=(1, 1), distractors=(0, 1), max_objects=6
    )
    envs = gymnasium.make_vec(
      f"adaland/{name}-v0", num_envs=2, tasks=config, **_SIZES
    ).unwrapped
    assert isinstance(envs, gymnasium_vector.LandVectorEnv)
    for seed in range(3):
      envs.reset(seed=seed)
      for task in envs.tasks:
        self.assertEqual(heldout.is_heldout_game(task), is_held_out)

  def test_batch_equals_single_environments_in_its_spaces(self):
    envs = gymnasium.make_vec(
      "adaland/Train-v0", num_envs=2, tasks=function, **_SIZES
    )
    synced = gymnasium.make_vec(
      "adaland/Train-v0",
      num_envs=2,
      vectorization_mode="sync",
      tasks=function,
      **_SIZES,
    )
    self.assertEqual(envs.observation_space, synced.observation_space)
    self.assertEqual(envs.action_space, synced.action_space)
    for batch in (envs, synced):
      observation, _ = batch.reset(seed=0)
      self.assertTrue(batch.observation_space.contains(observation))
      observation, *_ = batch.step(fixtures.noop())
      self.assertTrue(batch.observation_space.contains(observation))
    self.assertTrue(np.isfinite(observation["entities"]).all())

  @parameterized.parameters(
    ("Probe", {"probe": "dont-ac"}, ValueError, "no probe is named 'dont-ac'"),
    ("Probe", {"probe": 3}, ValueError, "probe is 3, allowed: a probe's name"),
    ("Probe", {}, TypeError, "adaland/Probe-v0 needs the keyword 'probe'"),
    (
      "Probe",
      {"probe": "dont-act", "slots": 3},
      TypeError,
      "Probe-v0 has no keyword 'slots', allowed: probe, num_slots, ",
    ),
    ("File", {"file": "/no/file"}, ValueError, "/no/file: No such file"),
    ("Train", {"tasks": 3}, ValueError, "task family is 3"),
    ("Train", {"num_slots": 0}, ValueError, "num_slots is 0, allowed: 1 to"),
  )
  def test_refuses(self, name, arguments, kind, message):
    with self.assertRaisesRegex(kind, message):
      make(name, **arguments)


if __name__ == "__main__":
  absltest.main()
