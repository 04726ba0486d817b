"""The evaluator's role: plays held-out tasks now and then."""

import os
import time
from typing import Any

from adaland.launch import builder, task_source
from adaland.launch.evaluation import fewshot, tasksets
from adaland.launch.evaluation import policies as policies_lib
from adaland.launch.roles import actor_channel, heap, peer, role

_LOOK_SECONDS = 1.0
# Given way to by what trains.
_NICENESS = 10


class EvaluatorRole(role.RunningRole):
  """Plays a few held-out tasks with the newest parameters.

  Args:
    setup: The run.
    board: Where parameters are found.
  """

  def __init__(self, setup: role.Setup, board: peer.Peer):
    super().__init__("evaluator", setup)
    self._board = board
    self._result: dict[str, Any] = {}
    self._count = 0

  def _work(self) -> None:
    os.nice(_NICENESS)
    heap.share()
    experiment = self.setup.experiment
    actor = builder.agent(experiment).actor
    tasks = tasksets.many(
      "test",
      task_source.TaskSource(experiment, held_out=True),
      experiment.cluster.eval_tasks,
    )
    reader = actor_channel.BoardReader(self._board, _LOOK_SECONDS)
    due = 0.0
    while not self._stop.wait(_LOOK_SECONDS):
      if time.monotonic() < due:
        continue
      newest = reader.new_params()
      if newest is None:
        continue
      due = time.monotonic() + 60 * experiment.cluster.eval_minutes
      params = newest.params
      rewards = fewshot.last_trial_rewards(
        experiment.env,
        tasks,
        experiment.run.eval_trials,
        lambda envs, p=params: policies_lib.Agent(
          actor, p, envs.num_envs, experiment.run.seed
        ),
        experiment.run.seed,
      )
      self._count += 1
      self._result = {
        "version": newest.version,
        "rewards": {k: sum(each) / len(each) for k, each in rewards.items()},
      }
      heap.trim()

  def stats(self) -> dict[str, Any]:
    """The last result and how many there were."""
    return super().stats() | {"evaluations": self._count, **self._result}
