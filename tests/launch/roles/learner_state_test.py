"""Tests of adaland.launch.roles.learner_state, with a model that counts."""

import importlib.util
import json
import os
import time
import types
import unittest
from typing import Any, NamedTuple

import numpy as np
from absl.testing import absltest

from adaland.agent.replay import factory
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch import errors
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import learner_state
from tests.agent.replay import examples

_SPEC = UnrollSpec.from_unroll(examples.unroll())
_REST = {"seconds": 2.5}


class _State(NamedTuple):
  """A learner's state: the sum of all versions learned from."""

  target_params: Any


def _update(state, batch, progress):
  total = state.target_params["w"] + np.float32(batch.params_version.sum())
  return _State({"w": total}), {"loss/total": total, "progress": progress}


def _learn(state, sampler, report):
  """Learns from one batch; returns False if none arrived in time."""
  if not state.draw(sampler):
    return False
  state.learn([], report)
  return True


class _Report:
  """A report that keeps the metrics of updates."""

  def __init__(self):
    self.totals, self.steps, self.lags = [], [], []
    self.progress = []

  def add(self, values, steps, lag):
    self.totals.append(float(values["loss/total"]))
    self.steps.append(steps)
    self.lags.append(lag)
    self.progress.append(values["progress"])


class LearnerStateTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.checkpoints = os.path.join(self.folder, "checkpoints")
    learner = types.SimpleNamespace(
      init=lambda key: _State({"w": np.zeros((), np.float32)}),
      load=lambda state: state,
      update=_update,
    )
    for name, value in (
      ("agent", types.SimpleNamespace(network=None)),
      ("learner", learner),
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
    self.config = overrides.apply(
      preset_configs.smoke(),
      [
        "replay.kind=memory",
        "replay.sampling=queue",
        "replay.samples_per_insert=null",
        "replay.batch_size=2",
        "replay.min_size=1",
      ],
    )

  def make(self):
    self.said = []
    return learner_state.LearnerState(
      self.config, self.checkpoints, self.said.append
    )

  def replay(self, *numbers, **more):
    made = factory.make_replay(
      overrides.apply(
        self.config, [f"replay.{name}={value}" for name, value in more.items()]
      ).replay,
      _SPEC,
      os.path.join(self.folder, "replay"),
    )
    self.addCleanup(made.close)
    writer = made.writer()
    for number in numbers:
      writer.insert(examples.unroll(number))
    return made

  def test_it_learns_from_each_batch(self):
    made, report = self.make(), _Report()
    sampler = self.replay(1, 2, 3, 4).sampler()
    self.assertTrue(_learn(made, sampler, report))
    self.assertTrue(_learn(made, sampler, report))
    self.assertEqual(report.totals, [3.0, 10.0])
    self.assertEqual(report.steps, [2 * 5, 2 * 5])
    self.assertEqual(report.lags, [0 - 1.5, 1 - 3.5])
    self.assertEqual(float(made.params["w"]), 10.0)
    self.assertFalse(_learn(made, sampler, report))  # There is no batch.
    self.assertEqual(made.updates, 2)
    self.assertGreater(made.waited, 0.0)
    self.assertLen(self.said, 1)

  def test_a_report_is_of_the_batches_of_all_learners(self):
    made, report = self.make(), _Report()
    made.draw(self.replay(1, 2).sampler())
    others = [learner_state.BatchInfo(7, 3.0), learner_state.BatchInfo(3, 6.0)]
    made.learn(others, report, progress=0.25)
    self.assertEqual(report.steps, [10 + 7 + 3])
    self.assertEqual(report.lags, [-(1.5 + 3.0 + 6.0) / 3])
    self.assertEqual(report.progress, [0.25])

  def test_a_batch_that_is_held_is_not_replaced(self):
    made, report = self.make(), _Report()
    sampler = self.replay(1, 2, 3, 4).sampler()
    for _ in range(2):
      self.assertTrue(made.draw(sampler))
    self.assertTrue(made.draw(None))
    made.learn([], report)
    self.assertEqual(report.totals, [3.0])
    self.assertIsNone(made.batch_info)

  def test_a_checkpoint_keeps_the_batch_that_was_drawn(self):
    made, sampler = self.make(), self.replay(1, 2, 3, 4).sampler()
    _learn(made, sampler, _Report())
    made.draw(sampler)
    made.save(_REST, made.gather())
    resumed, report = self.make(), _Report()
    assert resumed.saved is not None
    self.assertEqual(resumed.saved["seconds"], 2.5)
    self.assertEqual(resumed.updates, 1)
    self.assertEqual(resumed.batch_info, made.batch_info)
    resumed.learn([], report)
    self.assertEqual(report.totals, [10.0])

  def test_a_checkpoint_may_be_without_a_batch(self):
    made = self.make()
    made.save(_REST, made.gather())
    resumed, report = self.make(), _Report()
    self.assertIsNone(resumed.batch_info)
    _learn(resumed, self.replay(8, 9).sampler(), report)
    self.assertEqual(report.totals, [17.0])

  def test_without_a_server_there_is_no_batch(self):
    self.assertFalse(self.make().draw(None))

  def test_a_checkpoint_of_another_form_is_refused(self):
    made = self.make()
    made.save(_REST, None)
    path = os.path.join(self.checkpoints, "0", "run.json")
    with open(path) as file:
      document = json.load(file)
    with open(path, "w") as file:
      json.dump({**document, "run": {}}, file)
    with self.assertRaisesRegex(errors.UserError, "checkpoints: is not of"):
      self.make()

  def test_free_memory_of_the_heap_is_returned_now_and_then(self):
    clock = absltest.mock.patch.object(learner_state.time, "monotonic")
    now = self.enter_context(clock)
    now.return_value = 100.0
    trim = self.enter_context(
      absltest.mock.patch.object(learner_state.heap, "trim")
    )
    made, sampler = self.make(), self.replay(1, 2, 3, 4, 5, 6).sampler()
    made.draw(sampler)
    made.learn([], _Report())
    trim.assert_not_called()
    now.return_value = 111.0
    for _ in range(2):
      made.draw(sampler)
      made.learn([], _Report())
    trim.assert_called_once_with()

  @unittest.skipUnless(
    importlib.util.find_spec("reverb"), "Reverb is not installed"
  )
  def test_what_reverb_stored_after_a_checkpoint_is_forgotten(self):
    settings = {"kind": "reverb", "sampling": "uniform", "capacity": 10}
    replay = self.replay(*range(5), **settings)
    while replay.info().size < 5:  # The last one may be in flight.
      time.sleep(0.01)
    made, sampler = self.make(), replay.sampler()
    self.enter_context(
      absltest.mock.patch.object(learner_state, "SAMPLE_SECONDS", 10.0)
    )
    _learn(made, sampler, _Report())
    made.draw(sampler)
    replay.checkpoint(os.path.join(self.folder, "replay"))
    made.save(_REST, made.gather())
    writer, unstopped = replay.writer(), _Report()
    for number in range(3):
      writer.insert(examples.unroll(number))
    writer.close()
    _learn(made, sampler, unstopped)
    _learn(made, sampler, _Report())
    sampler.close()
    replay.close()  # Ended without saving, as by a kill.
    again, resumed = self.replay(**settings), _Report()
    self.assertEqual(again.info().size, 5)
    state = self.make()
    self.assertEqual(state.updates, 1)
    state.learn([], resumed)
    self.assertEqual(resumed.totals, unstopped.totals)


if __name__ == "__main__":
  absltest.main()
