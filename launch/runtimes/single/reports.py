"""Rows of metrics and the status file of a run in one process."""

import os
import platform

from adaland.launch.config import experiment
from adaland.launch.run import (
  counted_curriculum,
  metrics,
  metrics_row,
  progress,
  rundir,
  status_file,
)
from adaland.launch.runtimes.single import learner_thread

LAUNCHER = "device"


class Reports:
  """A writer of metrics and the status file.

  Args:
    config: Bounds of the run and the time between rows.
    run: The run's directory.
    line: The live line.
    writer: Receives the rows.
    learner: The learner.
    curriculum: The curriculum, which has the results of play.
  """

  def __init__(
    self,
    config: experiment.RunConfig,
    run: rundir.RunDir,
    line: progress.Progress,
    writer: metrics.MetricsWriter,
    learner: learner_thread.LearnerThread,
    curriculum: counted_curriculum.CountedCurriculum,
  ):
    self._run = run
    self._learner = learner
    self._curriculum = curriculum
    self._status = metrics_row.Status(config, line, writer)
    self._rates = progress.Rates()

  def due(self) -> bool:
    """Returns True if it is time for the next row."""
    return self._status.due()

  def show(self, state: str, counters: dict[str, float]) -> None:
    """Writes a row of metrics and the status file.

    Args:
      state: "running" or "ended".
      counters: The counters that grow over the whole run.
    """
    for update in self._learner.take_updates():
      self._status.add(update.values, int(update.steps), float(update.lag))
    self._curriculum.log_decisions()
    role = self._role()
    self._status.show(
      counters,
      self._curriculum,
      force=state == "ended",
      roles=status_file.metrics([role]),
    )
    self.write_status(state, counters, role)

  def write_status(
    self,
    state: str,
    counters: dict[str, float],
    role: status_file.RoleStatus | None = None,
  ) -> None:
    """Writes the status file; see `show` for the arguments."""
    roles = [role or self._role()]
    row = self._status.row
    status_file.write(self._run, LAUNCHER, state, counters, row, roles)

  def _role(self) -> status_file.RoleStatus:
    """Returns the status of this process, which has all roles of the run."""
    schedule = self._learner.schedule
    rates = self._rates(
      {
        "updates": self._learner.updates,
        "inserts": schedule.inserts,
        "samples": schedule.samples,
      }
    )
    return status_file.RoleStatus(
      name="learner",
      kind="learner",
      pid=os.getpid(),
      host=platform.node(),
      memory_mb=status_file.memory_mb(),
      restarts=0,
      heartbeat_age_s=0.0,
      numbers={
        **{f"{name}_per_s": rate for name, rate in rates.items()},
        "replay_size": schedule.size,
        "samples_per_insert": schedule.samples / max(schedule.inserts, 1),
      },
    )
