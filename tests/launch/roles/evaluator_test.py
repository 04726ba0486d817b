"""Tests of adaland.launch.roles.evaluator, with fake episodes."""

import threading
import time
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import evaluator, parameters, role
from tests.launch.roles import fakes


class EvaluatorTest(absltest.TestCase):
  def test_it_plays_with_the_newest_parameters(self):
    played: list[Any] = []

    def play(env, tasks, trials, make_policy, seed):
      played.append((len(tasks), [task.name for task in tasks], env))
      # Only the last trial counts.
      return {k: np.array([[9.0, 1.0 * k], [9.0, 2.0 * k]]) for k in trials}

    config = overrides.apply(
      preset_configs.smoke(),
      ["cluster.eval_minutes=1e-6", "cluster.eval_tasks=2"],
    )
    setup = role.Setup(config, self.create_tempdir().full_path)
    server, store = parameters.ParameterServer(setup), fakes.Store()
    made = evaluator.Evaluator(setup, fakes.Peer(server), store)
    made_envs = object()
    for module, name, value in (
      (evaluator.builder, "environments", {config: made_envs}.__getitem__),
      (evaluator.os, "nice", lambda by: by),
      (evaluator, "_LOOK_SECONDS", 0.01),
      (evaluator.fewshot, "trial_rewards", play),
    ):
      self.enter_context(absltest.mock.patch.object(module, name, value))
    thread = threading.Thread(target=made.run)
    thread.start()
    time.sleep(0.05)
    self.assertEmpty(played)  # There are no parameters yet.
    server.publish(1, 7, store.put("w"))
    fakes.until(lambda: made.stats()["evaluations"] == 1)
    server.publish(2, 9, store.put("w"))
    fakes.until(lambda: made.stats()["evaluations"] == 2)
    made.stop()
    thread.join()
    stats = made.stats()
    self.assertEqual(stats["version"], 9)
    self.assertEqual(stats["rewards"], {1: 1.5, 2: 3.0})
    self.assertEqual(played[0][0], 2)
    self.assertIs(played[0][2], made_envs)


if __name__ == "__main__":
  absltest.main()
