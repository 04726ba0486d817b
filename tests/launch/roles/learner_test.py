"""Tests of adaland.launch.roles.learner, with a model that counts."""

import os
import threading
import types
from typing import Any, NamedTuple

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import in_memory
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import learner, learner_state, parameters, role
from adaland.launch.run import rundir
from tests.agent.replay import examples
from tests.launch.roles import fakes

_SPEC = UnrollSpec.from_unroll(examples.unroll())


class State(NamedTuple):
  """A learner's state."""

  target_params: Any


class _Curriculum:
  """A curriculum server with a state."""

  def state(self):
    return {"played": {"env_steps": 60}, "seconds": 2.5}


class _BusyCurriculum(_Curriculum):
  """A curriculum server that does not answer the first request in time."""

  def __init__(self):
    self.asked = 0

  def progress(self):
    self.asked += 1
    if self.asked == 1:
      raise TimeoutError
    return 0.7


class LearnerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    functions = types.SimpleNamespace(
      init=lambda key: State({"w": np.zeros((), np.float32)}),
      load=lambda state: state,
      update=self.update,
    )
    for name, value in (
      ("agent", types.SimpleNamespace(network=None)),
      ("learner", functions),
      ("unroll_spec", _SPEC),
    ):
      self.enter_context(
        absltest.mock.patch.object(
          learner_state.builder, name, lambda *args, value=value: value
        )
      )
    self.enter_context(
      absltest.mock.patch.object(learner_state, "SAMPLE_SECONDS", 0.01)
    )
    self.made: Any = None
    self.curriculum: Any = _Curriculum()
    self.store = fakes.Store()
    self.stop_at = 2
    self.progress: list[float] = []

  def update(self, state, batch, progress):
    self.progress.append(progress)
    total = state.target_params["w"] + np.float32(batch.params_version.sum())
    if self.made.stats().get("count", 0) + 1 >= self.stop_at:
      self.made.stop()
    return State({"w": total}), {"loss/total": total}

  def make(self, *settings, replay=None):
    config = overrides.apply(
      preset_configs.smoke(),
      [
        "replay.kind=memory",
        "replay.sampling=queue",
        "replay.samples_per_insert=null",
        "replay.batch_size=2",
        "replay.capacity=6",
        "replay.min_size=1",
        *settings,
      ],
    )
    rundir.RunDir(self.folder).begin(config).close()
    setup = role.Setup(config, self.folder)
    self.server = parameters.ParameterServer(setup)
    self.made = learner.Learner(
      setup,
      fakes.Peer(self.server),
      fakes.Peer(self.curriculum),
      replay and fakes.Peer(replay),
      [],
      self.store,
    )
    return self.made

  def give(self, *numbers):
    """Stores unrolls before it runs, as actors do once it runs."""
    sampler = self.made.unrolls.sampler(_SPEC, threading.Event())
    for number in numbers:
      data = _SPEC.encode(examples.unroll(number))
      self.assertTrue(self.made.insert_encoded(data))
    self.enter_context(
      absltest.mock.patch.object(
        self.made.unrolls, "sampler", lambda *args: sampler
      )
    )

  def test_it_learns_publishes_and_ends_with_a_checkpoint(self):
    made = self.make()
    self.assertEqual(made.stats()["pid"], os.getpid())
    self.assertFalse(made.insert_encoded(b""))  # There is no store yet.
    self.give(1, 2, 3, 4, 5)
    self.assertIsNone(made.run())
    stats = made.stats()
    self.assertEqual((stats["updates"], stats["count"]), (2, 2))
    self.assertEqual(stats["sums"], {"loss/total": 3.0 + 10.0})
    self.assertEqual(stats["learned"], 2 * 2 * 5)
    self.assertEqual(stats["inserts"], 5)
    self.assertIn("first batch", stats["messages"][0])
    folder = rundir.RunDir(self.folder).checkpoints
    self.assertEqual(checkpoint.steps(folder), [2])
    self.assertEqual(checkpoint.read_run(folder)["seconds"], 2.5)
    self.assertTrue(os.path.exists(self.folder + "/replay/replay.npz"))
    self.assertEqual(self.server.read(0).version, 2)
    self.assertEqual(float(self.store.kept[-1]["w"]), 10.0)

  def test_one_that_is_aborted_writes_nothing(self):
    made = self.make()
    self.give(1, 2)
    made.abort()
    self.assertIsNone(made.run())
    self.assertEmpty(checkpoint.steps(rundir.RunDir(self.folder).checkpoints))

  def test_a_restarted_one_resumes(self):
    self.make()
    self.give(1, 2, 3, 4, 5, 6)
    self.made.run()
    self.stop_at = 1
    again = self.make()
    self.assertIsNone(again.run())
    stats = again.stats()
    self.assertEqual(stats["updates"], 3)
    self.assertEqual(stats["messages"][0], "learner: resuming from update 2")
    self.assertEqual(stats["sums"], {"loss/total": 10.0 + 11.0})

  def test_it_learns_nothing_before_it_knows_the_progress(self):
    self.enter_context(
      absltest.mock.patch.object(learner, "_PROGRESS_SECONDS", 0.01)
    )
    self.curriculum = _BusyCurriculum()
    made = self.make("learner.final_rate=0.5")
    self.give(1, 2, 3, 4)
    self.assertIsNone(made.run())
    self.assertEqual(self.progress, [0.7, 0.7])
    self.assertEqual(made.stats()["sums"], {"loss/total": 3.0 + 10.0})

  def test_it_publishes_at_the_updates_of_the_config(self):
    made = self.make("run.publish_updates=3")
    self.give(1, 2, 3, 4)
    made.run()
    self.assertEqual(self.server.read(0).version, 0)

  def test_a_full_disk_ends_it_and_changes_nothing(self):
    made = self.make()
    self.give(1, 2, 3, 4)
    made.run()
    folder = rundir.RunDir(self.folder).checkpoints
    before = checkpoint.steps(folder)
    made = self.make()
    made.stop()
    with absltest.mock.patch.object(
      in_memory.InMemoryReplay,
      "checkpoint",
      side_effect=OSError(28, "No space left"),
    ):
      failure = made.run()
    assert failure is not None
    self.assertTrue(failure.final)
    self.assertRegex(
      failure.reason, "^cannot write checkpoint .*/replay: No space left$"
    )
    self.assertEqual(checkpoint.steps(folder), before)

  def test_a_full_store_refuses_an_unroll(self):
    made = self.make()
    self.give(1, 2, 3, 4, 5, 6)
    data = _SPEC.encode(examples.unroll(7))
    self.assertFalse(made.insert_encoded(data))

  def test_a_replay_that_can_t_be_written_ends_it(self):
    replay: Any = types.SimpleNamespace(checkpoint=lambda: "No space left")
    made = self.make(replay=replay)
    made.stop()
    failure = made.run()
    self.assertEqual(
      failure,
      role.Failure(
        f"cannot write checkpoint {self.folder}/replay: No space left",
        False,
        True,
      ),
    )
    self.assertEmpty(checkpoint.steps(rundir.RunDir(self.folder).checkpoints))

  def test_a_checkpoint_of_another_agent_is_bad_input(self):
    made = self.make()
    checkpoint.save(
      made.setup.folder + "/checkpoints", 1, {"x": np.zeros(1)}, {}
    )
    failure = made.run()
    assert failure is not None
    self.assertTrue(failure.bad_input and failure.final)
    self.assertIn("another agent", failure.reason)

  def test_an_unexpected_error_is_its_answer(self):
    made = self.make()
    with (
      absltest.mock.patch.object(
        learner.learner_state.builder, "learner", side_effect=KeyError("x")
      ),
    ):
      failure = made.run()
    self.assertEqual(failure, role.Failure("KeyError: 'x'", False, False))


if __name__ == "__main__":
  absltest.main()
