"""Tests of extensions: a user's own parts are checked before a run starts."""

import sys
from typing import Any
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import uniform
from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import api, builder, errors
from adaland.launch.recipes import extensions, presets


class Halved(land.Land):
  """A land that pays half."""

  def step(self, actions):
    step = super().step(actions)
    return step._replace(reward=step.reward / 2)


class Newest(uniform.UniformCurriculum):
  """A user's curriculum."""


class Careless:
  """A curriculum that lacks two methods."""

  def __init__(self, sample_task, seed):
    del sample_task, seed

  def next_tasks(self, n):
    """Returns none."""

  def report(self, record):
    """Ignores it."""

  def metrics(self):
    """Returns none."""


def nothing(*args):
  """Makes no environments."""


class OtherArguments(land.Land):
  """A land of another signature."""

  def __init__(self, config):
    raise AssertionError(config)


class Missing(land.Land):
  """A land that lacks something."""

  def __init__(self, *args):
    raise KeyError("wind")


class Cold(land.Land):
  """A land that refuses a value."""

  def __init__(self, *args):
    raise ValueError("3\ndegrees")


class Column(land.Land):
  """A land with a column of rewards."""

  def step(self, actions):
    step = super().step(actions)
    return step._replace(reward=step.reward[:, None])


class Watchful(land.Land):
  """A land with an observation of its own."""

  def reset(self):
    step = super().reset()
    return step._replace(observation={**step.observation, "wind": step.reward})


class Halves(land.Land):
  """A land with smaller numbers in an observation."""

  def reset(self):
    step = super().reset()
    clock = step.observation["clock"].astype(np.float16)
    return step._replace(observation={**step.observation, "clock": clock})


class Gym(land.Land):
  """A land whose `reset` returns what Gymnasium's does."""

  def reset(self) -> Any:
    return super().reset().observation, {}


class Forgetful:
  """A memory without a state."""

  def __init__(self, config):
    del config

  def step(self, x, first, state):
    """Remembers nothing."""
    del first
    return x, state


def broken(config):
  """Raises an error of any type."""
  return {}[config]


def leaves(config):
  """Ends the process."""
  sys.exit(f"no {type(config).__name__}")


class NothingHeldOut:
  """A family whose held-out half is empty."""

  num_tasks = 5

  def task(self, index):
    """Returns a task that fits the smoke preset."""
    return Task.of(
      "hold(player1, black cube)", ["black cube"], name=f"{index}", trials=2,
      trial_seconds=2,
    )  # fmt: skip

  def training(self):
    """Returns all."""
    return self

  def held_out(self):
    """Returns none."""
    return mock.Mock(num_tasks=0)


NUMBER = 3


class ExtensionsTest(parameterized.TestCase):
  def test_the_user_s_environment_is_the_run_s(self):
    config = presets.smoke(environment=Halved).resolved()
    made = builder.environment(config, 2, 5, self.fail)
    self.assertIsInstance(made, Halved)
    self.assertEqual((made.num_envs, made.seeds), (2, (5, 6)))
    self.assertEqual(made.config, config.env)

  def test_agents_are_evaluated_in_the_user_s_environment(self):
    # Nothing has to be done in this task: the whole trial is rewarded.
    task = Task.of(
      "not hold(player1, black cube)", ["black cube"], trial_seconds=2
    )
    for environment, reward in ((land.Land, 2.0), (Halved, 1.0)):
      source = presets.smoke(environment=environment)
      found = api.evaluate("noop", source, trials=(1,), tasks=[task])
      [played] = found["tasks"]
      self.assertAlmostEqual(played["rewards"]["1"], reward, places=3)
      self.assertAlmostEqual(played["expert"], reward, places=3)

  def test_the_user_s_curriculum_is_the_run_s(self):
    config = presets.smoke(curriculum=Newest).resolved()
    made = builder.curriculum(config)
    self.assertIsInstance(made, Newest)
    task = made.next_tasks(1)[0].task
    np.testing.assert_array_less(0, task.trials)
    # With indices, tasks are drawn elsewhere.
    made = builder.curriculum(config, by_index=True)
    self.assertIsInstance(made.next_tasks(1)[0].task, int)

  @parameterized.parameters(
    (
      {"curriculum": Careless},
      "factories.curriculum: .*: curriculum Careless has no method 'state_d",
    ),
    ({"curriculum": f"{__name__}:NUMBER"}, "NUMBER is 3, allowed: a class or"),
    (
      {"memory": f"{__name__}:nowhere"},
      "factories.memory: .* has no 'nowhere'",
    ),
    (
      {"memory": Forgetful},
      "factories.memory: .*: memory Forgetful has no method 'initial_state'",
    ),
    (
      {"memory": broken},
      "factories.memory: .*:broken: KeyError: NetworkCon",
    ),
    ({"memory": leaves}, "factories.memory: .*: SystemExit: no Netw"),
    (
      {"tasks": NothingHeldOut},
      "^factories.tasks: .*: the held-out half has 0 tasks, allowed: 1 or",
    ),
    ({"environment": "no_such_module:f"}, "factories.environment: no_such_mod"),
    ({"environment": nothing}, "factories.environment: .*nothing: returned N"),
    ({"environment": OtherArguments}, "factories.environment: .*: TypeError: "),
    (
      {"environment": Column},
      r"factories.environment: .*: step returned reward with the shape "
      r"\[4, 1\], allowed: \[4\]",
    ),
    ({"environment": Watchful}, r"reset returned the observations .*, wind, "),
    (
      {"environment": Halves},
      r"reset returned the observation 'clock' as float16\[4, 10\], allowed: "
      r"float32\[4, 10\]",
    ),
    ({"environment": Gym}, "reset returned tuple, allowed: a Step"),
  )
  def test_refused_before_a_run_starts(self, parts, message):
    config = presets.smoke(**parts).resolved()
    with self.assertRaisesRegex(errors.UserError, message) as caught:
      extensions.check(config)
    self.assertNotIn("\n", str(caught.exception))

  @parameterized.parameters(
    (
      lambda source: api.make(source),
      "Missing.*: KeyError: 'wind'",
      Missing,
      KeyError,
    ),
    (
      lambda source: api.make(source),
      "Cold.*: ValueError: 3 degrees",
      Cold,
      ValueError,
    ),
    (
      lambda source: api.evaluate("noop", source, trials=(1,), num_tasks=1),
      "Missing.*: KeyError: 'wind'",
      Missing,
      KeyError,
    ),
  )
  def test_an_environment_that_cannot_be_made_is_named(
    self, call, message, environment, cause
  ):
    config = presets.smoke(environment=environment).resolved("mine:recipe")
    with self.assertRaisesRegex(
      errors.UserError, f"^factories.environment: .*:{message}$"
    ) as caught:
      call(config)
    self.assertIn(" (recipe mine:recipe): ", str(caught.exception))
    self.assertIsInstance(caught.exception.__cause__, cause)

  @parameterized.parameters(1, 2)
  def test_an_environment_that_keeps_the_contract_passes(self, num_players):
    settings = {
      "env.num_players": num_players,
      "tasks.two_player_probability": (num_players - 1) / 2,
    }
    made = presets.smoke(settings, environment=Halved).resolved()
    extensions.check(made)

  @parameterized.parameters(
    ({"teacher": "tutor"}, "teaching.teacher=tutor: .* tutor can't play it"),
    (
      {"demonstrated": 0.5, "demonstrator": "guide"},
      "teaching.demonstrator=guide: .* the guide can't play it, allowed",
    ),
  )
  def test_who_cannot_play_the_tasks_is_refused(self, settings, message):
    settings = {f"teaching.{name}": value for name, value in settings.items()}
    made = presets.smoke(
      settings={"tasks.goal_predicates": ("hold",), **settings}
    )
    with self.assertRaisesRegex(errors.UserError, message):
      extensions.check_teachers(made.config)

  def test_who_can_play_the_tasks_is_not_refused(self):
    made = presets.smoke(
      settings={"tasks.goal_predicates": ("hold",), "teaching.demonstrated": 1}
    )
    extensions.check_teachers(made.config)
    extensions.check_teachers(presets.laptop().config)

  def test_what_is_no_land_is_refused(self):
    config = presets.smoke(environment=nothing).resolved()
    with self.assertRaisesRegex(errors.UserError, "nothing: returned None"):
      builder.environment(config, 2, 5, self.fail)


if __name__ == "__main__":
  absltest.main()
