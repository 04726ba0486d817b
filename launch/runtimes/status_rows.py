"""What the roles say, made into rows of metrics and the status file."""

import time
from collections.abc import Mapping
from typing import Any

from adaland.launch.config import experiment as config
from adaland.launch.run import (
  metrics,
  metrics_row,
  progress,
  rundir,
  status_file,
)
from adaland.launch.runtimes import supervision

# The status file is at most this old.
_STATUS_SECONDS = 2.0


class Rows:
  """Makes rows and the status file of what the roles answered last.

  Args:
    experiment: The run's config.
    run: Its directory.
    line: The live line.
    writer: Where rows go.
  """

  def __init__(
    self,
    experiment: config.ExperimentConfig,
    run: rundir.RunDir,
    line: progress.Progress,
    writer: metrics.MetricsWriter,
  ):
    self._run = run
    self._status = metrics_row.Status(experiment.run, line, writer)
    self._learned = _Learned()
    self._rates: dict[str, _Rates] = {}
    self._next = 0.0

  def show(
    self,
    counters: Mapping[str, float],
    roles: Mapping[str, supervision.Watched],
    state: str = "running",
  ) -> None:
    """Writes a row and the status file if it is time, or at the end."""
    ended = state != "running"
    due = ended or self._status.due()
    if not due and time.monotonic() < self._next:
      return
    self._next = time.monotonic() + _STATUS_SECONDS
    shown = [self._role(role, roles) for role in roles.values()]
    if due:
      self._learned.add_to(self._status, roles["learner"].stats)
      desk = _Desk(roles["curriculum"].stats)
      self._status.show(
        counters, desk, force=ended, roles=status_file.metrics(shown)
      )
    status_file.write(
      self._run, "ray", state, counters, self._status.row, shown
    )

  def _role(
    self,
    role: supervision.Watched,
    roles: Mapping[str, supervision.Watched],
  ) -> status_file.RoleStatus:
    stats = role.stats
    rates = self._rates.setdefault(role.name, _Rates())(role)
    numbers: dict[str, float] = {}
    kind = role.name.split()[0]
    if kind == "actor":
      numbers["steps_per_s"] = rates.get("steps", 0.0)
      learner = roles["learner"].stats
      if "version" in stats and "updates" in learner:
        lag = learner["updates"] - stats["version"]
        numbers["params_lag"] = max(0.0, lag)
    elif role.name == "learner":  # Of several, the one that speaks for all.
      numbers["updates_per_s"] = rates.get("count", 0.0)
      numbers["steps_per_s"] = rates.get("learned", 0.0)
      if rates.get("running"):
        numbers["wait_share"] = min(1.0, rates["waited"] / rates["running"])
      for name in ("devices", "processes"):
        if name in stats:
          numbers[name] = stats[name]
    elif "server_pid" in stats:
      numbers["server_pid"] = stats["server_pid"]
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
    if "inserts" in stats:  # The replay server, or the learner in its stead.
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
      time.monotonic() - role.answered,
      numbers,
    )


class _Desk:
  """What the curriculum's role said last, as `status` reads it."""

  def __init__(self, stats: Mapping[str, Any]):
    self._stats = stats

  def trial_rewards(self) -> list[float]:
    return self._stats.get("trial_rewards", [])

  def curriculum_metrics(self) -> dict[str, float]:
    return self._stats.get("curriculum", {})


class _Rates:
  """Growth a second of a process's totals, from answer to answer."""

  def __init__(self):
    self._birth = ""
    self._answered = 0.0
    self._last: dict[str, float] = {}
    self._rates: dict[str, float] = {}

  def __call__(self, role: supervision.Watched) -> dict[str, float]:
    """Returns the rates up to the role's last answer."""
    now = {
      name: float(value)
      for name, value in role.stats.items()
      if isinstance(value, int | float)
    }
    seconds = role.answered - self._answered
    if role.stats.get("birth") != self._birth:
      self._rates = {}
    elif seconds > 0:
      self._rates = {
        name: (value - self._last.get(name, value)) / seconds
        for name, value in now.items()
      }
    self._birth = role.stats.get("birth", "")
    self._answered, self._last = role.answered, now
    return self._rates


class _Learned:
  """Means over the updates since the last row, of the learner's sums."""

  def __init__(self):
    self._last: dict[str, Any] = {}

  def add_to(self, shown: metrics_row.Status, stats: Mapping[str, Any]) -> None:
    """Adds what is new to a row under way."""
    if "count" not in stats:
      return
    last = self._last if stats["birth"] == self._last.get("birth") else {}
    count = stats["count"] - last.get("count", 0)
    if count > 0:
      sums = last.get("sums", {})
      shown.add(
        {
          name: (total - sums.get(name, 0.0)) / count
          for name, total in stats["sums"].items()
        },
        stats["learned"] - last.get("learned", 0),
        (stats["lag_sum"] - last.get("lag_sum", 0.0)) / count,
        count,
      )
    self._last = dict(stats)
