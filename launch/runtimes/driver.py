"""The driver of a run on Ray: starts the roles, watches them, keeps score."""

import secrets
import time
from typing import Any

from adaland.agent import types
from adaland.agent.checkpoint import checkpoint
from adaland.launch.config import experiment as config
from adaland.launch.evaluation import trained_agent
from adaland.launch.roles import curriculum_server
from adaland.launch.roles import role as process
from adaland.launch.run import (
  metrics,
  progress,
  rundir,
  scale_request,
  status_file,
)
from adaland.launch.runtimes import (
  program,
  ray_cluster,
  status_rows,
  supervision,
)

# Each role is asked how it is once in this time, which costs it and this
# process a millisecond or two.
_LOOK_SECONDS = 1.0
# At the end, when answers are waited for.
_POLL_SECONDS = 0.5
# Roles that do not end by themselves by then are ended.
_END_SECONDS = 10.0


class Trainer:
  """A run, from its start or its last checkpoint to its end.

  Args:
    experiment: The run's config.
    run: Its directory, begun and locked.
    line: Shows what goes on.
    address: Of a cluster of Ray; empty for an own one.
  """

  def __init__(
    self,
    experiment: config.ExperimentConfig,
    run: rundir.RunDir,
    line: progress.Progress,
    address: str = "",
  ):
    self._config = experiment
    self._run = run
    self._line = line
    self._address = address
    self._stop = False
    self._started = False
    self._num_actors = 0
    folder = str(run.path)
    self._counters = self._saved_counters(
      curriculum_server.newest_state(folder)
    )
    # A run that was killed when it had its steps has a checkpoint to write.
    kept = curriculum_server.checkpoint_state(folder)
    self._complete = kept is not None and self._over(self._saved_counters(kept))
    if not self._complete:
      program.check(experiment)
      # Here, not in `train`: Ray takes signals, which `train` wants back.
      self._join()
    self._metrics = metrics.MetricsWriter(
      str(run.path), int(self._counters["env_steps"])
    )
    self._supervisor = supervision.Supervisor(
      experiment.cluster.hung_seconds, line.say
    )

  def _saved_counters(self, state: dict[str, Any] | None) -> dict[str, float]:
    """Where the run stands before anything is started.

    Args:
      state: Of the curriculum's role.
    """
    steps = checkpoint.steps(self._run.checkpoints)
    desk = {} if state is None else state["desk"]
    return {
      "env_steps": desk.get("env_steps", 0),
      "episodes": desk.get("episodes", 0),
      "updates": steps[-1] if steps else 0,
      "seconds": 0.0 if state is None else state["seconds"],
    }

  @property
  def stopped(self) -> bool:
    """Whether the run was asked to end before its time."""
    return self._stop

  def request_stop(self) -> None:
    """Ends the run after the update under way, with a checkpoint."""
    self._stop = True

  def counters(self) -> dict[str, float]:
    """All that grows monotonically over the run, restarts included."""
    return dict(self._counters)

  @property
  def params(self) -> types.Params:
    """The target network's parameters, of the newest checkpoint."""
    return trained_agent.load(str(self._run.path)).params

  def _over(self, counters: dict[str, float]) -> bool:
    """Whether the bounds of the config are reached."""
    run = self._config.run
    return (run.max_steps > 0 and counters["env_steps"] >= run.max_steps) or (
      run.max_minutes > 0 and counters["seconds"] >= 60 * run.max_minutes
    )

  def train(self) -> None:
    """Runs until the bounds of the config, or until asked to stop."""
    if self._complete:
      status_file.end(self._run, "ray", self._counters)
      return
    self._start()
    report = status_rows.Rows(
      self._config, self._run, self._line, self._metrics
    )
    while not self._stop and not self._over(self._counters):
      self._supervisor.poll(_LOOK_SECONDS)
      self._count()
      scaled = scale_request.take(self._run, self._config)
      if scaled is not None:
        self._config = scaled
        self._scale(scaled.actor.num_actors)
      report.show(self._counters, self._supervisor.roles)
    self._end()
    report.show(self._counters, self._supervisor.roles, state="ended")

  def _join(self) -> None:
    """Starts Ray or joins a cluster of it."""
    where = self._address or "this machine"
    self._line.say(f"starting Ray on {where}")
    # Of this start alone: what an earlier one left may take a while to go.
    ray_cluster.start(self._address, f"adaland-{secrets.token_hex(6)}")
    self._started = True

  def _start(self) -> None:
    actors = self._config.actor.num_actors
    self._line.say(f"starting {actors} actor(s)")
    setup = process.Setup(
      self._config, str(self._run.path), bool(self._address)
    )
    self._crew = program.Crew(setup)
    for name, handle in self._crew.roles.items():
      self._supervisor.add(name, handle, runs=name != "board")
    scale_request.forget(self._run)
    self._scale(actors)
    updates, steps = self._counters["updates"], self._counters["env_steps"]
    if steps:
      self._line.say(
        f"going on from update {updates}, after {steps} steps and "
        f"{progress.duration(self._counters['seconds'])}"
      )

  def _scale(self, wanted: int) -> None:
    """Adds actors, or ends those of the highest numbers."""
    there = self._num_actors
    for index in range(there, wanted):
      self._supervisor.add(f"actor {index}", self._crew.actor(index))
    for index in range(wanted, there):
      self._supervisor.remove(f"actor {index}")
    self._num_actors = wanted

  def _count(self) -> None:
    """Takes up the roles' counters; one that was restarted may lag behind."""
    stats = self._supervisor.stats("curriculum")
    stats = stats | {
      "updates": self._supervisor.stats("learner").get("updates", 0)
    }
    for name, value in self._counters.items():
      self._counters[name] = max(value, stats.get(name, 0))

  def _end(self) -> None:
    """Has the learner write its checkpoint, then all roles end.

    Actors end first: steps after the run's last are nobody's.
    """
    roles = self._supervisor.roles
    actors = [role for name, role in roles.items() if name.startswith("actor")]
    while not roles["learner"].done:
      # Told again and again: one that was restarted has not heard it.
      for role in (*actors, roles["learner"]):
        role.handle.stop.remote()
      self._supervisor.poll(_POLL_SECONDS)
    # Some of the answers were asked for before the end.
    self._supervisor.poll(_POLL_SECONDS)
    self._supervisor.poll(_POLL_SECONDS)
    self._count()
    running = [role for role in roles.values() if role.running is not None]
    deadline = time.monotonic() + _END_SECONDS
    for role in running:
      role.handle.stop.remote()
    while time.monotonic() < deadline and not all(r.done for r in running):
      self._supervisor.poll(_POLL_SECONDS)

  def close(self) -> None:
    """Ends all that was started."""
    if self._started:
      import ray

      ray.shutdown()  # All roles end with it.
      self._started = False
    self._metrics.close()
    self._line.close()
