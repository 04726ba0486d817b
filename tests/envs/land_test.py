"""Tests of `Land` on the cpu back end."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import land
from tests.envs import fixtures, land_suite


class LandTest(land_suite.LandSuite):
  pass


class WritableTest(parameterized.TestCase):
  @parameterized.parameters("entities", "pixels")
  def test_writes_to_a_step_change_nothing_in_later_steps(self, observation):
    config = dataclasses.replace(
      fixtures.CONFIG, observation=observation, pixels=(8, 6)
    )
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


if __name__ == "__main__":
  absltest.main()
