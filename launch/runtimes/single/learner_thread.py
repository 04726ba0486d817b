"""The learner and its replay, in a thread of their own.

Unrolls go in and updates are asked for in an order that is counted, and one
thread does them in that order: what comes of it depends on nothing else. The
thread is for the processor: there JAX runs one program after another in the
thread that calls, so acting goes on while it learns. An accelerator has a
queue of its own.
"""

from concurrent import futures
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import learner as learner_lib
from adaland.agent import types
from adaland.agent.replay import config as replay_config
from adaland.agent.replay import spec as spec_lib
from adaland.launch.runtimes.single import device_replay, learn_schedule


class Update(NamedTuple):
  """What an update says, perhaps still being computed.

  Attributes:
    values: The learner's metrics.
    steps: Steps in the batch, [].
    lag: Updates since the batch's acting parameters, on average, [].
  """

  values: learner_lib.Metrics
  steps: jax.Array
  lag: jax.Array


class Learning:
  """Learns from the ring as the schedule says.

  The parameters to act with are those before the updates under way: they are
  there whenever they are asked for, and which they are is counted too.

  Args:
    learner: The learner's functions.
    config: Of the replay.
    spec: What one unroll looks like.
    seed: Of the first parameters and the draws.
    device: Where.

  Attributes:
    schedule: Counts unrolls.
    updates: Begun so far.
    version: Update count of the acting parameters.
  """

  def __init__(
    self,
    learner: learner_lib.Learner,
    config: replay_config.ReplayConfig,
    spec: spec_lib.UnrollSpec,
    seed: int,
    device: jax.Device,
  ):
    self._learner = learner
    here = jax.sharding.SingleDeviceSharding(device)
    self._copied = jax.jit(
      lambda tree: jax.tree.map(jnp.copy, tree), out_shardings=here
    )
    self._config = config
    key = jax.random.PRNGKey(seed)
    self._state = learner.init(key)
    self._key = jax.random.fold_in(key, 2)
    self._ring = jax.device_put(
      device_replay.empty(spec, config.capacity), device
    )
    self._acting = self._copied(self._state.target_params)
    self.schedule = learn_schedule.Schedule(config)
    self.updates = 0
    self.version = 0
    self._thread = futures.ThreadPoolExecutor(1, "learner")
    self._inserting: list[futures.Future[None]] = []
    self._learning: futures.Future[list[Update]] | None = None
    self._done: list[Update] = []

  @property
  def acting_params(self) -> types.Params:
    """What to act with."""
    return self._acting

  def insert(self, unrolls: types.Unroll, num: int) -> None:
    """Stores unrolls, of which the first `num` count."""
    capacity = self._config.capacity
    rows = device_replay.padded(self.schedule.insert(num), capacity)
    self._inserting.append(self._thread.submit(self._insert, unrolls, rows))

  def _insert(self, unrolls: types.Unroll, rows: np.ndarray) -> None:
    self._ring = device_replay.insert(self._ring, unrolls, rows)

  def learn(self) -> int:
    """Begins the updates that are due; returns how many.

    Those begun before end first, and their parameters act from now on.
    """
    schedule, draws = self.schedule, []
    while schedule.due():
      oldest = schedule.oldest % self._config.capacity
      draws.append((self.updates + len(draws), oldest, schedule.size))
      schedule.sample()
    if draws:
      self.settle()
      if self.updates > self.version:
        self._acting = self._copied(self._state.target_params)
        self.version = self.updates
      self.updates += len(draws)
      self._learning = self._thread.submit(self._learn, draws)
    return len(draws)

  def _learn(self, draws: list[tuple[int, int, int]]) -> list[Update]:
    done = []
    for number, oldest, size in draws:
      batch = device_replay.sample(
        self._ring,
        self._key,
        np.uint32(number),
        np.int32(oldest),
        np.int32(size),
        self._config.batch_size,
        self._config.sampling == "queue",
      )
      self._state, values = self._learner.update(self._state, batch)
      steps, lag = _about(batch, np.int32(number))
      done.append(Update(values, steps, lag))
    return done

  def settle(self) -> None:
    """Waits for what is under way.

    Raises:
      Exception: What went wrong there.
    """
    for future in self._inserting:
      future.result()
    self._inserting = []
    if self._learning is not None:
      self._done += self._learning.result()
      self._learning = None

  def take_done(self) -> list[Update]:
    """Returns what the updates done since the last call say."""
    done, self._done = self._done, []
    return done

  @property
  def params(self) -> types.Params:
    """The target network's parameters after all updates."""
    self.settle()
    return self._state.target_params

  @property
  def arrays(self) -> dict[str, Any]:
    """All it goes on from but counters."""
    self.settle()
    return {"train": self._state, "ring": self._ring, "acting": self._acting}

  def state_dict(self) -> dict[str, Any]:
    """Returns its counters."""
    return {
      "schedule": self.schedule.state_dict(),
      "updates": self.updates,
      "version": self.version,
    }

  def load_state_dict(
    self, arrays: dict[str, Any], state: dict[str, Any]
  ) -> None:
    """Goes on from what `arrays`, on the host, and `state_dict` were."""
    self._state, self._ring, self._acting = (
      device_replay.put_like(arrays[name], like)
      for name, like in (
        ("train", self._state),
        ("ring", self._ring),
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
def _about(batch: types.Unroll, updates: np.ndarray) -> tuple[Any, Any]:
  """Steps of a batch, and the age of its acting parameters."""
  steps = jnp.sum(jnp.asarray(batch.mask, jnp.int32))
  lag = jnp.asarray(updates, jnp.float32) - jnp.mean(batch.params_version)
  return steps, lag
