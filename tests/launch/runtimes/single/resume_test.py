"""Tests that a killed run ends like an undisturbed one, bit for bit.

`kills` does the same with more kills, as a command.
"""

import json
import os
import pathlib
import random
from unittest import mock

import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch import train
from tests.launch.runtimes.single import kills


# The programs are those of the runs in trainer_test.
@pytest.mark.long(seconds=40)
@pytest.mark.xdist_group("trainer")
@pytest.mark.once
class ResumeTest(absltest.TestCase):
  def test_killed_at_random_moments_it_ends_with_the_same_bits(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    config = kills.write_config(folder)
    alone, killed = folder / "alone", folder / "killed"
    # It goes first, so that the others find its compiled programs.
    self.train(alone, config)
    rng = random.Random()  # Other moments every time, because none may matter.
    # There is a checkpoint after the first kill, so that the others resume.
    for moment, longest in (("second checkpoint", 0.05), ("step", 1.0)):
      process = kills.start(killed, config)
      seconds = rng.uniform(0, longest)
      self.assertTrue(kills.kill(process, killed, moment, seconds), moment)
      self.assertNotEmpty(checkpoint.steps(killed / "checkpoints"), moment)
    self.train(killed, config)
    self.assertEqual(kills.differences(alone, killed), [])
    rows = (killed / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(row)["step"] for row in rows]
    self.assertEqual(steps, sorted(steps))
    self.assertGreater(json.loads(rows[-1])["updates"], 100)

  def train(self, workdir, config):
    """Runs to the end in this process, which traces the programs once."""
    flags = "--launcher=device", f"--workdir={workdir}", f"--config={config}"
    with mock.patch.dict(os.environ):  # A run sets environment variables.
      self.assertEqual(train.main(flags), 0)


if __name__ == "__main__":
  absltest.main()
