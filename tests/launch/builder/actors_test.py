"""Tests of adaland.launch.builder.actors; nothing is compiled or computed."""

from absl.testing import absltest

from adaland.curriculum import base
from adaland.envs import land
from adaland.launch import builder, errors
from adaland.launch.builder import actors
from adaland.launch.config import overrides, preset_configs
from tests.launch import fakes


class ActorsTest(absltest.TestCase):
  def test_environments_get_the_run_s_sizes(self):
    config = preset_configs.smoke()
    with absltest.mock.patch.object(land, "Land") as made:
      result = builder.environment(config, 4, 9, self.fail)
    made.assert_called_once_with(4, config.env, self.fail, 9)
    self.assertIs(result, made.return_value)


class WithinUnrollsTest(absltest.TestCase):
  def _next(self, trials, unroll_length):
    played = fakes.make_task("hard", trials=2, seconds=2.0)
    assignment = base.Assignment(3, played, True, trials=trials)
    config = overrides.apply(
      preset_configs.smoke(), [f"actor.unroll_length={unroll_length}"]
    )
    next_task = actors.within_unrolls(config, lambda: assignment)
    self.assertIs(next_task(), assignment)

  def test_episodes_of_a_curriculum_fit_into_their_unrolls(self):
    for trials in (0, 1, 2):
      self._next(trials, 30)
    with self.assertRaisesRegex(
      errors.UserError,
      "curriculum: task 'hard' lasts 45 steps, allowed: 30, the longest",
    ):
      self._next(3, 30)

  def test_shorter_unrolls_carry_the_memory(self):
    self._next(3, 15)


if __name__ == "__main__":
  absltest.main()
