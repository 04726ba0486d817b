"""Tests of adaland.launch.runtimes.local with a learner that only counts.

train_test trains for real.
"""

import importlib.util
import io
import json
import os
import pickle
import time
import types
import unittest
from typing import Any, NamedTuple

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import spec as spec_lib
from adaland.curriculum import uniform
from adaland.launch import errors
from adaland.launch.config import overrides, presets
from adaland.launch.roles import learner_state
from adaland.launch.run import progress, rundir, scale_request, status_file
from adaland.launch.runtimes import local
from tests.agent.replay import examples
from tests.launch import fakes

_SPEC = spec_lib.UnrollSpec.from_unroll(examples.unroll())


class State(NamedTuple):
  """What learning goes on from: how much was learned, from what last."""

  target_params: Any


def _update(state, batch):
  total = state.target_params["w"] + np.float32(batch.params_version.sum())
  return State({"w": total}), {"loss/total": total}


class Report:
  """Keeps what an update says."""

  def __init__(self):
    self.totals, self.steps, self.lags = [], [], []

  def add(self, values, steps, lag):
    self.totals.append(float(values["loss/total"]))
    self.steps.append(steps)
    self.lags.append(lag)


class TrainerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.path = os.path.join(self.create_tempdir().full_path, "run")
    self.stream = io.StringIO()
    learner = types.SimpleNamespace(
      init=lambda key: State({"w": np.zeros((), np.float32)}),
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
          local.builder, name, lambda *args, value=value: value
        )
      )
    self.enter_context(
      absltest.mock.patch.object(
        local.builder,
        "curriculum",
        lambda config: uniform.UniformCurriculum(
          lambda i: fakes.make_task(), config.run.seed
        ),
      )
    )
    self.start = self.enter_context(
      absltest.mock.patch.object(local.local_actors, "start", return_value=[])
    )

  def make(self, *settings):
    config = overrides.apply(
      presets.smoke(),
      [
        "replay.kind=memory",
        "replay.sampling=queue",
        "replay.samples_per_insert=null",
        "replay.batch_size=2",
        "replay.min_size=1",
        "run.publish_updates=2",
        *settings,
      ],
    )
    run = rundir.RunDir(self.path)
    run.begin(config)
    made = local.Trainer(config, run, progress.Progress(self.stream, 0.0))
    self.addCleanup(made.close)
    return made

  def give(self, trainer, *numbers):
    for number in numbers:
      trainer.desk.insert_encoded(_SPEC.encode(examples.unroll(number)))

  def published(self, trainer):
    return pickle.loads(trainer._publisher.newer(-1))

  def test_it_learns_from_each_batch_and_publishes_now_and_then(self):
    made, report = self.make(), Report()
    self.give(made, 1, 2, 3, 4)
    self.assertEqual(self.published(made).version, 0)
    made.update(report)
    self.assertEqual(self.published(made).version, 0)
    made.update(report)
    version, params = self.published(made)
    self.assertEqual((version, float(params["w"])), (2, 10.0))
    self.assertEqual(report.totals, [3.0, 10.0])
    self.assertEqual(report.steps, [2 * 5, 2 * 5])
    self.assertEqual(report.lags, [0 - 1.5, 1 - 3.5])
    with absltest.mock.patch.object(learner_state, "SAMPLE_SECONDS", 0.01):
      made.update(report)  # There is no batch: nothing happens.
    self.assertEqual(made.counters()["updates"], 2)

  def test_it_goes_on_with_the_batch_it_had_drawn(self):
    made = self.make()
    self.give(made, 1, 2, 3, 4, 5)
    made.update(Report())
    made.desk.count_steps(60)
    made.save()
    made.close()
    again, report = self.make(), Report()
    self.assertIn(
      "going on from update 1, after 60 steps", self.stream.getvalue()
    )
    self.assertEqual(again.counters()["updates"], 1)
    self.assertEqual(again.counters()["env_steps"], 60)
    self.assertEqual(self.published(again).version, 1)
    again.update(report)
    self.give(again, 6)  # Its companion was in the store.
    again.update(report)
    self.assertEqual(report.totals, [3.0 + 7.0, 10.0 + 11.0])

  def test_a_checkpoint_of_another_form_is_refused(self):
    made = self.make()
    with absltest.mock.patch.object(learner_state, "SAMPLE_SECONDS", 0.01):
      made.save()
    made.close()
    path = made._run.checkpoints / "0" / "run.json"
    document = json.loads(path.read_text())
    for run in ({}, {**document["run"], "desk": {"env_steps": 1}}):
      path.write_text(json.dumps({**document, "run": run}))
      with self.assertRaisesRegex(errors.UserError, "checkpoints: is not of"):
        self.make()

  def test_without_a_batch_it_goes_on_too(self):
    made = self.make()
    with absltest.mock.patch.object(learner_state, "SAMPLE_SECONDS", 0.01):
      made.save()
    made.close()
    again, report = self.make(), Report()
    self.give(again, 8, 9)
    again.update(report)
    self.assertEqual(report.totals, [17.0])

  def test_a_replay_that_can_t_be_written_is_one_line_and_changes_nothing(self):
    made = self.make()
    self.give(made, 1, 2)
    made.save()
    folder = made._run.checkpoints
    before = checkpoint.steps(folder)
    made.update(Report())
    for error in (OSError(28, "No space left"), RuntimeError("No space left")):
      with (
        absltest.mock.patch.object(
          made._replay, "checkpoint", side_effect=error
        ),
        absltest.mock.patch.object(learner_state, "SAMPLE_SECONDS", 0.01),
        self.assertRaisesRegex(
          errors.RunError, "^cannot write checkpoint .*/replay: No space left$"
        ),
      ):
        made.save()
    self.assertEqual(checkpoint.steps(folder), before)

  @unittest.skipUnless(
    importlib.util.find_spec("reverb"), "Reverb is not installed"
  )
  def test_with_reverb_what_came_after_a_checkpoint_is_as_if_it_never_was(self):
    settings = (
      "replay.kind=reverb",
      "replay.sampling=uniform",
      "replay.capacity=10",
    )
    made = self.make(*settings)
    writer = made._replay.writer()
    for number in range(5):
      writer.insert(examples.unroll(number))
    while made._replay.info().size < 5:  # The last one may be on its way.
      time.sleep(0.01)
    made.update(Report())
    made.desk.count_steps(60)
    made.save()
    saved = made.counters()
    goes_on = Report()
    made.update(goes_on)
    made.update(Report())
    made.desk.count_steps(40)
    for number in range(3):
      writer.insert(examples.unroll(number))
    writer.close()
    made.close()  # Which saves nothing, as a kill.
    again, taken_up = self.make(*settings), Report()
    self.assertEqual(again.counters(), saved)
    self.assertEqual(again._replay.info().size, 5)
    again.update(taken_up)
    self.assertEqual(taken_up.totals, goes_on.totals)

  def test_what_lies_free_in_the_heap_is_given_back_now_and_then(self):
    made = self.make()
    self.give(made, 1, 2, 3, 4, 5, 6)
    with absltest.mock.patch.object(learner_state.heap, "trim") as trim:
      made.update(Report())
      trim.assert_not_called()
      made.learning._next_trim = 0.0
      made.update(Report())
      made.update(Report())
      trim.assert_called_once_with()

  def test_a_run_ends_at_its_steps_with_a_checkpoint(self):
    made = self.make("run.max_steps=100")
    self.give(made, 1, 2)

    def play(*args):
      made.desk.count_steps(100)
      return []

    self.start.side_effect = play
    made.train()
    self.assertFalse(made.stopped)
    rows = (made._run.path / "metrics.jsonl").read_text().splitlines()
    self.assertLen(rows, 1)
    self.assertIn("learner/wait_share", json.loads(rows[0]))
    status = status_file.read(made._run)
    self.assertEqual(status["state"], "ended")
    self.assertEqual(status["counters"]["env_steps"], 100)
    self.assertEqual(status["roles"]["learner"]["pid"], os.getpid())
    self.assertLen(checkpoint.steps(made._run.checkpoints), 1)
    self.start.reset_mock()
    made.train()  # Finished: no actor is started.
    self.start.assert_not_called()

  def test_actors_come_and_go_while_it_runs(self):
    made: Any = self.make("actor.num_actors=2")
    self.start.side_effect = lambda run, server, address, indices, *args: [
      absltest.mock.Mock(index=i, poll=lambda: False) for i in indices
    ]
    made._scale(2)
    before = made.actors
    scale_request.request(made._run, 3)
    made._supervise()
    self.assertEqual([actor.index for actor in made.actors], [0, 1, 2])
    self.assertEqual(made.actors[:2], before)
    scale_request.request(made._run, 1)
    made._supervise()
    self.assertEqual(made.actors, before[:1])
    before[1].terminate.assert_called_once()
    before[0].terminate.assert_not_called()

  def test_a_run_that_is_asked_to_stop_stops(self):
    made = self.make()
    self.give(made, 1, 2)
    self.start.side_effect = lambda *args: made.request_stop() or []
    made.train()
    self.assertTrue(made.stopped)
    self.assertEqual(made.counters()["updates"], 0)
    again, report = self.make(), Report()
    again.update(report)
    self.assertEqual(report.totals, [3.0])

  def test_what_an_actor_did_wrong_ends_the_run(self):
    made = self.make()
    with (
      absltest.mock.patch.object(
        made._server, "check", side_effect=ValueError("no unroll")
      ),
      self.assertRaisesRegex(ValueError, "no unroll"),
    ):
      made.train()


if __name__ == "__main__":
  absltest.main()
