"""Tests of learner and learner worker together, with a model that counts."""

import os
import threading
import types
from typing import Any, NamedTuple

import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch import errors
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import (
  learner_group,
  learner_state,
  learner_worker,
  parameters,
  role,
  unroll_store,
)
from adaland.launch.roles.learner import Learner, jax_processes
from adaland.launch.run import rundir
from tests.agent.replay import examples
from tests.launch.roles import fakes

_SPEC = UnrollSpec.from_unroll(examples.unroll())
_SECONDS = 60.0


class _State(NamedTuple):
  """A learner's state."""

  target_params: Any


class _Curriculum:
  """A curriculum server with a state."""

  def state(self):
    return {"played": {"env_steps": 60}, "seconds": 2.5}


class _Sampler:
  """A sampler of a given number of batches of two unrolls."""

  def __init__(self, first, batches):
    self.first, self.batches = first, batches
    self.closed = False

  def sample(self, timeout=None):
    if not self.batches:
      raise TimeoutError
    self.batches -= 1
    self.first += 1
    rows = [examples.unroll(self.first)] * 2
    return jax.tree.map(lambda *x: np.stack(x), *rows)

  def close(self):
    self.closed = True


class _ExitError(Exception):
  """The end of a process."""


class LearnerWorkerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    self.config = overrides.apply(
      preset_configs.smoke(), ["replay.batch_size=4", "cluster.num_learners=2"]
    )
    rundir.RunDir(self.folder).begin(self.config).close()
    self.setup = role.Setup(self.config, self.folder, num_learners=2)
    learner = types.SimpleNamespace(
      init=lambda key: _State({"w": np.zeros((), np.float32)}),
      load=lambda state: state,
      update=lambda state, batch, progress: (
        _State({"w": np.float32(state.target_params["w"] + 1)}),
        {"loss/total": np.float32(batch.params_version.sum())},
      ),
    )
    self.joined: list[tuple[Any, ...]] = []
    self.samplers: dict[int, _Sampler] = {}
    self.left: list[str] = []
    for target, name, value in (
      (
        learner_state.builder,
        "agent",
        lambda config: types.SimpleNamespace(network=None),
      ),
      (learner_state.builder, "learner", lambda config, network: learner),
      (learner_state.builder, "unroll_spec", lambda config, made: _SPEC),
      (learner_state, "SAMPLE_SECONDS", 0.01),
      (learner_group, "_ASK_SECONDS", 0.01),
      (learner_worker, "_JOIN_SECONDS", 0.001),
      (learner_worker, "_WATCH_SECONDS", 0.001),
      (learner_worker, "_CHECKPOINT_SECONDS", 0.01),
      (learner_worker, "_LOOK_SECONDS", 0.001),
      (
        learner_state.multihost_utils,
        "process_allgather",
        lambda tree, tiled: jax.tree.map(
          lambda x: np.concatenate([x, x]), tree
        ),
      ),
      (
        jax_processes,
        "join",
        lambda *args: self.joined.append(args),
      ),
      (jax_processes, "wait_for_all", lambda name: None),
      (role, "exit_process", self.exit_process),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, value))
    self.enter_context(
      absltest.mock.patch.object(
        learner_worker.replay_server,
        "sampler",
        lambda *args: self.samplers[1],
      )
    )
    self.enter_context(
      absltest.mock.patch.object(
        unroll_store.UnrollStore, "sampler", lambda *args: self.samplers[0]
      )
    )

  def exit_process(self, reason):
    self.left.append(reason)
    raise _ExitError

  def make(self, batches):
    """Makes the two roles, with samplers of given numbers of batches."""
    for rank, each in enumerate(batches):
      self.samplers[rank] = _Sampler(10 * rank, each)
    server = fakes.Peer(parameters.ParameterServer(self.setup))
    peers = fakes.Peer(None), fakes.Peer(None)
    replay: Any = types.SimpleNamespace(checkpoint=lambda: "")
    leader = Learner(
      self.setup,
      server,
      fakes.Peer(_Curriculum()),
      fakes.Peer(replay),
      [peers[1]],
      fakes.Store(),
    )
    worker = learner_worker.LearnerWorker(1, self.setup, server, peers[0])
    peers[0].role, peers[1].role = leader, worker
    return leader, worker

  def run_both(self, *roles):
    """Starts roles; returns their results by name, filled in as they end."""
    given: dict[str, Any] = {}
    threads = [
      threading.Thread(
        target=lambda made=made: given.update({made.name: made.run()}),
        daemon=True,
      )
      for made in roles
    ]
    for thread in threads:
      thread.start()
    return given, threads

  def wait(self, until):
    deadline = threading.Event()
    for _ in range(int(_SECONDS / 0.01)):
      if until():
        return
      deadline.wait(0.01)
    self.fail("it took too long")

  def end(self, threads):
    for thread in threads:
      thread.join(_SECONDS)
      self.assertFalse(thread.is_alive())

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

  def test_a_leader_stopped_before_all_have_joined_ends_alone(self):
    leader, worker = self.make((0, 0))
    folder = rundir.RunDir(self.folder).checkpoints
    template = learner_state.builder.batch_template(self.config, _SPEC)
    batch = template._replace(mask=np.ones_like(template.mask))
    state = {"train": _State({"w": np.float32(9)}), "batch": batch}
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
          with self.assertRaises(_ExitError):
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
        self.assertRaises(_ExitError if lost else ValueError),
      ):
        worker._work()
      self.assertEqual(self.left, ["the leader has died"] if lost else [])

  def test_a_worker_exits_when_another_leads(self):
    leader, worker = self.make((1, 1))
    first = leader.incarnation
    given, threads = self.run_both(
      types.SimpleNamespace(
        name="watch",
        run=lambda: self.assertRaises(_ExitError, worker._watch, first),
      )
    )
    leader.incarnation = "of another process"
    self.end(threads)
    self.assertEqual(given, {"watch": None})
    self.assertEqual(self.left, [f"of another process leads, not {first}"])

  def test_a_directory_that_is_not_shared_is_an_error(self):
    with self.assertRaisesRegex(
      errors.RunError, "checkpoint None there, the first one 7: do all machines"
    ):
      learner_worker._await_checkpoint(f"{self.folder}/checkpoints", 7)
    learner_worker._await_checkpoint(f"{self.folder}/checkpoints", None)


if __name__ == "__main__":
  absltest.main()
