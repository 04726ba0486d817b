"""Tests of `Land` on the cpu back end."""

import dataclasses
import re
from typing import Any

import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants, land
from adaland.envs.tasks.task import ObjectSpec
from tests.envs import fixtures, game_suite, land_suite


class LandTest(land_suite.LandSuite, game_suite.GameSuite):
  def test_a_step_before_reset_is_refused(self):
    env = fixtures.make_land(fixtures.busy_task())
    with self.assertRaisesRegex(ValueError, "step was called before reset"):
      env.step(fixtures.noop())

  def test_a_seed_may_come_in_the_middle_of_an_episode(self):
    env = fixtures.make_land(fixtures.busy_task(trials=3, trial_seconds=2.0))
    env.reset()
    env.step(fixtures.noop())
    env.seed(5)
    for _ in range(20):
      env.step(fixtures.noop())
    self.assertEqual(env.state_view(0).trial, 1)

  def test_a_step_whose_task_is_refused_changes_nothing(self):
    lengths = [(1, 2.0), (2, 2.0)]  # Number and seconds of trials.
    refused = dataclasses.replace(
      fixtures.busy_task(), objects=(ObjectSpec(fixtures.CUBE, 7),)
    )
    handed = []

    def next_task(i):
      handed.append(i)
      return refused if len(handed) == 3 else fixtures.busy_task(*lengths[i])

    env = land.Land(fixtures.NUM_ENVS, fixtures.CONFIG, next_task)
    env.reset()
    raised = 0
    for _ in range(35):
      try:
        env.step(fixtures.noop())
      except ValueError as error:
        self.assertIn("number of objects in the task is 7", str(error))
        raised += 1
        env.step(fixtures.noop())
      jax.tree.map(
        np.testing.assert_array_equal, env.clock.now, env.stepper.state.clock
      )
    self.assertEqual(raised, 1)
    self.assertEqual(handed, [0, 1, 0, 0, 1, 0])
    self.assertEqual(list(env.episodes), [3, 2])

  def test_seeds_may_be_numpy_s(self):
    env = fixtures.make_land(fixtures.busy_task(), seed=np.int64(3))
    self.assertEqual(env.seeds, (3, 4))

  def test_seeds_that_are_none_are_refused_and_change_nothing(self):
    env = fixtures.make_land(fixtures.busy_task(), seed=[4, 7])
    given: list[Any] = [[0, 1.5], [0, "a"], [0, True], [0, -1], [0], 2.0, -1]
    for seed in given:
      with self.assertRaisesRegex(
        ValueError,
        f"seed is {re.escape(str(seed))}, allowed: an integer from 0, or 2",
      ):
        env.seed(seed)
      self.assertEqual(env.seeds, (4, 7))

  def test_the_first_seeds_are_integers(self):
    given: Any = [None, 3]
    with self.assertRaisesRegex(ValueError, r"seed is \[None, 3\], allowed"):
      fixtures.make_land(fixtures.busy_task(), seed=given)

  def test_a_view_before_reset_is_refused(self):
    env = fixtures.make_land(fixtures.busy_task())
    with self.assertRaisesRegex(ValueError, "batch_view was called before"):
      env.state_view(0)


class WritableTest(parameterized.TestCase):
  @parameterized.parameters("entities", "pixels")
  def test_writes_to_a_step_change_nothing_in_later_steps(self, observation):
    config = dataclasses.replace(fixtures.PIXELS, observation=observation)
    tasks = [fixtures.busy_task(trials=1), fixtures.busy_task(trials=2)]
    untouched, written = (
      fixtures.make_land(*tasks, config=config) for _ in range(2)
    )
    rng = np.random.default_rng(0)
    expected, found = untouched.reset(), written.reset()
    for _ in range(40):
      self._assert_equal(found, expected)
      self._fill(found)
      actions = fixtures.random_actions(rng)
      expected, found = untouched.step(actions), written.step(actions)

  def _arrays(self, step: land.Step) -> dict[str, np.ndarray]:
    fields = ("reward", "first", "last", "trial_last", "discount")
    return step.observation | {name: getattr(step, name) for name in fields}

  def _assert_equal(self, found: land.Step, expected: land.Step) -> None:
    expected_arrays = self._arrays(expected)
    for name, value in self._arrays(found).items():
      np.testing.assert_array_equal(value, expected_arrays[name], name)

  def _fill(self, step: land.Step) -> None:
    for name, value in self._arrays(step).items():
      self.assertTrue(value.flags.writeable, name)
      value[...] = 1


class AbsentPlayerTest(absltest.TestCase):
  def test_it_falls_on_nothing(self):
    task = fixtures.busy_task(trial_seconds=8.0)
    env = fixtures.make_land(task, config=fixtures.TWO_PLAYERS)
    env.reset()
    actions = np.tile(constants.NOOP_ACTION, (2, 2, 1))
    for _ in range(40):
      env.step(actions)
    np.testing.assert_array_equal(env.state_view(0).player_pos[1, :2], 0)


if __name__ == "__main__":
  absltest.main()
