"""A run on this machine: the learner in this process, the rest in others."""

import time

import jax

from adaland.agent import types
from adaland.agent.replay import factory
from adaland.launch import builder, errors
from adaland.launch.config import experiment as config
from adaland.launch.roles import desk, learner_state
from adaland.launch.run import (
  metrics,
  metrics_row,
  progress,
  rundir,
  scale_request,
  status_file,
)
from adaland.launch.runtimes import (
  children,
  local_actors,
  local_health,
  socket_rpc,
)

_SUPERVISE_SECONDS = 0.5
_REPLAY_FOLDER = "replay"


class Trainer:
  """A run, from its start or its last checkpoint to its end.

  Args:
    experiment: The run's config.
    run: Its directory, begun and locked.
    line: Shows what goes on.
  """

  def __init__(
    self,
    experiment: config.ExperimentConfig,
    run: rundir.RunDir,
    line: progress.Progress,
  ):
    self._config = experiment
    self._run = run
    self._line = line
    self._stop = False
    self._seconds = 0.0
    curriculum = builder.curriculum(experiment)
    checkpoints = str(run.checkpoints)
    self.learning = learner_state.Learning(experiment, checkpoints, line.say)
    saved = self.learning.saved
    if saved is not None:
      with errors.of_another_form(checkpoints):
        self._seconds = saved["seconds"]
        line.say(
          f"going on from update {self.learning.updates}, after "
          f"{saved['desk']['env_steps']} steps and "
          f"{progress.duration(self._seconds)}"
        )
    replay_path = str(run.path / _REPLAY_FOLDER)
    with errors.user_input():
      self._replay = factory.make_replay(
        experiment.replay,
        self.learning.spec,
        replay_path,
        experiment.run.seed,
        experiment.cluster.hung_seconds,
      )
    self._address = getattr(self._replay, "address", "")
    self.desk = desk.Desk(curriculum, None if self._address else self._replay)
    if saved is not None:
      with errors.of_another_form(checkpoints):
        self.desk.load_state_dict(saved["desk"])
    self._sampler = self._replay.sampler()
    self._publisher = socket_rpc.Publisher()
    self._publish()
    steps = self.desk.counters()["env_steps"]
    self._metrics = metrics.MetricsWriter(str(run.path), steps)
    self._server = socket_rpc.Server(self.desk, self._publisher)
    self.actors: list[children.Child] = []

  @property
  def stopped(self) -> bool:
    """Whether the run was asked to end before its time."""
    return self._stop

  def request_stop(self) -> None:
    """Ends the run after the update under way, with a checkpoint."""
    self._stop = True

  def counters(self) -> dict[str, float]:
    """All that grows monotonically over the run, restarts included."""
    return {
      **self.desk.counters(),
      "updates": self.learning.updates,
      "seconds": self._seconds,
    }

  @property
  def params(self) -> types.Params:
    """The target network's parameters, which act."""
    return self.learning.params

  def _publish(self) -> None:
    params = jax.device_get(self.learning.params)
    self._publisher.publish(self.learning.updates, params)

  def _finished(self) -> bool:
    run = self._config.run
    steps = self.desk.counters()["env_steps"]
    return (
      self._stop
      or (run.max_steps > 0 and steps >= run.max_steps)
      or (run.max_minutes > 0 and self._seconds >= 60 * run.max_minutes)
    )

  def train(self) -> None:
    """Runs until the bounds of the config, or until asked to stop."""
    if self._finished():
      status_file.end(self._run, "local", self.counters())
      return
    wanted = self._config.actor.num_actors
    self._line.say(f"starting {wanted} actor(s); replay: {self._replay_name()}")
    scale_request.forget(self._run)
    self._scale(wanted)
    run = self._config.run
    report = metrics_row.Status(run, self._line, self._metrics)
    self._health = local_health.Health(self.learning, self._replay)
    before, steps = self._seconds, self.desk.counters()["env_steps"]
    start = time.monotonic()
    next_checkpoint = start + 60 * run.checkpoint_minutes
    next_supervision = start
    while not self._finished():
      now = time.monotonic()
      if self.desk.counters()["env_steps"] == steps:
        start = now  # Getting ready is not training.
      self._seconds = before + now - start
      if now >= next_supervision:
        next_supervision = now + _SUPERVISE_SECONDS
        self._supervise()
      if now >= next_checkpoint:
        next_checkpoint = now + 60 * run.checkpoint_minutes
        self.save()
      self.update(report)
      if report.due():
        self._show(report, "running")
    self._seconds = before + time.monotonic() - start
    self._show(report, "ended")
    self.save()

  def _show(self, report: metrics_row.Status, state: str) -> None:
    """Writes a row of metrics and the status file."""
    roles = self._health.roles(self.actors, self._server.heard)
    shown = status_file.metrics(roles)
    report.show(self.counters(), self.desk, force=True, roles=shown)
    status_file.write(
      self._run, "local", state, self.counters(), report.row, roles
    )

  def _scale(self, wanted: int) -> None:
    """Starts actors, or ends those of the highest numbers."""
    # Differs from one start of the run to the next.
    first_seed = self.learning.updates + self.desk.counters()["env_steps"]
    children.stop(self.actors[wanted:])
    self.actors = self.actors[:wanted] + local_actors.start(
      self._run,
      self._server,
      self._address,
      range(len(self.actors), wanted),
      first_seed,
    )

  def _replay_name(self) -> str:
    return f"Reverb at {self._address}" if self._address else "in memory"

  def update(self, report: learner_state.Report) -> None:
    """Learns from one batch, if one comes in time."""
    if not self.learning.update(self._sampler, report):
      return
    if self.learning.updates % self._config.run.publish_updates == 0:
      self._publish()

  def _supervise(self) -> None:
    self._server.check()
    scaled = scale_request.take(self._run, self._config)
    if scaled is not None:
      self._config = scaled
      self._scale(scaled.actor.num_actors)
      self._line.say(f"{len(self.actors)} actor(s) now")
    hung_seconds = self._config.cluster.hung_seconds
    for child in self.actors:
      heard = self._server.heard.get(child.process.pid, 0.0)
      if child.kill_if_hung(heard, hung_seconds):
        self._line.say(f"{child.name} says nothing: killed")
      if child.poll():
        self._line.say(f"{child.name} died and was started again")

  def save(self) -> None:
    """Writes a checkpoint: replay first, then all the rest."""
    self.learning.draw(self._sampler)
    replay_path = str(self._run.path / _REPLAY_FOLDER)
    try:
      self._replay.checkpoint(replay_path)
    except (OSError, RuntimeError) as error:
      reason = (
        errors.describe_os_error(error)
        if isinstance(error, OSError)
        else str(error)
      )
      raise errors.RunError(
        f"cannot write checkpoint {replay_path}: {reason}"
      ) from error
    self.learning.save(
      {"desk": self.desk.state_dict(), "seconds": self._seconds},
      self.learning.gather(),
    )

  def close(self) -> None:
    """Ends all that was started."""
    self.desk.close()
    children.stop(self.actors)
    self._server.close()
    self._sampler.close()
    self._replay.close()
    self._metrics.close()
    self._line.close()
