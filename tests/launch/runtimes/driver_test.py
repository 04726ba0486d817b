"""Tests of adaland.launch.runtimes.driver with roles that are made up."""

import io
import json
import os
import types

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch.config import overrides, presets
from adaland.launch.roles import curriculum_server
from adaland.launch.run import progress, rundir, scale_request, status_file
from adaland.launch.runtimes import driver
from tests.launch.roles import fakes


class _Handle:
  """A role that runs until it is told to stop."""

  def __init__(self, name, stats):
    self.name = name
    self.stopped = False
    self.ended = fakes.Reference(ready=False)
    self._stats = stats
    self.run = types.SimpleNamespace(remote=lambda: self.ended)
    self.stats = types.SimpleNamespace(remote=self._answer)
    self.stop = types.SimpleNamespace(remote=self._stop)

  def _answer(self):
    common = {"birth": "a", "pid": 1, "host": "h", "memory_mb": 1.0}
    return fakes.Reference(common | self._stats())

  def _stop(self):
    self.stopped = True
    self.ended.ready = True


class _Crew:
  """Roles whose counters grow by 100 steps with every look."""

  def __init__(self, setup):
    self.setup = setup
    self.steps, self.updates = 0, 0
    self.roles = {
      name: _Handle(name, getattr(self, f"_{name}", dict))
      for name in ("board", "curriculum", "learner")
    }
    self.actors: list[_Handle] = []

  def _curriculum(self):
    self.steps += 100
    seconds = self.steps / 100
    return {"env_steps": self.steps, "episodes": 1, "seconds": seconds}

  def _learner(self):
    self.updates += 1
    return {"updates": self.updates}

  def actor(self, index):
    self.actors.append(_Handle(f"actor {index}", dict))
    return self.actors[-1]


class TrainerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.ray = fakes.FakeRay()
    self.started: list[str] = []
    self.crews: list[_Crew] = []

    def make_crew(setup):
      self.crews.append(_Crew(setup))
      return self.crews[-1]

    self.enter_context(fakes.installed(self.ray))
    for target, name, value in (
      (driver.ray_cluster, "start", lambda at, name: self.started.append(at)),
      (driver.program, "Crew", make_crew),
      (driver, "_END_SECONDS", 0.01),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, value))
    self.folder = os.path.join(self.create_tempdir().full_path, "run")

  def make(self, *settings, address=""):
    config = overrides.apply(
      presets.smoke(), ["run.max_minutes=0", "actor.num_actors=2", *settings]
    )
    run = rundir.RunDir(self.folder)
    run.begin(config).close()
    line = progress.Progress(io.StringIO(), 0.0)
    made = driver.Trainer(config, run, line, address)
    self.addCleanup(made.close)
    return made

  def save(self, steps, env_steps, seconds=0.0):
    state = {"desk": {"env_steps": env_steps}, "seconds": seconds}
    folder = rundir.RunDir(self.folder).checkpoints
    checkpoint.save(folder, steps, {"x": np.zeros(1)}, state)

  def test_it_ends_at_its_steps(self):
    made = self.make("run.max_steps=500", address="head:1")
    made.train()
    self.assertEqual(self.started, ["head:1"])
    (crew,) = self.crews
    self.assertTrue(crew.setup.many_machines)
    self.assertGreaterEqual(made.counters()["env_steps"], 500)
    self.assertLen(crew.actors, 2)
    for handle in (*crew.actors, crew.roles["learner"]):
      self.assertTrue(handle.stopped)
    status = status_file.read(rundir.RunDir(self.folder))
    self.assertEqual(status["state"], "ended")
    self.assertEqual(status["counters"], made.counters())
    made.close()
    self.assertEqual(self.ray.shutdowns, 1)

  def test_counters_never_go_back(self):
    made = self.make("run.max_steps=1000000")
    made._start()
    made._supervisor.poll(0.1)
    made._count()
    before = made.counters()
    self.crews[0].steps, self.crews[0].updates = -100, -1
    made._supervisor.poll(0.1)
    made._count()
    self.assertEqual(made.counters(), before)

  def test_it_stops_when_it_is_asked_to(self):
    made = self.make("run.max_steps=1000000")
    made.request_stop()
    made.train()
    self.assertTrue(made.stopped)
    self.assertTrue(self.crews[0].roles["learner"].stopped)

  def test_actors_come_and_go(self):
    made = self.make("run.max_steps=2000")
    scale_request.request(made._run, 9)  # Of an earlier start: forgotten.
    numbers = [3, 1]
    poll = made._supervisor.poll

    def poll_and_ask(seconds):
      if numbers and made._num_actors:
        scale_request.request(made._run, numbers.pop(0))
      poll(seconds)

    made._supervisor.poll = poll_and_ask
    made.train()
    (crew,) = self.crews
    self.assertLen(crew.actors, 3)
    self.assertEqual(
      self.ray.killed, [(crew.actors[1], True), (crew.actors[2], True)]
    )
    roles = made._supervisor.roles
    self.assertIn("actor 0", roles)
    self.assertNotIn("actor 1", roles)
    self.assertEqual(made._run.read_config()["actor"]["num_actors"], 1)

  def test_a_run_that_is_over_starts_nothing(self):
    self.make("run.max_steps=1000")
    self.started.clear()
    self.save(7, 1000, 3.0)
    made = self.make("run.max_steps=1000")
    made.train()
    self.assertEmpty(self.started)
    self.assertEqual(
      made.counters(),
      {"env_steps": 1000, "episodes": 0, "updates": 7, "seconds": 3.0},
    )
    with open(os.path.join(self.folder, "status.json")) as file:
      status = json.load(file)
    self.assertEqual(status["state"], "ended")
    self.assertEqual(status["counters"], made.counters())

  def test_one_killed_before_its_last_checkpoint_writes_it(self):
    self.make("run.max_steps=1000")
    self.started.clear()
    self.save(7, 500)
    path = os.path.join(self.folder, "desk.json")
    state = {"desk": {"env_steps": 1200}, "seconds": 9.0}
    with open(path, "w") as file:
      json.dump({"format": curriculum_server.FORMAT, **state}, file)
    made = self.make("run.max_steps=1000")
    made.train()
    self.assertEqual(self.started, [""])
    self.assertTrue(self.crews[-1].roles["learner"].stopped)
    self.assertGreaterEqual(made.counters()["env_steps"], 1200)


if __name__ == "__main__":
  absltest.main()
