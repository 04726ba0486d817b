"""The driver of a run of many roles, which starts, watches and ends them."""

import time
from typing import Any

from adaland.agent import types
from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors, output
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import trained_agent
from adaland.launch.roles import curriculum_server, factory
from adaland.launch.run import (
  metrics,
  progress,
  rundir,
  scale_request,
  status_file,
)
from adaland.launch.runtimes import program, runtime, status_rows, supervision

# Seconds between two polls at the end, while roles finish their work.
_END_LOOK_SECONDS = 0.5
# Roles that have not ended after this time are killed.
_END_SECONDS = 10.0


class Trainer:
  """A run, from its start or its last checkpoint to its end.

  Args:
    experiment: The run's config.
    run: Its directory, begun and locked.
    line: Shows progress.
    place: Runs the roles.
    end_seconds: Time that roles have to end after the learner.

  Raises:
    UserError: If the checkpoint is broken, or the runtime lacks a requested
      resource.
  """

  def __init__(
    self,
    experiment: ExperimentConfig,
    run: rundir.RunDir,
    line: progress.Progress,
    place: runtime.Runtime,
    end_seconds: float = _END_SECONDS,
  ):
    self._config = experiment
    self._run = run
    self._line = line
    self._runtime = place
    self._end_seconds = end_seconds
    self._stop = False
    self._num_actors = 0
    folder = str(run.path)
    self._setup = place.setup(experiment, folder)
    saved = curriculum_server.checkpoint_state(folder)
    self._counters = self._saved_counters(saved)
    # A run that was killed after its last step still has a checkpoint to write.
    self._complete = saved is not None and self._over()
    state = curriculum_server.saved_state(self._setup)
    self._counters = self._saved_counters(state)
    if not self._complete:
      program.check(self._setup)
      line.say(f"starting on {place.describe()}")
      # Here, not in `train`: Ray takes over signals, which `train` needs.
      place.open()
    self._metrics = metrics.MetricsWriter(
      folder, int(self._counters["env_steps"])
    )
    self.supervision = supervision.Supervision(
      place, experiment.cluster.hung_seconds, line.say
    )

  def _saved_counters(self, state: dict[str, Any] | None) -> dict[str, float]:
    """Returns the run's counters before anything is started.

    Args:
      state: Saved state of the curriculum server; None at the run's start.
    """
    steps = checkpoint.steps(self._run.checkpoints)
    with errors.of_another_form(str(self._run.checkpoints)):
      played = {} if state is None else state["played"]
      return {
        "env_steps": 0 if state is None else played["env_steps"],
        "episodes": played.get("episodes", 0),
        "updates": steps[-1] if steps else 0,
        "seconds": 0.0 if state is None else state["seconds"],
      }

  @property
  def stopped(self) -> bool:
    """True if the run was asked to end early."""
    return self._stop

  def request_stop(self) -> None:
    """Ends the run after the current update, with a checkpoint."""
    self._stop = True

  def counters(self) -> dict[str, float]:
    """Returns the counters over all starts of the run.

    They only grow, except at the end: what the last checkpoint lacks is lost.
    """
    return dict(self._counters)

  @property
  def params(self) -> types.Params:
    """The target network's parameters, of the newest checkpoint."""
    # This user has started the run, so its parts may be imported.
    return trained_agent.load(str(self._run.path), own_parts=True).params

  def _over(self) -> bool:
    """Returns True if a bound of the config is reached."""
    run, counters = self._config.run, self._counters
    return (0 < run.max_steps <= counters["env_steps"]) or (
      0 < 60 * run.max_minutes <= counters["seconds"]
    )

  def train(self) -> None:
    """Runs until a bound in the config is reached, or until asked to stop."""
    name = self._runtime.name
    if self._complete:
      status_file.end(self._run, name, self._counters)
      return
    self._start()
    report = status_rows.Rows(
      self._config, self._run, self._line, self._metrics, name
    )
    roles = self.supervision.roles
    while not self._stop and not self._over():
      self.supervision.poll(self._runtime.look_seconds)
      self._count()
      scaled = scale_request.take(self._run, self._config)
      if scaled is not None:
        self._config = scaled
        self._scale(scaled.actor.num_actors)
        self._line.say(f"{output.plural(self._num_actors, 'actor')} now")
      report.show(self._counters, roles)
    self._end()
    report.show(self._counters, roles, state="ended")

  def _start(self) -> None:
    actors = self._config.actor.num_actors
    server = factory.has_replay_server(self._setup)
    replay = "Reverb" if server else "in memory"
    self._line.say(
      f"starting {output.plural(actors, 'actor')}; replay: {replay}"
    )
    self._program = program.Program(self._setup, self._runtime.accelerators())
    self.supervision.start(list(self._program.roles))
    self._scale(actors)
    updates, steps = self._counters["updates"], self._counters["env_steps"]
    if steps:
      self._line.say(
        f"resuming from update {updates}, after {steps} steps and "
        f"{progress.duration(self._counters['seconds'])}"
      )

  def _scale(self, wanted: int) -> None:
    """Starts actors, or ends those with the highest numbers."""
    present = self._num_actors
    self.supervision.start(
      [self._program.actor(index) for index in range(present, wanted)]
    )
    for index in range(wanted, present):
      self.supervision.remove(f"actor {index}")
    self._num_actors = wanted

  def _count(self) -> None:
    """Updates the counters; a restarted role's may lag behind."""
    stats = dict(self.supervision.stats("curriculum"))
    stats["updates"] = self.supervision.stats("learner").get("updates", 0)
    for name, value in self._counters.items():
      self._counters[name] = max(value, stats.get(name, 0))

  def _end(self) -> None:
    """Tells the learner to write its checkpoint, then all roles to end.

    Actors end first, as their steps after the run's end would be lost.
    """
    watch, roles = self.supervision, self.supervision.roles
    actors = [name for name in roles if name.startswith("actor")]
    look = min(_END_LOOK_SECONDS, self._runtime.look_seconds)
    while not roles["learner"].done:
      # Repeated, as a restarted role has not been told.
      for name in (*actors, "learner"):
        watch.stop(name)
      watch.poll(look)
    if self._setup.restarts_alone:
      # Some of the answers were requested before the end.
      watch.poll(look)
      watch.poll(look)
      self._count()
      # A learner that died may have ended before it caught up.
      steps = checkpoint.steps(self._run.checkpoints)
      if steps:
        self._counters["updates"] = steps[-1]
    else:
      # The steps after the checkpoint are lost.
      state = curriculum_server.checkpoint_state(str(self._run.path))
      self._counters = self._saved_counters(state)
    deadline = time.monotonic() + self._end_seconds
    for name in roles:
      watch.stop(name)
    while time.monotonic() < deadline and not all(
      handle.done for handle in roles.values()
    ):
      watch.poll(look)

  def close(self) -> None:
    """Ends all roles and the runtime."""
    self._runtime.close()
    self._metrics.close()
    self._line.close()
