"""The evaluator's role: plays held-out tasks at intervals."""

import os
import threading
import time
from typing import Any

from adaland.launch import builder
from adaland.launch.evaluation import fewshot, tasksets
from adaland.launch.recipes import task_source
from adaland.launch.roles import parameters, peer, role
from adaland.launch.run import heap

_LOOK_SECONDS = 1.0
# Training takes precedence.
_NICENESS = 10


class Evaluator(role.Role):
  """A role that plays a few held-out tasks with the newest parameters.

  Args:
    setup: The run.
    parameter_server: The parameter server.
    store: Resolves references to parameters.
  """

  def __init__(
    self,
    setup: role.Setup,
    parameter_server: peer.Peer,
    store: parameters.Store,
  ):
    super().__init__("evaluator", setup)
    self._parameter_server = parameter_server
    self._store = store
    self._lock = threading.Lock()
    self._result: dict[str, Any] = {"evaluations": 0}

  def _work(self) -> None:
    os.nice(_NICENESS)
    heap.share()
    experiment = self.setup.experiment
    tasks = tasksets.many(
      "test",
      task_source.TaskSource(experiment, held_out=True),
      experiment.cluster.eval_tasks,
    )
    make_land = builder.environments(experiment)
    reader = parameters.Reader(
      self._parameter_server, _LOOK_SECONDS, self._store
    )
    due = 0.0
    while not self._stop.wait(_LOOK_SECONDS):
      if time.monotonic() < due:
        continue
      newest = reader.new_params()
      if newest is None:
        continue
      due = time.monotonic() + 60 * experiment.cluster.eval_minutes
      rewards = fewshot.trial_rewards(
        make_land,
        tasks,
        experiment.run.eval_trials,
        fewshot.self_play(experiment, newest.params),
        experiment.run.seed,
      )
      with self._lock:
        self._result = {
          "evaluations": self._result["evaluations"] + 1,
          "version": newest.version,
          "rewards": {
            # With two players, player 1's.
            k: float(each[:, -1].reshape(len(tasks), -1)[:, 0].mean())
            for k, each in rewards.items()
          },
        }
      heap.trim()

  def stats(self) -> dict[str, Any]:
    """Returns the last result and the number of evaluations."""
    with self._lock:
      return super().stats() | self._result
