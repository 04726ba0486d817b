"""Tests that the smallest run of the study of pictures plays and learns."""

import pathlib

from absl.testing import absltest

from adaland.launch import train
from adaland.launch.config import overrides
from adaland.launch.studies import running, table

_FEW = (
  "actor.envs_per_actor=2",
  "replay.min_size=2",
  "replay.batch_size=2",
  "replay.samples_per_insert=1",
  "run.max_steps=190",
  # Tracing each layer takes a second.
  "network.num_layers=1",
  "network.patches.num_layers=1",
)


class PixelsTest(absltest.TestCase):
  def test_a_few_steps_with_most_patches_left_out(self):
    row = table.STUDIES["pixels"]
    folder = pathlib.Path(self.create_tempdir().full_path)
    plan = running.Plan(
      "pixels", row, "laptop", row.sizes["laptop"], 1, folder, folder
    )
    [variant] = [each for each in row.variants if each.name == "patches-75"]
    config = overrides.apply(running.config(plan, variant, 0), _FEW)
    done = train.train_and_evaluate(config, str(folder / "run"), "device")
    self.assertGreaterEqual(done.counters["updates"], 1)


if __name__ == "__main__":
  absltest.main()
