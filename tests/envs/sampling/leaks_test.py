"""Tests of adaland.envs.sampling.leaks."""

import contextlib
import io
import json

from absl.testing import absltest

from adaland.envs.sampling import leaks


class LeaksTest(absltest.TestCase):
  def test_heldout_games_never_in_training(self):
    found = leaks.find_leaks(draws=3000, games=1000)
    self.assertEqual(found["heldout_games"], 1000)
    self.assertEqual(found["training_draws"], 3000)
    self.assertGreater(found["training_games"], 2800)
    self.assertEqual(found["leaks"], 0)

  def test_command_prints_the_numbers(self):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
      self.assertEqual(leaks.main(["--draws=5"]), 0)
    self.assertEqual(json.loads(printed.getvalue())["training_draws"], 5)


if __name__ == "__main__":
  absltest.main()
