"""The learner and its replay, in a thread.

One thread stores unrolls and starts updates in a counted order, so the results
depend on nothing else. On a processor JAX runs a program in the thread that
calls it, so acting continues while this thread learns; an accelerator has a
queue in any case.
"""

from concurrent import futures
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types
from adaland.agent.learner import Learner, Metrics, TrainState
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch.acting import arrays
from adaland.launch.runtimes.single import device_replay, learn_schedule


class Update(NamedTuple):
  """Results of an update, possibly still being computed.

  Attributes:
    values: The learner's metrics.
    steps: Steps in the batch, [].
    lag: Updates since the parameters that acted in the batch, on average, [].
  """

  values: Metrics
  steps: jax.Array
  lag: jax.Array


class LearnerThread:
  """A learner that draws from a device replay on a schedule.

  The acting parameters are those before the current updates. They are therefore
  always ready, and the update that they come from is also counted, not timed.

  Args:
    learner: The learner's functions.
    config: The replay's config.
    spec: Shapes and dtypes of one unroll.
    state: The learner's state before the first update; consumed.
    seed: Seed of the draws.
    device: Device of the arrays.

  Attributes:
    schedule: Counters of unrolls.
    updates: Number of updates started so far.
    version: Update count of the acting parameters.
  """

  def __init__(
    self,
    learner: Learner,
    config: ReplayConfig,
    spec: UnrollSpec,
    state: TrainState,
    seed: int,
    device: jax.Device,
  ):
    self._learner = learner
    here = jax.sharding.SingleDeviceSharding(device)
    self._copied = jax.jit(
      lambda tree: jax.tree.map(jnp.copy, tree), out_shardings=here
    )
    self._config = config
    self._state = state
    self._key = jax.random.fold_in(jax.random.PRNGKey(seed), 2)
    self._store = jax.device_put(
      device_replay.empty(spec, config.capacity), device
    )
    self._acting = self._copied(self._state.target_params)
    self.schedule = learn_schedule.Schedule(config)
    self.updates = 0
    self.version = 0
    self._thread = futures.ThreadPoolExecutor(1, "learner")
    self._inserting: list[futures.Future[None]] = []
    self._learning: futures.Future[list[Update]] | None = None
    self._finished: list[Update] = []

  @property
  def acting_params(self) -> types.Params:
    """Parameters to act with."""
    return self._acting

  def insert(self, unrolls: types.Unroll, num: int) -> None:
    """Stores the first `num` of some unrolls."""
    capacity = self._config.capacity
    rows = arrays.padded(self.schedule.insert(num), capacity)
    self._inserting.append(self._thread.submit(self._insert, unrolls, rows))

  def _insert(self, unrolls: types.Unroll, rows: np.ndarray) -> None:
    self._store = device_replay.insert(self._store, unrolls, rows)

  def learn(self, progress: float = 0.0) -> int:
    """Starts the updates that are due, once the current ones have ended.

    The parameters of the ended updates act from now on.

    Args:
      progress: Share of the run that is over.

    Returns:
      The number of updates started.
    """
    schedule, draws = self.schedule, []
    while schedule.due():
      oldest = schedule.oldest % self._config.capacity
      draws.append((self.updates + len(draws), oldest, schedule.size))
      schedule.sample()
    if draws:
      self.wait()
      if self.updates > self.version:
        self._acting = self._copied(self._state.target_params)
        self.version = self.updates
      self.updates += len(draws)
      self._learning = self._thread.submit(self._learn, draws, progress)
    return len(draws)

  def _learn(
    self, draws: list[tuple[int, int, int]], progress: float
  ) -> list[Update]:
    updates = []
    for number, oldest, size in draws:
      batch = device_replay.sample(
        self._store,
        self._key,
        np.uint32(number),
        np.int32(oldest),
        np.int32(size),
        self._config.batch_size,
        self._config.sampling == "queue",
      )
      self._state, values = self._learner.update(self._state, batch, progress)
      steps, lag = _steps_and_lag(batch, np.int32(number))
      updates.append(Update(values, steps, lag))
    return updates

  def wait(self) -> None:
    """Waits for the thread to finish its work.

    Raises:
      Exception: Raised by the work.
    """
    for future in self._inserting:
      future.result()
    self._inserting = []
    if self._learning is not None:
      self._finished += self._learning.result()
      self._learning = None

  def take_updates(self) -> list[Update]:
    """Returns the updates known to have ended since the last call."""
    finished, self._finished = self._finished, []
    return finished

  @property
  def params(self) -> types.Params:
    """The target network's parameters after all updates."""
    self.wait()
    return self._state.target_params

  @property
  def arrays(self) -> dict[str, Any]:
    """The part of the state in arrays."""
    self.wait()
    return {
      "train": self._state,
      "replay": self._store,
      "acting": self._acting,
    }

  def state_dict(self) -> dict[str, Any]:
    """Returns the counters."""
    return {
      "schedule": self.schedule.state_dict(),
      "updates": self.updates,
      "version": self.version,
    }

  def load_state_dict(
    self, saved: dict[str, Any], state: dict[str, Any]
  ) -> None:
    """Restores the whole state.

    Args:
      saved: The value of `arrays`, on the host.
      state: As `state_dict` returned it.
    """
    self._state, self._store, self._acting = (
      arrays.put_like(saved[name], like)
      for name, like in (
        ("train", self._state),
        ("replay", self._store),
        ("acting", self._acting),
      )
    )
    self.schedule.load_state_dict(state["schedule"])
    self.updates = int(state["updates"])
    self.version = int(state["version"])

  def close(self) -> None:
    """Ends the thread."""
    self._thread.shutdown(cancel_futures=True)


@jax.jit
def _steps_and_lag(batch: types.Unroll, updates: np.ndarray) -> tuple[Any, Any]:
  """Returns a batch's steps and the mean lag of its acting parameters."""
  steps = jnp.sum(jnp.asarray(batch.mask, jnp.int32))
  lag = jnp.asarray(updates, jnp.float32) - jnp.mean(batch.params_version)
  return steps, lag
