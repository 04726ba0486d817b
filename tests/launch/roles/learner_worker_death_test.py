"""Tests of a learner and a learner worker of which one has died."""

import types

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch.roles import learner_state
from adaland.launch.run import rundir
from tests.launch.roles import two_learners


class LearnerWorkerDeathTest(two_learners.TestCase):
  def test_a_leader_stopped_before_all_have_joined_ends_alone(self):
    leader, worker = self.make((0, 0))
    folder = rundir.RunDir(self.folder).checkpoints
    template = learner_state.builder.batch_template(
      self.config, two_learners.SPEC
    )
    batch = template._replace(mask=np.ones_like(template.mask))
    state = {"train": two_learners.State({"w": np.float32(9)}), "batch": batch}
    checkpoint.save(folder, 9, state, {"has_batch": True})
    leader.stop()
    self.assertIsNone(leader.run())
    self.assertIsNone(worker.run())
    self.assertEmpty(self.joined)
    # It holds the newest state of the rest of the run.
    self.assertEqual(checkpoint.steps(folder), [9])
    saved = checkpoint.read_run(folder)
    self.assertEqual((saved["seconds"], saved["has_batch"]), (2.5, True))

  def test_an_error_due_to_a_dead_worker_ends_the_process(self):
    for lost in (True, False):
      self.left.clear()
      leader, worker = self.make((1, 1))
      leader.join(1, worker.incarnation)
      if lost:
        worker.incarnation = "of another process"
      with absltest.mock.patch.object(
        leader, "_lead", side_effect=ValueError("Gloo")
      ):
        if lost:
          with self.assertRaises(two_learners.ExitError):
            leader._work()
        else:
          with self.assertRaisesRegex(ValueError, "Gloo"):
            leader._work()
      self.assertEqual(self.left, ["learner 1 has died"] if lost else [])

  def test_an_error_due_to_a_dead_leader_ends_the_process(self):
    for lost in (True, False):
      self.left.clear()
      leader, worker = self.make((1, 1))
      leader._group.join(1, worker.incarnation)
      leader._group.invite("host:1", None)

      def follow(invitation, leader=leader, lost=lost):
        if lost:
          leader.incarnation = "of another process"
        raise ValueError("Gloo")

      with (
        absltest.mock.patch.object(worker, "_follow", follow),
        absltest.mock.patch.object(worker, "_watch"),
        self.assertRaises(two_learners.ExitError if lost else ValueError),
      ):
        worker._work()
      self.assertEqual(self.left, ["the leader has died"] if lost else [])

  def test_a_worker_exits_when_another_leads(self):
    leader, worker = self.make((1, 1))
    first = leader.incarnation
    given, threads = self.run_both(
      types.SimpleNamespace(
        name="watch",
        run=lambda: self.assertRaises(
          two_learners.ExitError, worker._watch, first
        ),
      )
    )
    leader.incarnation = "of another process"
    self.end(threads)
    self.assertEqual(given, {"watch": None})
    self.assertEqual(self.left, [f"of another process leads, not {first}"])


if __name__ == "__main__":
  absltest.main()
