"""Tests of learner and learner worker together, with a model that counts.

`learner_worker_death_test` tests what happens when one of them dies.
"""

from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors
from adaland.launch.roles import (
  learner_state,
  learner_worker,
)
from adaland.launch.run import rundir
from tests.launch.roles import two_learners


class LearnerWorkerTest(two_learners.TestCase):
  def test_both_make_the_updates_that_both_have_batches_for(self):
    leader, worker = self.make((5, 3))
    given, threads = self.run_both(leader, worker)
    self.wait(lambda: leader.stats().get("updates") == 3)
    leader.stop()
    self.end(threads)
    self.assertEqual(given, {"learner": None, "learner 1": None})
    stats = leader.stats()
    self.assertEqual(stats["updates"], 3)
    self.assertEqual(worker.stats()["updates"], 3)
    # Steps of both halves of the batch.
    self.assertEqual(stats["learned"], 3 * 4 * 5)
    self.assertEqual(stats["processes"], 2)
    (first, size, rank, host), other = sorted(self.joined, key=lambda x: x[2])
    self.assertEqual((size, rank, host), (2, 0, "127.0.0.1"))
    self.assertEqual(other, (first, 2, 1, "127.0.0.1"))
    # The leader held its fourth batch, the other held none: neither is kept.
    folder = rundir.RunDir(self.folder).checkpoints
    self.assertEqual(checkpoint.steps(folder), [3])
    self.assertFalse(checkpoint.read_run(folder)["has_batch"])
    self.assertTrue(self.samplers[1].closed)
    self.assertEmpty(self.left)

  def test_a_checkpoint_has_the_batch_of_both(self):
    leader, worker = self.make((100_000, 100_000))
    given, threads = self.run_both(leader, worker)
    self.wait(lambda: leader.stats().get("updates", 0) > 3)
    leader.stop()
    self.end(threads)
    self.assertEqual(given, {"learner": None, "learner 1": None})
    updates = leader.stats()["updates"]
    self.assertEqual(worker.stats()["updates"], updates)
    folder = rundir.RunDir(self.folder).checkpoints
    self.assertTrue(checkpoint.read_run(folder)["has_batch"])
    # Each restores its own shard of the batch.
    states = [
      learner_state.LearnerState(
        self.config, str(folder), print, learner_state.Shard(rank, 2)
      )
      for rank in (0, 1)
    ]
    for state in states:
      self.assertEqual(state.updates, updates)
      assert state.batch_info is not None
      self.assertEqual(state.batch_info.steps, 2 * 5)

  def test_a_directory_that_is_not_shared_is_an_error(self):
    with self.assertRaisesRegex(
      errors.RunError, "checkpoint None there, the first one 7: do all machines"
    ):
      learner_worker._await_checkpoint(f"{self.folder}/checkpoints", 7)
    learner_worker._await_checkpoint(f"{self.folder}/checkpoints", None)


if __name__ == "__main__":
  absltest.main()
