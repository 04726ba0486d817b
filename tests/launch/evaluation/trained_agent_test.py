"""Tests of trained_agent; train_test loads the agent of a real run."""

import json
import math
import pathlib
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants, land
from adaland.envs.tasks.task import (
  Literal,
  ObjectSpec,
  ObjectType,
  Player,
  PlayerSpec,
  Rule,
)
from adaland.launch import errors
from adaland.launch.agents import saved_agent
from adaland.launch.config import json_codec, preset_configs
from adaland.launch.evaluation import trained_agent
from adaland.launch.run import rundir
from tests.launch import fakes

_CUBE = ObjectType.from_name("black cube")
_GOAL = Literal("near", Player(1), _CUBE)
_TWO = (PlayerSpec(_GOAL), PlayerSpec(_GOAL))


class LoadConfigTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.workdir = self.create_tempdir().full_path + "/run"
    rundir.RunDir(self.workdir).begin(preset_configs.smoke())

  def test_round_trip(self):
    self.assertEqual(
      trained_agent.load_config(self.workdir), preset_configs.smoke()
    )

  def test_the_directory_is_a_path(self):
    refused: Any = (None, 5)
    for given in refused:
      with self.assertRaisesRegex(
        errors.UserError, f"workdir is {given}, allowed: a path, or agent:NAME"
      ):
        trained_agent.load_agent(given)

  def test_a_field_of_another_version_is_named(self):
    file = pathlib.Path(self.workdir, "config.json")
    content = json.loads(file.read_text())
    content["config"]["run"]["colour"] = 1
    file.write_text(json.dumps(content))
    with self.assertRaisesRegex(
      errors.UserError, r"config.json: run.colour: no such field"
    ):
      trained_agent.load_config(self.workdir)

  def test_a_config_is_no_checkpoint(self):
    made = json_codec.to_json(preset_configs.smoke())
    self.assertEqual(rundir.RunDir(self.workdir).read_config(), made)
    with (
      absltest.mock.patch.multiple(
        trained_agent.builder,
        agent=absltest.mock.DEFAULT,
        learner=absltest.mock.DEFAULT,
      ),
      absltest.mock.patch.object(saved_agent.jax, "eval_shape"),
      self.assertRaisesRegex(errors.UserError, f"^workdir={self.workdir}: "),
    ):
      trained_agent.load(self.workdir)


class TrainedAgentTest(parameterized.TestCase):
  def make(self, **arguments):
    return trained_agent.TrainedAgent(
      preset_configs.smoke(), "params", {}, **arguments
    )

  @parameterized.parameters(0, -1, math.nan, 101, 1e-50, "1")
  def test_temperatures_that_are_refused(self, temperature):
    with self.assertRaisesRegex(
      errors.UserError,
      f"^temperature is {temperature!r}, allowed: a number from 0.0001 to 100$",
    ):
      self.make(temperature=temperature)

  def test_temperatures_and_seeds_that_are_taken(self):
    for temperature in (0.01, 1, np.float32(0.5), 100):
      self.make(temperature=temperature)
    self.make(seed=np.int64(3))

  def test_it_acts_with_its_seed_and_temperature_in_any_number_of_rows(self):
    agent = self.make(seed=3, temperature=0.5)
    with absltest.mock.patch.object(trained_agent.policies, "Agent") as make:
      for rows in (2, 2, 5):
        agent.act(absltest.mock.Mock(first=np.zeros(rows, bool)))
    # A batch of another size is a new one.
    self.assertEqual(
      [call.args[1:] for call in make.call_args_list],
      [("params", 2, 3, 0.5), ("params", 5, 3, 0.5)],
    )
    self.assertEqual(make.return_value.act.call_count, 3)

  @parameterized.parameters(-1, 0.5, True)
  def test_seeds_that_are_refused(self, seed):
    with self.assertRaisesRegex(
      errors.UserError, f"^seed is {seed!r}, allowed: a whole number from 0$"
    ):
      self.make(seed=seed)


class EnvironmentTest(parameterized.TestCase):
  @parameterized.parameters(
    (
      fakes.make_task("a", objects=(ObjectSpec(_CUBE, 4),)),
      "task 'a' has 4 objects; .* at most 3",
    ),
    (
      fakes.make_task("b", rules=(Rule(_GOAL, ()),) * 3),
      "task 'b' has 3 rules; .* at most 2",
    ),
    (
      fakes.make_task("c", players=_TWO),
      "task 'c' has 2 players; .* environments have 1",
    ),
  )
  def test_what_an_agent_can_t_take(self, task, message):
    env = land.LandConfig(num_slots=3, max_rules=2)
    trained_agent.check_fit(env, [fakes.make_task()])
    with self.assertRaisesRegex(errors.UserError, message):
      trained_agent.check_fit(env, [fakes.make_task(), task])

  def test_the_default_has_room_for_any_task_of_one_player(self):
    largest = fakes.make_task(
      objects=(ObjectSpec(_CUBE, constants.MAX_OBJECTS),),
      rules=(Rule(_GOAL, ()),) * constants.MAX_RULES,
    )
    env = trained_agent.default_env([fakes.make_task(), largest])
    trained_agent.check_fit(env, [largest])
    with self.assertRaisesRegex(errors.UserError, "'c' has 2 players; .*: 1"):
      trained_agent.default_env([largest, fakes.make_task("c", players=_TWO)])


if __name__ == "__main__":
  absltest.main()
