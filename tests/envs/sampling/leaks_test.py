"""Tests of adaland.envs.sampling.leaks."""

import contextlib
import functools
import io
import json

from absl.testing import absltest

from adaland.envs.sampling import heldout, leaks, sampler
from adaland.envs.sampling.config import SamplerConfig


class LeaksTest(absltest.TestCase):
  def test_heldout_games_never_in_training(self):
    found = leaks.find_leaks(draws=1000, games=200)
    self.assertEqual(found["heldout_games"], 200)
    self.assertEqual(found["training_draws"], 1000)
    self.assertBetween(found["training_games"], 500, 900)
    self.assertEqual(found["leaks"], 0)

  def test_leaks_are_counted(self):
    same = sampler.TaskSampler(SamplerConfig(split="test", num_games=3))
    with absltest.mock.patch.object(sampler, "TaskSampler", lambda _: same):
      found = leaks.find_leaks(draws=7, games=1)
    self.assertEqual(found["training_games"], 3)
    self.assertEqual(found["leaks"], 3)  # Of indices 0, 3 and 6.

  def test_leaks_are_found_where_nothing_keeps_the_halves_apart(self):
    with absltest.mock.patch.object(
      heldout, "is_heldout", return_value=absltest.mock.ANY
    ):
      found = leaks.find_leaks(draws=1000, games=200)
    self.assertGreater(found["leaks"], 100)

  def test_command_fails_for_a_leak(self):
    found = absltest.mock.Mock(return_value={"leaks": 1})
    with (
      absltest.mock.patch.object(leaks, "find_leaks", found),
      contextlib.redirect_stdout(io.StringIO()),
    ):
      self.assertEqual(leaks.main(["--draws=5"]), 1)

  def test_command_prints_the_numbers(self):
    printed = io.StringIO()
    few = functools.partial(leaks.find_leaks, games=3)
    with (
      absltest.mock.patch.object(leaks, "find_leaks", few),
      contextlib.redirect_stdout(printed),
    ):
      self.assertEqual(leaks.main(["--draws=5"]), 0)
    self.assertEqual(json.loads(printed.getvalue())["training_draws"], 5)


if __name__ == "__main__":
  absltest.main()
