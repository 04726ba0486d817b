"""What every launcher's learner does: draw, update, keep checkpoints.

The batch drawn but not yet learned from is part of a checkpoint, so that a
run that goes on from one makes the same next update as the run that wrote it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from agent import checkpoint, types
from agent.replay import base
from launch import builder, config, errors
from launch.roles import resuming

SAMPLE_SECONDS = 0.5


class Report(Protocol):
  """Takes in what an update says."""

  def add(self, values: Mapping[str, Any], steps: int, lag: float) -> None:
    """See `status.Status.add`."""
    ...


class Learning:
  """The learner's state, from its start or its last checkpoint.

  Args:
    experiment: The run's config.
    folder: Of the run's checkpoints.
    say: Shows a line.

  Attributes:
    spec: What one unroll looks like.
    updates: Done so far.
    saved: What the checkpoint that it goes on from keeps of the rest of the
      run, as `save` was given it; None at a run's start.
    waited: Seconds spent waiting for a batch.

  Raises:
    UserError: If the checkpoint is broken or of another agent.
  """

  def __init__(
    self,
    experiment: config.ExperimentConfig,
    folder: str,
    say: Callable[[str], None],
  ):
    self._config = experiment
    self._folder = folder
    self._say = say
    self._compiled = False
    self._batch: types.Unroll | None = None
    made = builder.agent(experiment)
    self._learner = builder.learner(experiment, made.network)
    self.spec = builder.unroll_spec(experiment, made)
    self._state = self._learner.init(jax.random.PRNGKey(experiment.run.seed))
    self.updates = 0
    self.waited = 0.0
    with errors.user_input(), errors.of_another_form(folder):
      self.saved = self._restore()

  def _restore(self) -> dict[str, Any] | None:
    """Takes up the newest checkpoint; returns what it says of the rest."""
    if not checkpoint.steps(self._folder):
      return None
    resuming.check_launcher(self._folder)
    template = builder.checkpoint_template(self._config, self._state, self.spec)
    state, saved, step = checkpoint.restore(self._folder, template)
    # Copied: device_put may share NumPy's memory, and an update that reuses
    # the buffers of its input would then write into freed memory.
    self._state = jax.tree.map(jnp.array, state["train"])
    self._batch = state["batch"] if saved["has_batch"] else None
    self.updates = step
    return saved

  @property
  def params(self) -> types.Params:
    """The target network's parameters, which act."""
    return self._state.target_params

  def draw(self, sampler: base.ReplaySampler) -> bool:
    """Has a batch ready, if one comes in time."""
    if self._batch is None:
      start = time.monotonic()
      try:
        self._batch = sampler.sample(timeout=SAMPLE_SECONDS)
      except TimeoutError:
        return False
      finally:
        self.waited += time.monotonic() - start
    return True

  def update(self, sampler: base.ReplaySampler, report: Report) -> bool:
    """Learns from one batch, if one comes in time; whether it did."""
    if not self.draw(sampler):
      return False
    batch, self._batch = self._batch, None
    assert batch is not None
    if not self._compiled:
      self._say("first batch: compiling the learner's update")
      self._compiled = True
    self._state, values = self._learner.update(self._state, batch)
    lag = self.updates - float(np.mean(batch.params_version))
    self.updates += 1
    report.add(values, int(batch.mask.sum()), lag)
    return True

  def save(self, rest: Mapping[str, Any]) -> None:
    """Writes a checkpoint.

    Args:
      rest: What the launcher keeps beside the learner; `saved` of the next
        start.

    Raises:
      OSError: If it can't be written; the earlier ones are untouched.
    """
    batch = self._batch
    if batch is None:
      batch = builder.batch_template(self._config, self.spec)
    checkpoint.save(
      self._folder,
      self.updates,
      {"train": self._state, "batch": batch},
      {**rest, "has_batch": self._batch is not None},
    )
