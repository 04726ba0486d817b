"""Rows of metrics and the status file, from the roles' answers."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.run import (
  metrics,
  metrics_row,
  progress,
  rundir,
  status_file,
)
from adaland.launch.runtimes import supervision

# Maximum age of the status file.
_STATUS_SECONDS = 2.0


class Rows:
  """A writer of metrics and the status file, from the roles' last answers.

  Args:
    experiment: The run's config.
    run: Its directory.
    line: The live line.
    writer: Receives the rows.
    launcher: The launcher's name.
    clock: Monotonic seconds.
  """

  def __init__(
    self,
    experiment: ExperimentConfig,
    run: rundir.RunDir,
    line: progress.Progress,
    writer: metrics.MetricsWriter,
    launcher: str,
    clock: Callable[[], float] = time.monotonic,
  ):
    self._run = run
    self._launcher = launcher
    self._clock = clock
    self._status = metrics_row.Status(experiment.run, line, writer, clock)
    self._learned = _Learned()
    # By role: since the last status file, and since the last row.
    self._status_rates: dict[str, _Rates] = {}
    self._row_rates: dict[str, _Rates] = {}
    self._next = 0.0

  def show(
    self,
    counters: Mapping[str, float],
    roles: Mapping[str, supervision.RoleHandle],
    state: str = "running",
  ) -> None:
    """Writes a row and the status file if it is time, or at the end."""
    ended = state != "running"
    due = ended or self._status.due()
    if not due and self._clock() < self._next:
      return
    self._next = self._clock() + _STATUS_SECONDS
    status, row = self._status_rates, self._row_rates
    for role in roles.values():
      for rates in (status, row):
        rates.setdefault(role.name, _Rates()).see(role)
    shown = [self._role(role, roles, status) for role in roles.values()]
    if due:
      in_row = [self._role(role, roles, row) for role in roles.values()]
      self._learned.add_to(self._status, roles["learner"].stats)
      played = _Played(roles["curriculum"].stats)
      self._status.show(
        counters, played, force=ended, roles=status_file.metrics(in_row)
      )
    status_file.write(
      self._run, self._launcher, state, counters, self._status.row, shown
    )

  def _role(
    self,
    role: supervision.RoleHandle,
    roles: Mapping[str, supervision.RoleHandle],
    rates_of: Mapping[str, "_Rates"],
  ) -> status_file.RoleStatus:
    stats = role.stats
    rates = rates_of[role.name](role)
    numbers: dict[str, float] = {}
    kind = role.name.split()[0]
    if kind == "actor":
      numbers["steps_per_s"] = rates.get("steps", 0.0)
      learner = roles["learner"].stats
      if "version" in stats and "updates" in learner:
        lag = learner["updates"] - stats["version"]
        numbers["params_lag"] = max(0.0, lag)
    elif role.name == "learner":  # The first learner reports for all.
      numbers["updates_per_s"] = rates.get("count", 0.0)
      numbers["steps_per_s"] = rates.get("learned", 0.0)
      if rates.get("running"):
        numbers["wait_share"] = min(1.0, rates["waited"] / rates["running"])
      for name in ("devices", "processes"):
        if name in stats:
          numbers[name] = stats[name]
    elif "server_pid" in stats:
      for name in ("server_pid", "server_restarts"):
        numbers[name] = stats[name]
    elif kind == "curriculum":
      numbers["episodes_per_s"] = rates.get("episodes", 0.0)
    elif kind == "evaluator":
      numbers["evaluations"] = stats.get("evaluations", 0)
      numbers |= {
        f"reward_{trials}_trials": reward
        for trials, reward in stats.get("rewards", {}).items()
      }
      if "version" in stats:
        numbers["version"] = stats["version"]
    if "inserts" in stats:  # The replay server, or a learner with the store.
      numbers |= {
        "replay_size": stats["size"],
        "inserts_per_s": rates.get("inserts", 0.0),
        "samples_per_s": rates.get("samples", 0.0),
        "samples_per_insert": stats["samples"] / max(stats["inserts"], 1),
      }
    return status_file.RoleStatus(
      role.name,
      kind,
      stats.get("pid", 0),
      stats.get("host", ""),
      stats.get("memory_mb", 0.0),
      role.restarts,
      self._clock() - role.last_heartbeat,
      numbers,
    )


class _Played:
  """The curriculum server's last answer; see `metrics_row.Played`."""

  def __init__(self, stats: Mapping[str, Any]):
    self._stats = stats

  def trial_rewards(self) -> list[float]:
    """See `CountedCurriculum.trial_rewards`."""
    return self._stats.get("trial_rewards", [])

  def episode_reward(self) -> float:
    """See `CountedCurriculum.episode_reward`."""
    return self._stats.get("episode_reward", 0.0)

  def curriculum_metrics(self) -> dict[str, float]:
    """See `CountedCurriculum.curriculum_metrics`."""
    return self._stats.get("curriculum", {})


class _Rates:
  """Growth per second of a role's totals, from answer to answer."""

  def __init__(self):
    self._incarnation = ""
    self._answered = 0.0
    self._last: dict[str, float] = {}
    self._rates: dict[str, float] = {}

  def see(self, role: supervision.RoleHandle) -> None:
    """Starts from the role's last answer if its process is another one."""
    if role.stats.get("incarnation", "") != self._incarnation:
      self._rates = {}
      self._take(role)

  def __call__(self, role: supervision.RoleHandle) -> dict[str, float]:
    """Returns the rates from the last call's answer to the last one."""
    self.see(role)
    seconds = role.last_heartbeat - self._answered
    if seconds > 0:
      before = self._last
      self._take(role)
      # A restarted Reverb server's totals are those of its checkpoint, while
      # its role lives on.
      self._rates = {
        name: max(0.0, value - before.get(name, value)) / seconds
        for name, value in self._last.items()
      }
    return self._rates

  def _take(self, role: supervision.RoleHandle) -> None:
    self._incarnation = role.stats.get("incarnation", "")
    self._answered = role.last_heartbeat
    self._last = {
      name: float(value)
      for name, value in role.stats.items()
      if isinstance(value, int | float)
    }


class _Learned:
  """Means of the learner's metrics over the updates since the last row.

  A metric is averaged over the updates that have it.
  """

  def __init__(self):
    self._last: dict[str, Any] = {}

  def add_to(self, shown: metrics_row.Status, stats: Mapping[str, Any]) -> None:
    """Adds the updates since the last call to the current row."""
    if "count" not in stats:
      return
    same = stats["incarnation"] == self._last.get("incarnation")
    last = self._last if same else {}
    count = stats["count"] - last.get("count", 0)
    if count > 0:
      sums, counts = last.get("sums", {}), last.get("counts", {})
      shown.add(
        {
          name: (total - sums.get(name, 0.0)) / new
          for name, total in stats["sums"].items()
          if (new := stats["counts"][name] - counts.get(name, 0)) > 0
        },
        stats["learned"] - last.get("learned", 0),
        (stats["lag_sum"] - last.get("lag_sum", 0.0)) / count,
        count,
      )
    self._last = dict(stats)
