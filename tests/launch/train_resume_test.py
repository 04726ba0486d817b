"""Tests that a resumed run continues exactly."""

import io
import os

import pytest
from absl.testing import absltest

from adaland.launch.roles import learner, learner_state
from adaland.launch.run import progress
from adaland.launch.runtimes import driver, local
from tests.launch import small_runs

# The programs are those of the runs in train_test.
pytestmark = pytest.mark.xdist_group("train")


class _Losses:
  """The losses of updates."""

  def __init__(self):
    self.losses = []

  def add(self, values, steps, lag):
    del steps, lag
    self.losses.append(float(values["loss/total"]))


class ResumeTest(absltest.TestCase):
  def test_next_loss_is_that_of_a_run_that_was_not_stopped(self):
    workdir = os.path.join(self.create_tempdir().full_path, "run")
    config, run = small_runs.begin(
      workdir,
      "replay.kind=memory",
      # A learner that never waits holds a batch at the end.
      "replay.samples_per_insert=100",
      "run.max_steps=300",
      "run.seed=3",
    )
    runtime = local.LocalRuntime()
    line = progress.Progress(io.StringIO(), 0.0)
    trainer = driver.Trainer(config, run, line, runtime)
    try:
      trainer.train()
    finally:
      trainer.close()
    role = runtime.in_process("learner")
    assert isinstance(role, learner.Learner)
    resumed = learner_state.LearnerState(config, str(run.checkpoints), print)
    found = []
    for state in (role.state, resumed):
      assert state is not None
      assert state.batch_info is not None
      losses = _Losses()
      state.learn([], losses)
      found.append(losses.losses)
    self.assertEqual(found[0], found[1])
    self.assertLen(found[0], 1)


if __name__ == "__main__":
  absltest.main()
