"""What every launcher's learner does: draw, update, keep checkpoints.

The batch drawn but not yet learned from is part of a checkpoint, so that a
run that goes on from one makes the same next update as the run that wrote it.

Several processes may learn together (`jax.distributed`): each draws its share
of every batch, and all make the same updates to the same state.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax.experimental import multihost_utils

from adaland.agent import types
from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import base
from adaland.launch import builder, errors
from adaland.launch.config import experiment as config
from adaland.launch.roles import heap
from adaland.launch.run import resuming

SAMPLE_SECONDS = 0.5
_TRIM_SECONDS = 10.0


class Report(Protocol):
  """Takes in what an update says."""

  def add(self, values: Mapping[str, Any], steps: int, lag: float) -> None:
    """See `status.Status.add`."""
    ...


class Share(NamedTuple):
  """Which of the processes that learn together this is.

  Attributes:
    rank: Its number, from 0.
    num_learners: How many there are.
  """

  rank: int = 0
  num_learners: int = 1


_ALONE = Share()


class Held(NamedTuple):
  """What a learner has drawn for the next update.

  Attributes:
    steps: Environment steps in it.
    version: The updates of the parameters that played it, on average.
  """

  steps: int
  version: float


class Learning:
  """The learner's state, from its start or its last checkpoint.

  Args:
    experiment: The run's config.
    folder: Of the run's checkpoints.
    say: Shows a line.
    share: Which of several learners this is.

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
    share: Share = _ALONE,
  ):
    heap.share()
    self._config = experiment
    self._folder = folder
    self._say = say
    self._share = share
    self._compiled = False
    self._next_trim = time.monotonic() + _TRIM_SECONDS
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
    self._state = self._learner.load(state["train"])
    if saved["has_batch"]:
      rank, num_learners = self._share
      self._batch = jax.tree.map(
        lambda x: np.split(x, num_learners)[rank], state["batch"]
      )
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

  @property
  def held(self) -> Held | None:
    """What has been drawn and not learned from."""
    if self._batch is None:
      return None
    return Held(
      int(self._batch.mask.sum()), float(np.mean(self._batch.params_version))
    )

  def update(self, sampler: base.ReplaySampler, report: Report) -> bool:
    """Learns from one batch, if one comes in time; whether it did."""
    if not self.draw(sampler):
      return False
    self.learn([], report)
    return True

  def learn(self, others: Sequence[Held], report: Report) -> None:
    """Learns from the batch that was drawn, at once with all other learners.

    Args:
      others: What those hold.
      report: Told of the whole batch.
    """
    batch, held = self._batch, self.held
    assert batch is not None
    assert held is not None
    self._batch = None
    if not self._compiled:
      self._say("first batch: compiling the learner's update")
      self._compiled = True
    self._state, values = self._learner.update(self._state, batch)
    parts = [held, *others]
    lag = self.updates - float(np.mean([part.version for part in parts]))
    self.updates += 1
    report.add(values, sum(part.steps for part in parts), lag)
    if time.monotonic() >= self._next_trim:
      heap.trim()
      self._next_trim = time.monotonic() + _TRIM_SECONDS

  def gather(self) -> types.Unroll | None:
    """Returns what was drawn, of all learners, who must call this at once.

    Of a single learner it may be nothing; several must all hold their share.
    """
    if self._share.num_learners == 1:
      return self._batch
    batch = self._batch
    assert batch is not None
    # As bytes: JAX would make 64-bit numbers 32-bit ones.
    sent = jax.tree.map(
      lambda x: np.ascontiguousarray(x).reshape(len(x), -1).view(np.uint8),
      batch,
    )
    whole = multihost_utils.process_allgather(sent, tiled=True)
    return jax.tree.map(
      lambda x, mine: (
        np.ascontiguousarray(x).view(mine.dtype).reshape(-1, *mine.shape[1:])
      ),
      whole,
      batch,
    )

  def save(self, rest: Mapping[str, Any], batch: types.Unroll | None) -> None:
    """Writes a checkpoint; of several learners one does.

    Args:
      rest: What the launcher keeps beside the learner; `saved` of the next
        start.
      batch: As `gather` returned it.

    Raises:
      OSError: If it can't be written; the earlier ones are untouched.
    """
    has_batch = batch is not None
    if batch is None:
      batch = builder.batch_template(self._config, self.spec)
    checkpoint.save(
      self._folder,
      self.updates,
      {"train": self._state, "batch": batch},
      {**rest, "has_batch": has_batch},
    )
