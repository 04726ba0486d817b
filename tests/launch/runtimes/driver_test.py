"""Tests of adaland.launch.runtimes.driver with fake roles."""

import io
import json
import os

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import curriculum_server
from adaland.launch.run import progress, rundir, scale_request, status_file
from adaland.launch.runtimes import driver
from tests.launch.runtimes import fakes


class TrainerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    self.run_dir = rundir.RunDir(self.folder)
    self.stream = io.StringIO()
    self.steps, self.updates = 0, 0
    self.each_poll = lambda number: None

  def curriculum(self):
    """Returns counters of a curriculum server, which grow with every call."""
    self.steps += 100
    seconds = self.steps / 100
    return {"env_steps": self.steps, "episodes": 1, "seconds": seconds}

  def learner(self):
    self.updates += 1
    return {"updates": self.updates}

  def make(self, *settings):
    config = overrides.apply(
      preset_configs.smoke(),
      ["run.max_minutes=0", "actor.num_actors=2", *settings],
    )
    self.run_dir.begin(config).close()
    self.place = fakes.FakeRuntime(
      {"curriculum": self.curriculum, "learner": self.learner},
      lambda number: self.each_poll(number),
    )
    line = progress.Progress(self.stream, 0.0)
    made = driver.Trainer(config, self.run_dir, line, self.place, 0.01)
    self.addCleanup(made.close)
    return made

  def save(self, step, env_steps, seconds=0.0, **more):
    state = {"played": {"env_steps": env_steps, **more}, "seconds": seconds}
    folder = self.run_dir.checkpoints
    checkpoint.save(folder, step, {"x": np.zeros(1)}, state)

  def test_it_ends_at_its_steps(self):
    made = self.make("run.max_steps=500")
    made.train()
    self.assertFalse(made.stopped)
    self.assertGreaterEqual(made.counters()["env_steps"], 500)
    self.assertLess(made.counters()["env_steps"], 1500)
    self.assertContainsSubset(
      {"parameters", "curriculum", "learner", "actor 0", "actor 1"},
      self.place.running,
    )
    self.assertContainsSubset(
      {"actor 0", "actor 1", "learner"}, self.place.stopped
    )
    status = status_file.read(self.run_dir)
    self.assertEqual((status["launcher"], status["state"]), ("fake", "ended"))
    self.assertEqual(status["counters"], made.counters())
    made.close()
    self.assertEqual(self.place.closed, 1)

  def test_it_ends_at_its_minutes(self):
    made = self.make("run.max_minutes=0.1")
    made.train()
    self.assertBetween(made.counters()["seconds"], 6.0, 15.0)

  def test_actors_end_before_the_others(self):
    stopped = []
    self.each_poll = lambda number: stopped.append(set(self.place.stopped))
    self.make("run.max_steps=500").train()
    first = next(names for names in stopped if names)
    self.assertEqual(first, {"actor 0", "actor 1", "learner"})
    self.assertIn("curriculum", self.place.stopped)

  def rows(self):
    path = self.run_dir.path / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]

  def test_counters_never_go_back(self):
    def fall(number):
      if number == 3:
        self.steps, self.updates = -100, -1

    self.each_poll = fall
    self.make("run.max_steps=1000", "run.log_seconds=1e-9").train()
    rows = self.rows()
    self.assertGreater(len(rows), 5)
    for name in ("env_steps", "updates"):
      values = [row[name] for row in rows]
      self.assertEqual(values, sorted(values))

  def test_at_the_end_updates_are_those_of_the_agent(self):
    def fall(number):
      # The learner dies, and ends with its third update.
      if "learner" in self.place.stopped:
        self.updates = 2
        self.save(3, self.steps)

    self.each_poll = fall
    made = self.make("run.max_steps=1000", "run.log_seconds=1e-9")
    made.train()
    self.assertEqual(made.counters()["updates"], 3)
    status = status_file.read(self.run_dir)
    self.assertEqual(status["counters"], made.counters())
    *_, before, last = self.rows()
    self.assertGreater(before["updates"], 3)
    self.assertEqual((last["updates"], last["updates_per_s"]), (3, 0))

  def test_where_roles_end_together_steps_after_the_checkpoint_are_lost(self):
    def write(number):
      if "learner" in self.place.stopped:
        self.save(3, 400, 2.5, episodes=4)

    self.each_poll = write
    with absltest.mock.patch.object(fakes.FakeRuntime, "restarts_alone", False):
      made = self.make("run.max_steps=1000")
    made.train()
    self.assertEqual(
      made.counters(),
      {"env_steps": 400, "episodes": 4, "updates": 3, "seconds": 2.5},
    )
    status = status_file.read(self.run_dir)
    self.assertEqual(status["counters"], made.counters())

  def test_it_stops_when_it_is_asked_to(self):
    made = self.make("run.max_steps=1000000")
    made.request_stop()
    made.train()
    self.assertTrue(made.stopped)
    self.assertIn("learner", self.place.stopped)

  def test_actors_come_and_go(self):
    made = self.make("run.max_steps=2000")
    requests = {2: 3, 5: 1}

    def ask(number):
      if number in requests:
        scale_request.request(self.run_dir, requests[number])

    self.each_poll = ask
    made.train()
    self.assertEqual(self.place.removed, ["actor 1", "actor 2"])
    self.assertIn("actor 0", self.place.running)
    self.assertEqual(self.run_dir.read_config()["actor"]["num_actors"], 1)
    self.assertIn("1 actor now", self.stream.getvalue())

  def test_a_request_before_the_roles_start_is_obeyed(self):
    made = self.make("run.max_steps=500")
    scale_request.request(self.run_dir, 3)
    made.train()
    self.assertIn("actor 2", self.place.specs)
    self.assertIn("3 actors now", self.stream.getvalue())

  def test_a_run_that_is_over_starts_nothing(self):
    self.make("run.max_steps=1000")
    self.save(7, 1000, 3.0)
    made = self.make("run.max_steps=1000")
    made.train()
    self.assertEqual(self.place.opened, 0)
    self.assertEmpty(self.place.running)
    self.assertEqual(
      made.counters(),
      {"env_steps": 1000, "episodes": 0, "updates": 7, "seconds": 3.0},
    )
    status = status_file.read(self.run_dir)
    self.assertEqual(status["state"], "ended")
    self.assertEqual(status["counters"], made.counters())

  def test_a_run_killed_before_its_last_checkpoint_writes_it(self):
    self.make("run.max_steps=1000")
    self.save(7, 500)
    path = self.run_dir.path / curriculum_server.FILE
    state = {"played": {"env_steps": 1200}, "seconds": 9.0}
    path.write_text(json.dumps({"format": curriculum_server.FORMAT, **state}))
    made = self.make("run.max_steps=1000")
    made.train()
    self.assertEqual(self.place.opened, 1)
    self.assertIn("learner", self.place.stopped)
    self.assertGreaterEqual(made.counters()["env_steps"], 1200)

  def test_it_says_where_a_resumed_run_is(self):
    self.make("run.max_steps=1000")
    self.save(7, 500, 3.0)
    self.make("run.max_steps=1000").train()
    self.assertIn(
      "resuming from update 7, after 500 steps and 3s", self.stream.getvalue()
    )

  def test_a_checkpoint_of_another_form_is_bad_input(self):
    self.make("run.max_steps=1000")
    self.save(7, 500)
    path = self.run_dir.checkpoints / "7" / "run.json"
    document = json.loads(path.read_text())
    for run in ({}, {"played": {}}, {"played": {"env_steps": 5}}):
      path.write_text(json.dumps({**document, "run": run}))
      with self.assertRaisesRegex(errors.UserError, "checkpoints: is not of"):
        self.make("run.max_steps=1000")


if __name__ == "__main__":
  absltest.main()
