"""Tests of saved_agent: which teachers a run takes."""

import dataclasses
import json
import os
import pathlib
import sys
from unittest import mock

import chex
import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import builder, errors
from adaland.launch.agents import agent_dir, saved_agent
from adaland.launch.config import overrides, preset_configs
from adaland.launch.run import rundir
from tests.launch.agents import examples

_SMOKE = preset_configs.smoke()


class CheckTeacherTest(parameterized.TestCase):
  def test_sizes_of_the_network_may_differ(self):
    larger = overrides.apply(_SMOKE, ["network.d_model=32"])
    saved_agent.check_teacher(larger, _SMOKE)

  @parameterized.parameters(
    ("env.max_rules=4", r"'rules' is \[4, 14\], allowed: .* \[3, 14\]"),
    ("env.num_slots=9", r"'entities' is \[9, 14\], .* \[6, 14\]"),
    ("env.observation=pixels", "observation 'entities' is missing"),
  )
  def test_other_observations_are_named(self, setting, message):
    other = overrides.apply(_SMOKE, [setting])
    with self.assertRaisesRegex(errors.UserError, message):
      saved_agent.check_teacher(other, _SMOKE)

  def test_other_heads_are_named(self):
    network = dataclasses.replace(_SMOKE.network)
    object.__setattr__(network, "action_sizes", (3, 3))
    other = dataclasses.replace(_SMOKE)
    object.__setattr__(other, "network", network)
    with self.assertRaisesRegex(errors.UserError, r"sizes \(3, 3\), allowed"):
      saved_agent.check_teacher(other, _SMOKE)


class PublishedTest(parameterized.TestCase):
  @parameterized.parameters(
    ("/data/me/runs/pre/seed1", "/data/me/runs/rl/seed1", "pre/seed1"),
    ("/data/me/runs/first", "/data/me/runs/second", "first"),
    ("/data/me/first", "/data/me/first/second", "first"),
    ("/data/me/first/start", "/data/me/first", "first/start"),
    ("/tmp/a/first", "/data/me/runs/second", "first"),
    ("/data/you/first", "/data/me/second", "first"),
    ("/home/you/all/first", "/home/me/second", "first"),
    ("/srv/users/me/first", "/srv/users/me/runs/second", "first"),
    ("/srv/users/you/first", "/srv/users/me/second", "first"),
    ("runs/first", "/data/me/runs/second", "runs/first"),
    (str(agent_dir.SHIPPED / "laptop"), "/data/me/second", "agent:laptop"),
    ("laptop", "/data/me/second", "agent:laptop"),
    ("agent:laptop", "/data/me/second", "agent:laptop"),
  )
  def test_an_agent_s_name_tells_nothing_of_its_author(self, name, run, told):
    with mock.patch.dict(os.environ, HOME="/srv/users/me"):
      self.assertEqual(saved_agent.published_name(name, run), told)

  def test_a_user_without_a_home_may_name_an_agent(self):
    with mock.patch.object(os.path, "expanduser", lambda path: path):
      told = saved_agent.published_name("/data/me/a/first", "/data/me/b/second")
    self.assertEqual(told, "a/first")

  def test_agents_in_a_config(self):
    self.assertIs(saved_agent.published(_SMOKE, "run"), _SMOKE)
    for start, told in (("/data/me/runs/a", "a"), ("laptop", "laptop")):
      config = overrides.update(
        _SMOKE,
        {"run.start_from": start, "teaching.teacher": f"agent:{start}"},
      )
      found = saved_agent.published(config, "/data/me/runs/b")
      self.assertEndsWith(found.run.start_from, told)
      self.assertEqual(found.teaching.teacher, f"agent:{told}")
      self.assertNotIn("/", found.run.start_from)


class StartTest(absltest.TestCase):
  def config(self, place, *settings):
    return overrides.apply(_SMOKE, [f"run.start_from={place}", *settings])

  def run_of_smoke(self):
    folder = pathlib.Path(self.create_tempdir().full_path, "run")
    examples.run(folder)
    return folder

  def test_a_run_starts_from_the_parameters_of_another(self):
    config = self.config(self.run_of_smoke(), "run.seed=5")
    made = builder.agent(config)
    learner = builder.learner(config, made.network)
    state = builder.first_state(config, made, learner)
    wanted = learner.init(jax.random.PRNGKey(3)).params  # Like `examples.run`.
    drawn = learner.init(jax.random.PRNGKey(5))
    chex.assert_trees_all_equal(state.params, wanted)
    chex.assert_trees_all_equal(state.target_params, wanted)
    chex.assert_trees_all_equal(state.rng_key, drawn.rng_key)
    again = builder.first_state(config, made, learner, resumes=True)
    chex.assert_trees_all_equal(again.params, drawn.params)

  def test_a_pair_memory_may_be_added_and_plays_no_part_at_first(self):
    config = self.config(self.run_of_smoke(), "network.pair_memory=true")
    made = builder.agent(config)
    params = builder.starting_params(config, made)
    shapes = jax.eval_shape(made.network.init, jax.random.PRNGKey(0))
    chex.assert_trees_all_equal_shapes_and_dtypes(params, shapes)
    for module in ("encoder/in_pairs", "encoder/entities/pairs"):
      self.assertEqual(np.abs(params[module]["w"]).max(), 0)

  def test_bad_starts_are_one_line(self):
    folder = self.run_of_smoke()
    for place, settings, message in (
      (f"{folder}/none", (), f"run.start_from={folder}/none: no such"),
      (folder, ["network.d_model=32"], "have shape .*, allowed: this run's"),
      (folder, ["network.num_layers=2"], "have shape none, allowed"),
      (
        folder,
        ["learner.muesli.value_range=7"],
        "its learner.muesli.value_range is .*, allowed: this run's, 7",
      ),
    ):
      config = self.config(place, *settings)
      with self.assertRaisesRegex(errors.UserError, message) as caught:
        builder.starting_params(config, builder.agent(config))
      self.assertNotIn("\n", str(caught.exception))


class TeacherTest(absltest.TestCase):
  def config(self, place):
    return overrides.apply(
      _SMOKE,
      [
        f"teaching.teacher=agent:{place}",
        "learner.privileged.distillation_weight=1",
      ],
    )

  def test_a_run_teaches(self):
    folder = pathlib.Path(self.create_tempdir().full_path, "run")
    examples.run(folder)
    saved = builder.teacher(self.config(folder))
    self.assertEqual(saved.training.env_steps, 120)
    # Of its own parts, only a memory would be needed, so none is imported.
    path = rundir.RunDir(str(folder)).config
    content = json.loads(path.read_text())
    content["config"]["factories"]["environment"] = "antigravity:fly"
    path.write_text(json.dumps(content))
    saved = builder.teacher(self.config(folder))
    self.assertEqual(saved.config.factories.environment, "antigravity:fly")
    self.assertNotIn("antigravity", sys.modules)

  def test_bad_teachers_are_one_line(self):
    folder = self.create_tempdir().full_path
    for place, message in (
      (f"{folder}/none", f"teaching.teacher=agent:{folder}/none: .*no such"),
      ("labtop", "no such directory or agent, .* did you mean 'laptop'"),
      ("laptop", "its observation 'entities'|its observation 'rules'"),
    ):
      with self.assertRaisesRegex(errors.UserError, message) as caught:
        builder.teacher(self.config(place))
      self.assertNotIn("\n", str(caught.exception))

  def test_names_of_shipped_agents_come_first(self):
    self.assertIn("laptop", agent_dir.names())
    self.assertEqual(saved_agent.workdir_of("laptop"), "agent:laptop")
    self.assertEqual(saved_agent.workdir_of("agent:laptop"), "agent:laptop")
    self.assertEqual(saved_agent.whole_path("agent:laptop"), "agent:laptop")
    folder = self.create_tempdir().full_path
    self.assertEqual(saved_agent.workdir_of(folder), folder)


if __name__ == "__main__":
  absltest.main()
