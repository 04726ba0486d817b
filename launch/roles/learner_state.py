"""The learner's state, which draws batches, updates, and keeps checkpoints.

A batch drawn but not yet learned from is part of a checkpoint, so a resumed run
makes the same next update as the run that wrote the checkpoint.

Several processes may learn together (`jax.distributed`): each draws its shard
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
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.run import heap, resuming

SAMPLE_SECONDS = 0.5
_TRIM_SECONDS = 10.0


class Report(Protocol):
  """A receiver of the metrics of updates."""

  def add(self, values: Mapping[str, Any], steps: int, lag: float) -> None:
    """Takes in one update.

    Args:
      values: The update's metrics, perhaps still being computed.
      steps: Environment steps in the batch.
      lag: Updates since the parameters that acted in the batch, on average.
    """
    ...


class Shard(NamedTuple):
  """One learner's part of every batch.

  Attributes:
    rank: The learner's number, from 0.
    num_learners: Number of learners.
  """

  rank: int = 0
  num_learners: int = 1


_WHOLE = Shard()


class BatchInfo(NamedTuple):
  """A summary of the batch that a learner holds.

  Attributes:
    steps: Number of steps of players: with two that learn, a step of an
      environment counts twice.
    version: Version of the parameters that acted in it, on average.
  """

  steps: int
  version: float


class LearnerState:
  """The state of learning, from the run's start or its last checkpoint.

  Args:
    experiment: The run's config.
    folder: The folder of the run's checkpoints.
    say: Shows a line.
    shard: This learner's part of every batch.

  Attributes:
    spec: The unrolls' shapes and types.
    updates: Number of updates so far.
    saved: The `rest` that `save` wrote into the checkpoint; None at a run's
      start.
    waited: Seconds spent waiting for a batch.

  Raises:
    UserError: If the checkpoint is broken or another agent's.
  """

  def __init__(
    self,
    experiment: ExperimentConfig,
    folder: str,
    say: Callable[[str], None],
    shard: Shard = _WHOLE,
  ):
    heap.share()
    self._config = experiment
    self._folder = folder
    self._say = say
    self._shard = shard
    self._compiled = False
    self._next_trim = time.monotonic() + _TRIM_SECONDS
    self._batch: types.Unroll | None = None
    made = builder.agent(experiment)
    self._learner = builder.learner(experiment, made.network)
    self.spec = builder.unroll_spec(experiment, made)
    self.updates = 0
    self.waited = 0.0
    self.saved: dict[str, Any] | None = None
    if checkpoint.steps(folder):
      with errors.user_input(), errors.of_another_form(folder):
        self.saved = self._restore()
    else:
      self._state = builder.first_state(experiment, made, self._learner)

  def _restore(self) -> dict[str, Any]:
    """Loads the newest checkpoint; returns its `rest`."""
    resuming.check_launcher(self._folder)
    # Shapes suffice: the program that draws a state takes seconds to compile.
    key = jax.random.PRNGKey(self._config.run.seed)
    shapes = jax.eval_shape(self._learner.init, key)
    template = builder.checkpoint_template(self._config, shapes, self.spec)
    state, saved, step = checkpoint.restore(self._folder, template)
    self._state = self._learner.load(state["train"])
    if saved["has_batch"]:
      rank, num_learners = self._shard
      self._batch = jax.tree.map(
        lambda x: np.split(x, num_learners)[rank], state["batch"]
      )
    self.updates = step
    return saved

  @property
  def params(self) -> types.Params:
    """The target network's parameters, with which actors act."""
    return self._state.target_params

  def draw(self, sampler: base.ReplaySampler | None) -> bool:
    """Draws a batch if none is held; returns False if none arrived in time.

    Args:
      sampler: The source of batches; None if there is no replay server.
    """
    if self._batch is None and sampler is None:
      return False
    if self._batch is None and sampler is not None:
      start = time.monotonic()
      try:
        self._batch = sampler.sample(timeout=SAMPLE_SECONDS)
      except TimeoutError:
        return False
      finally:
        self.waited += time.monotonic() - start
    return True

  @property
  def batch_info(self) -> BatchInfo | None:
    """A summary of the batch drawn and not yet learned from."""
    if self._batch is None:
      return None
    return BatchInfo(
      int(self._batch.mask.sum()), float(np.mean(self._batch.params_version))
    )

  def learn(
    self, others: Sequence[BatchInfo], report: Report, progress: float = 0.0
  ) -> None:
    """Learns from the held batch, together with all other learners.

    Args:
      others: The batches of the other learners.
      report: Receives the metrics of the whole batch.
      progress: Share of the run that is over, the same for all learners.
    """
    batch, info = self._batch, self.batch_info
    assert batch is not None
    assert info is not None
    self._batch = None
    if not self._compiled:
      self._say("first batch: compiling the learner's update")
      self._compiled = True
    self._state, values = self._learner.update(self._state, batch, progress)
    parts = [info, *others]
    lag = self.updates - float(np.mean([part.version for part in parts]))
    self.updates += 1
    report.add(values, sum(part.steps for part in parts), lag)
    if time.monotonic() >= self._next_trim:
      heap.trim()
      self._next_trim = time.monotonic() + _TRIM_SECONDS

  def gather(self) -> types.Unroll | None:
    """Returns the held batch, joined from the shards of all learners.

    All learners must call this at the same time. A single learner may hold
    none; several must all hold their shard.
    """
    if self._shard.num_learners == 1:
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
    """Writes a checkpoint; of several learners only the first does.

    Args:
      rest: The rest of the run's state; becomes `saved` at the next start.
      batch: As `gather` returned it.

    Raises:
      OSError: If it can't be written; earlier checkpoints are untouched.
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
