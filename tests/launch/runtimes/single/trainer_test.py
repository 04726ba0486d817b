"""Tests of trainer: equal configs give equal runs."""

import contextlib
import io
import itertools
import os

import jax
import numpy as np
import pytest
from absl.testing import absltest

from adaland.launch.run import progress, rundir
from adaland.launch.runtimes.single import preflight
from adaland.launch.runtimes.single import trainer as trainer_lib
from tests.launch.runtimes.single import configs


def _assert_equal(a, b):
  a, b = jax.device_get((a, b))
  for (path, x), y in zip(
    jax.tree_util.tree_leaves_with_path(a), jax.tree.leaves(b), strict=True
  ):
    np.testing.assert_array_equal(x, y, err_msg=jax.tree_util.keystr(path))


class TrainerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.enter_context(
      absltest.mock.patch.object(trainer_lib, "_SAVE_STEPS", 7)
    )

    # What `prepare` sets is the process's.
    self.enter_context(absltest.mock.patch.dict(os.environ))

  @contextlib.contextmanager
  def trainer(self, name, *settings):
    config = configs.tiny(*settings)
    preflight.prepare(config)
    run = rundir.RunDir(os.path.join(self.folder, name))
    with run.begin(config, ("run.max_steps",)):
      line = progress.Progress(io.StringIO())
      made = trainer_lib.Trainer(config, run, line)
      try:
        yield made
      finally:
        made.close()

  def stop_after(self, trainer, num):
    """Has a run end, with a checkpoint, some steps from now."""
    steps, step = itertools.count(), trainer.step

    def counting():
      if next(steps) == num:
        trainer.request_stop()
      step()

    trainer.step = counting

  @pytest.mark.once
  def test_a_run_taken_up_again_ends_as_one_that_was_not_stopped(self):
    with self.trainer("whole", "run.max_steps=240") as whole:
      whole.train()
    for num in (20, 25):
      with self.trainer("part", "run.max_steps=240") as part:
        self.stop_after(part, num)
        part.train()
        self.assertTrue(part.stopped)
    with self.trainer("part", "run.max_steps=240") as part:
      part.train()
      self.assertFalse(part.stopped)
    self.assertGreater(part.counters()["updates"], 5)
    for name in ("env_steps", "episodes", "updates"):
      self.assertEqual(part.counters()[name], whole.counters()[name])
    _assert_equal(part._arrays(), whole._arrays())

  def test_with_physics_that_can_t_be_saved_episodes_begin_anew(self):
    self.enter_context(
      absltest.mock.patch.object(
        trainer_lib.land_state, "can_save", return_value=False
      )
    )
    with self.trainer("run", "run.max_steps=150") as part:
      self.stop_after(part, 20)
      part.train()
    with self.trainer("run", "run.max_steps=150") as again:
      for name in ("env_steps", "episodes", "updates"):
        self.assertEqual(again.counters()[name], part.counters()[name])
      self.assertEqual(again._player.time, part._player.time)
      _assert_equal(again._learning.arrays, part._learning.arrays)
      again.train()
    self.assertGreaterEqual(again.counters()["env_steps"], 150)
    self.assertGreater(again.counters()["updates"], part.counters()["updates"])


if __name__ == "__main__":
  absltest.main()
