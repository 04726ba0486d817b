"""Tests that a killed run ends like an undisturbed one, bit for bit.

`kills` does the same with more kills, as a command.
"""

import json
import pathlib
import random

import pytest
from absl.testing import absltest

from tests.launch.runtimes.single import kills


@pytest.mark.long(seconds=60)
@pytest.mark.once
class ResumeTest(absltest.TestCase):
  def test_killed_at_random_moments_it_ends_with_the_same_bits(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    config = kills.write_config(folder)
    alone, killed = folder / "alone", folder / "killed"
    # It goes first, so that the others find its compiled programs.
    kills.finish(kills.start(alone, config), alone)
    rng = random.Random()  # Other moments every time, because none may matter.
    for moment, longest in (("checkpoint", 0.05), ("step", 1.0)):
      process = kills.start(killed, config)
      seconds = rng.uniform(0, longest)
      self.assertTrue(kills.kill(process, killed, moment, seconds), moment)
    kills.finish(kills.start(killed, config), killed)
    self.assertEqual(kills.differences(alone, killed), [])
    rows = (killed / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(row)["step"] for row in rows]
    self.assertEqual(steps, sorted(steps))
    self.assertGreater(json.loads(rows[-1])["updates"], 100)


if __name__ == "__main__":
  absltest.main()
