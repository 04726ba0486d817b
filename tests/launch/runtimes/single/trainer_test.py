"""Tests of trainer: equal configs give equal runs."""

import contextlib
import io
import itertools
import os

import jax
import numpy as np
import pytest
from absl.testing import absltest

from adaland.launch.run import progress, rundir, status_file
from adaland.launch.runtimes.single import preflight, trainer
from tests.launch.runtimes.single import configs

# The programs are those of the runs in resume_test.
pytestmark = pytest.mark.xdist_group("trainer")


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
    # `prepare` sets the process's environment variables.
    self.enter_context(absltest.mock.patch.dict(os.environ))

  @contextlib.contextmanager
  def make(self, name, *settings):
    config = configs.tiny(*configs.PAIRS, *settings)
    preflight.prepare(config)
    run = rundir.RunDir(os.path.join(self.folder, name))
    with run.begin(config, ("run.max_steps",)):
      line = progress.Progress(io.StringIO())
      made = trainer.Trainer(config, run, line, save_steps=7)
      try:
        yield made
      finally:
        made.close()

  def stop_after(self, run, num):
    """Ends a run, with a checkpoint, some steps from now."""
    steps, step = itertools.count(), run.step

    def counting():
      if next(steps) == num:
        run.request_stop()
      step()

    run.step = counting

  @pytest.mark.once
  def test_a_resumed_run_ends_like_one_that_was_not_stopped(self):
    with self.make("whole", "run.max_steps=240") as whole:
      whole.train()
    for num in (20, 25):
      with self.make("part", "run.max_steps=240") as part:
        self.stop_after(part, num)
        part.train()
        self.assertTrue(part.stopped)
    with self.make("part", "run.max_steps=240") as part:
      part.train()
      self.assertFalse(part.stopped)
    self.assertGreater(part.counters()["updates"], 12)
    pool = os.listdir(os.path.join(self.folder, "part", "coplayers"))
    self.assertContainsSubset({"1.safetensors", "2.safetensors"}, pool)
    for name in ("env_steps", "episodes", "updates"):
      self.assertEqual(part.counters()[name], whole.counters()[name])
    _assert_equal(part.arrays, whole.arrays)

  def test_with_physics_that_can_t_be_saved_episodes_start_again(self):
    self.enter_context(
      absltest.mock.patch.object(
        trainer.land_state, "can_save", return_value=False
      )
    )
    with self.make("run", "run.max_steps=150") as part:
      self.stop_after(part, 20)
      part.train()
    with self.make("run", "run.max_steps=150") as again:
      for name in ("env_steps", "episodes", "updates"):
        self.assertEqual(again.counters()[name], part.counters()[name])
      self.assertEqual(again.time, part.time)
      for name in ("train", "replay", "acting"):
        _assert_equal(again.arrays[name], part.arrays[name])
      again.train()
    self.assertGreaterEqual(again.counters()["env_steps"], 150)
    self.assertGreater(again.counters()["updates"], part.counters()["updates"])

  def test_the_status_file_tells_of_the_run_from_its_start_to_its_end(self):
    with self.make("run", "run.max_steps=60") as made:
      states, step = [], made.step

      def stepping():
        states.append(self.status("run")["state"])
        step()

      made.step = stepping
      made.train()
    self.assertEqual(set(states), {"running"})
    status = self.status("run")
    self.assertEqual((status["launcher"], status["state"]), ("device", "ended"))
    self.assertEqual(status["counters"], made.counters())
    self.assertEqual(list(status["roles"]), ["learner"])
    learner = status["roles"]["learner"]
    self.assertEqual(
      (learner["kind"], learner["pid"]), ("learner", os.getpid())
    )
    self.assertEqual(learner["replay_size"], 6)
    self.assertGreater(learner["samples_per_insert"], 0)
    self.assertIn("env_steps_per_s", status["metrics"])
    self.assertGreater(status["metrics"]["learner/memory_mb"], 0)
    # A run killed before it records its end still has its steps.
    os.remove(os.path.join(self.folder, "run", status_file.NAME))
    with self.make("run", "run.max_steps=60") as again:
      again.train()
    status = self.status("run")
    self.assertEqual((status["launcher"], status["state"]), ("device", "ended"))
    self.assertEqual(status["counters"], made.counters())

  def status(self, name):
    """Reads a run's status file."""
    return status_file.read(rundir.RunDir(os.path.join(self.folder, name)))


if __name__ == "__main__":
  absltest.main()
