"""A run in one process: acts, learns, and can be killed at any instruction.

The run is a function of its config alone. What is due when is counted in
steps and unrolls; the clock only says when to write a checkpoint or a row of
metrics, and neither changes what follows. A checkpoint holds everything that
the run goes on from: environments, memories, unrolls, counters, random keys.
"""

import time
from typing import Any

import jax

from adaland.agent import checkpoint, types
from adaland.envs import land, land_state
from adaland.launch import builder, errors
from adaland.launch.config import experiment as config
from adaland.launch.roles import curriculum_server, heap
from adaland.launch.run import metrics, metrics_row, progress, resuming, rundir
from adaland.launch.runtimes.single import learner_thread, prefetch

# Steps of the environments between two moments at which the run may be saved.
# Each costs some sleep: what lay still must be found still again.
_SAVE_STEPS = 128


class Trainer:
  """A run, from its start or its last checkpoint to its end.

  Args:
    experiment: The run's config.
    run: Its directory, begun and locked.
    line: Shows what goes on.

  Raises:
    UserError: If there is a checkpoint that this run can't go on from.
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
    made = builder.agent(experiment)
    seed, device = experiment.run.seed, jax.local_devices()[0]
    self._learning = learner_thread.Learning(
      builder.learner(experiment, made.network, [device]),
      experiment.replay,
      builder.unroll_spec(experiment, made),
      seed,
      device,
    )
    # On an accelerator tasks are made ready ahead; where physics takes the
    # processor, that would only take it from physics.
    ahead = experiment.env.backend == "gpu"
    self._desk = curriculum_server.CountedCurriculum(
      builder.curriculum(experiment, by_index=ahead)
    )
    self._ahead = (
      prefetch.AheadDesk(
        self._desk,
        prefetch.Maker(experiment.tasks, experiment.env),
        experiment.actor.envs_per_actor,
      )
      if ahead
      else None
    )
    self._player = builder.player(
      experiment, made, self._ahead or self._desk, self._learning.insert
    )
    # Physics on an accelerator can't be saved: then episodes start anew.
    self._exact = land_state.can_save(self._environment)
    folder = str(run.checkpoints)
    if checkpoint.steps(folder):
      with errors.user_input(), errors.of_another_form(folder):
        self._restore(folder)
    steps = self._desk.counters()["env_steps"]
    self._metrics = metrics.MetricsWriter(str(run.path), steps)

  def _restore(self, folder: str) -> None:
    """Takes up the newest checkpoint."""
    resuming.check_launcher(folder, "device")
    arrays, saved, step = checkpoint.restore(folder, self._arrays())
    self._seconds = float(saved["seconds"])
    self._desk.load_state_dict(saved["desk"])
    self._learning.load_state_dict(arrays, saved["learning"])
    if saved["environment"] is None:
      self._player.begin_anew(saved["player"])
    else:
      land_state.load(self._environment, saved["environment"])
      self._player.load_state_dict(
        arrays["player"], saved["player"], self._environment.tasks
      )
    steps = self._desk.counters()["env_steps"]
    self._line.say(
      f"going on from update {step}, after {steps} steps and "
      f"{progress.duration(self._seconds)}"
    )

  @property
  def _environment(self) -> land.Land:
    environment = self._player.environment
    assert isinstance(environment, land.Land)
    return environment

  def _arrays(self) -> dict[str, Any]:
    """What a checkpoint keeps as arrays."""
    return {**self._learning.arrays, "player": self._player.arrays}

  @property
  def stopped(self) -> bool:
    """Whether the run was asked to end before its time."""
    return self._stop

  def request_stop(self) -> None:
    """Ends the run when it may next be saved, with a checkpoint."""
    self._stop = True

  def counters(self) -> dict[str, float]:
    """All that grows monotonically over the run, restarts included."""
    return {
      **self._desk.counters(),
      "updates": self._learning.updates,
      "seconds": self._seconds,
    }

  @property
  def params(self) -> types.Params:
    """The target network's parameters."""
    return self._learning.params

  def _has_steps(self) -> bool:
    most = self._config.run.max_steps
    return most > 0 and self._desk.counters()["env_steps"] >= most

  def _is_over(self) -> bool:
    minutes = self._config.run.max_minutes
    return (
      self._stop
      or self._has_steps()
      or (minutes > 0 and self._seconds >= 60 * minutes)
    )

  def train(self) -> None:
    """Runs until the bounds of the config, or until asked to stop."""
    if self._is_over():
      return
    num_envs = self._config.actor.envs_per_actor
    device = jax.local_devices()[0]
    self._line.say(
      f"{num_envs} environments and the learner on {device.device_kind}; "
      "compiling"
    )
    run = self._config.run
    report = metrics_row.Status(run, self._line, self._metrics)
    before, start = self._seconds, None
    next_checkpoint = time.monotonic() + 60 * run.checkpoint_minutes
    while True:
      self.step()
      now = time.monotonic()
      # Getting ready is not training.
      start = now if start is None else start
      self._seconds = before + now - start
      if report.due():
        self._show(report)
      # Where it ends by its steps is part of the config: a step like any other.
      if self._has_steps():
        break
      if self._player.time % _SAVE_STEPS == 0:
        self._settle()
        if self._is_over():
          break
        if now >= next_checkpoint:
          self.save()
          next_checkpoint = time.monotonic() + 60 * run.checkpoint_minutes
    self._settle()
    self._show(report, force=True)
    self.save()

  def step(self) -> None:
    """Acts once in every environment, then begins the updates that are due."""
    self.play()
    self.learn()

  def play(self) -> None:
    """Acts once in every environment."""
    learning = self._learning
    self._player.step(learning.acting_params, learning.version)

  def learn(self) -> None:
    """Begins the updates that are due."""
    self._learning.learn()

  def wait(self) -> None:
    """Waits for all that was begun: to measure how long it takes."""
    jax.block_until_ready(self._arrays())

  def _settle(self) -> None:
    """Makes the environments fit to be saved."""
    if self._exact:
      land_state.settle(self._environment)

  def _show(self, report: metrics_row.Status, force: bool = False) -> None:
    """Shows and writes a row; waits for the numbers in it."""
    if force:
      self._learning.settle()
    for done in self._learning.take_done():
      report.add(done.values, int(done.steps), float(done.lag))
    report.show(self.counters(), self._desk, force)

  def save(self) -> None:
    """Writes a checkpoint; the environments have just been settled."""
    checkpoint.save(
      self._run.checkpoints,
      self._learning.updates,
      self._arrays(),
      {
        **resuming.launcher("device"),
        "seconds": self._seconds,
        "desk": self._desk.state_dict(),
        "learning": self._learning.state_dict(),
        "player": self._player.state_dict(),
        "environment": (
          land_state.save(self._environment) if self._exact else None
        ),
      },
    )
    # What writing left behind, tens of megabytes.
    heap.trim()

  def close(self) -> None:
    """Ends all that was started."""
    self._learning.close()
    if self._ahead is not None:
      self._ahead.close()
    self._metrics.close()
    self._line.close()
