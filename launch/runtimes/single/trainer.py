"""The trainer of a run in one process, which may be killed at any time.

The run depends on its config alone. Its schedule is counted in steps and
unrolls; the clock only decides when to write a checkpoint or a row of metrics,
and neither affects later steps. A checkpoint holds the whole state:
environments, memories, unrolls, counters and random keys.
"""

import time
from typing import Any

import jax

from adaland.agent import types
from adaland.agent.checkpoint import checkpoint
from adaland.envs import land, land_state
from adaland.launch import builder, errors
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.recipes import task_source
from adaland.launch.run import (
  counted_curriculum,
  heap,
  metrics,
  progress,
  resuming,
  rundir,
  status_file,
)
from adaland.launch.runtimes.single import learner_thread, prefetch, reports

# Steps between two points at which the run may be saved. Each point wakes all
# objects, which then take time to fall asleep again.
_SAVE_STEPS = 128


class Trainer:
  """A run in one process, from its start or last checkpoint to its end.

  Args:
    experiment: The run's config.
    run: The run's directory, begun and locked.
    line: The live line.
    save_steps: Steps between two points at which the run may be saved.

  Raises:
    UserError: If the newest checkpoint does not fit this run.
  """

  def __init__(
    self,
    experiment: ExperimentConfig,
    run: rundir.RunDir,
    line: progress.Progress,
    save_steps: int = _SAVE_STEPS,
  ):
    self._config = experiment
    self._run = run
    self._line = line
    self._save_steps = save_steps
    self._stop = False
    self._seconds = 0.0
    made = builder.agent(experiment)
    seed, device = experiment.run.seed, jax.local_devices()[0]
    learner = builder.learner(experiment, made.network, [device])
    self._learner = learner_thread.LearnerThread(
      learner,
      experiment.replay,
      builder.unroll_spec(experiment, made),
      builder.first_state(
        experiment, made, learner, bool(checkpoint.steps(run.checkpoints))
      ),
      seed,
      device,
    )
    # Physics on an accelerator leaves cores free to prepare tasks ahead;
    # physics on the processor uses them all.
    ahead = experiment.env.backend == "gpu"
    source = task_source.TaskSource(experiment)
    self._curriculum = counted_curriculum.CountedCurriculum(
      builder.curriculum(experiment, by_index=ahead),
      builder.decision_log(experiment, str(run.path)),
    )
    self._prefetcher = (
      prefetch.TaskPrefetcher(
        self._assign,
        prefetch.Maker(source, experiment.env),
        experiment.actor.envs_per_actor,
      )
      if ahead
      else None
    )
    self._pool = builder.snapshot_pool(experiment, str(run.path))
    self._actor = builder.device_actor(
      experiment,
      made,
      self._prefetcher.next_task if self._prefetcher else self._assign,
      self._curriculum.report,
      self._learner.insert,
      self._snapshot,
    )
    # Neither physics on an accelerator nor the memory of scripted players can
    # be saved: then episodes restart.
    self._exact = (
      land_state.can_save(self._environment) and not experiment.teaching.used
    )
    folder = str(run.checkpoints)
    if checkpoint.steps(folder):
      with errors.user_input(), errors.of_another_form(folder):
        self._restore(folder)
    self._curriculum.drop_lost_decisions()
    steps = self._curriculum.counters()["env_steps"]
    self._metrics = metrics.MetricsWriter(str(run.path), steps)

  def _assign(self) -> Any:
    [assignment] = self._curriculum.next_tasks(1)
    return assignment

  def _snapshot(self, number: int) -> types.Params:
    assert self._pool is not None
    return self._pool.get(number)

  def _restore(self, folder: str) -> None:
    """Restores the newest checkpoint."""
    resuming.check_launcher(folder, reports.LAUNCHER)
    arrays, saved, step = checkpoint.restore(folder, self.arrays)
    self._seconds = float(saved["seconds"])
    self._curriculum.load_state_dict(saved["played"])
    if self._pool is not None:
      self._pool.load_state_dict(saved["coplayers"])
    self._learner.load_state_dict(arrays, saved["learner"])
    if saved["environment"] is None:
      self._actor.restart_episodes(saved["actor"])
    else:
      land_state.load(self._environment, saved["environment"])
      self._actor.load_state_dict(
        arrays["actor"], saved["actor"], self._environment.tasks
      )
    steps = self._curriculum.counters()["env_steps"]
    self._line.say(
      f"resuming from update {step}, after {steps} steps and "
      f"{progress.duration(self._seconds)}"
    )

  @property
  def _environment(self) -> land.Land:
    environment = self._actor.environment
    assert isinstance(environment, land.Land)
    return environment

  @property
  def arrays(self) -> dict[str, Any]:
    """The part of the state in arrays, as a checkpoint holds it."""
    return {**self._learner.arrays, "actor": self._actor.arrays}

  @property
  def stopped(self) -> bool:
    """True if the run was asked to end early."""
    return self._stop

  def request_stop(self) -> None:
    """Ends the run at the next point where it may be saved, and saves it."""
    self._stop = True

  def counters(self) -> dict[str, float]:
    """Returns the counters over the whole run, restarts included."""
    return {
      **self._curriculum.counters(),
      "updates": self._learner.updates,
      "seconds": self._seconds,
    }

  @property
  def params(self) -> types.Params:
    """The target network's parameters."""
    return self._learner.params

  @property
  def time(self) -> int:
    """Steps taken so far by each environment."""
    return self._actor.time

  def _has_steps(self) -> bool:
    most = self._config.run.max_steps
    return most > 0 and self._curriculum.counters()["env_steps"] >= most

  def _is_over(self) -> bool:
    minutes = self._config.run.max_minutes
    return (
      self._stop
      or self._has_steps()
      or (minutes > 0 and self._seconds >= 60 * minutes)
    )

  def train(self) -> None:
    """Runs until a bound in the config is reached, or until asked to stop."""
    if self._is_over():
      status_file.end(self._run, reports.LAUNCHER, self.counters())
      return
    num_envs = self._config.actor.envs_per_actor
    device = jax.local_devices()[0]
    self._line.say(
      f"{num_envs} environments and the learner on {device.device_kind}; "
      "compiling"
    )
    run = self._config.run
    report = reports.Reports(
      run,
      self._run,
      self._line,
      self._metrics,
      self._learner,
      self._curriculum,
    )
    report.write_status("running", self.counters())
    before, start = self._seconds, None
    next_checkpoint = time.monotonic() + 60 * run.checkpoint_minutes
    while True:
      self.step()
      now = time.monotonic()
      # Compile time does not count as training.
      start = now if start is None else start
      self._seconds = before + now - start
      if report.due():
        report.show("running", self.counters())
      # The config alone decides after which step the run ends.
      if self._has_steps():
        break
      if self._actor.time % self._save_steps == 0:
        self._settle()
        if self._is_over():
          break
        if now >= next_checkpoint:
          self.save()
          next_checkpoint = time.monotonic() + 60 * run.checkpoint_minutes
    self._settle()
    self._learner.wait()
    report.show("ended", self.counters())
    self.save()

  def step(self) -> None:
    """Acts once in every environment, then starts the updates that are due."""
    self.act()
    self.learn()

  def act(self) -> None:
    """Acts once in every environment."""
    learner = self._learner
    steps = self._actor.step(learner.acting_params, learner.version)
    self._curriculum.count_steps(steps)
    if self._pool is not None and self._pool.offer(
      learner.version, learner.acting_params
    ):
      self._curriculum.set_snapshots(self._pool.numbers)

  def learn(self) -> None:
    """Starts the updates that are due."""
    progress = 0.0
    if self._config.learner.follows_progress:
      steps = self._curriculum.counters()["env_steps"]
      progress = self._config.run.progress(steps, self._seconds)
    self._learner.learn(progress)

  def wait(self) -> None:
    """Waits for all pending work, for measurements."""
    jax.block_until_ready(self.arrays)

  def _settle(self) -> None:
    """Puts the environments in a state that can be saved."""
    if self._exact:
      land_state.settle(self._environment)

  def save(self) -> None:
    """Writes a checkpoint; the environments must have just been settled."""
    pool = self._pool
    checkpoint.save(
      self._run.checkpoints,
      self._learner.updates,
      self.arrays,
      {
        **resuming.launcher(reports.LAUNCHER),
        "seconds": self._seconds,
        "played": self._curriculum.state_dict(),
        "coplayers": None if pool is None else pool.state_dict(),
        "learner": self._learner.state_dict(),
        "actor": self._actor.state_dict(),
        "environment": (
          land_state.save(self._environment) if self._exact else None
        ),
      },
    )
    if pool is not None:
      pool.tidy(self._actor.playing)
    # Writing leaves tens of megabytes of free memory in the heap.
    heap.trim()

  def close(self) -> None:
    """Ends the learner's thread and the prefetcher, and closes the files."""
    self._learner.close()
    if self._prefetcher is not None:
      self._prefetcher.close()
    self._metrics.close()
    self._line.close()
