"""Tests of local_health on processes that are made up."""

import os
import types
from typing import Any

from absl.testing import absltest

from adaland.agent.replay import base
from adaland.launch.run import progress
from adaland.launch.runtimes import local_health


class HealthTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    clock = absltest.mock.patch.object(progress.time, "monotonic")
    self.clock = self.enter_context(clock)
    self.clock.return_value = 100.0
    self.learner: Any = types.SimpleNamespace(updates=5, waited=1.0)
    self.counts = base.Counts(4, 10, 20)

  def later(self):
    self.clock.return_value = 110.0
    self.learner.updates, self.learner.waited = 25, 3.5
    self.counts = base.Counts(8, 30, 60)

  def info(self):
    return self.counts

  def test_a_store_of_its_own_process(self):
    replay: Any = types.SimpleNamespace(
      info=self.info, pid=1, restarts=2, answered=106.5
    )
    made = local_health.Health(self.learner, replay)
    self.later()
    child: Any = types.SimpleNamespace(
      name="actor 0",
      silence=lambda heard: 110.0 - heard,
      process=types.SimpleNamespace(pid=os.getpid()),
      restarts=3,
    )
    learner, store, actor = made.roles([child], {os.getpid(): 108.0})
    self.assertEqual(
      learner.numbers, {"updates_per_s": 2.0, "wait_share": 0.25}
    )
    self.assertEqual(
      store.numbers,
      {
        "replay_size": 8,
        "inserts_per_s": 2.0,
        "samples_per_s": 4.0,
        "samples_per_insert": 2.0,
      },
    )
    self.assertEqual((store.pid, store.restarts), (1, 2))
    self.assertEqual((actor.kind, actor.restarts), ("actor", 3))
    silences = [role.silent_s for role in (learner, store, actor)]
    self.assertEqual(silences, [0.0, 3.5, 2.0])
    self.assertGreater(actor.memory_mb, 1.0)

  def test_a_store_in_the_learner_s_process(self):
    replay: Any = types.SimpleNamespace(info=self.info)
    made = local_health.Health(self.learner, replay)
    self.later()
    (learner,) = made.roles([], {})
    self.assertEqual(learner.numbers["replay_size"], 8)
    self.assertEqual(learner.numbers["updates_per_s"], 2.0)

  def test_a_server_that_does_not_answer(self):
    def info():
      raise TimeoutError("No replay server")

    replay: Any = types.SimpleNamespace(info=info, pid=1)
    learner, store = local_health.Health(self.learner, replay).roles([], {})
    self.assertEqual(learner.numbers["wait_share"], 0.0)
    self.assertEqual(store.numbers, {})


if __name__ == "__main__":
  absltest.main()
