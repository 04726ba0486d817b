"""The network's steps, for one loop of environments or for several at once.

Loops that act together are a batch: a call of the network waits until each of
them has asked, so its shapes never change and nothing is compiled twice. What
the network remembers stays on its device.

G: loops of a batch, N: environments of each.
"""

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from adaland.agent import acting, types
from adaland.launch import errors
from adaland.launch.acting import channel as channel_lib


def device(kind: str) -> jax.Device:
  """Where an actor's network runs.

  Args:
    kind: As `ActorConfig.inference`.

  Raises:
    UserError: If there is no such device.
  """
  if kind == "cpu":
    return host()
  found = jax.local_devices()[0]
  if found.platform == "cpu":
    raise errors.UserError(
      f"actor.inference is {kind!r}, but JAX finds no accelerator here, only "
      "the processor; allowed here: cpu"
    )
  return found


def host() -> jax.Device:
  """The processor, where environments run."""
  return jax.local_devices(backend="cpu")[0]


class Acted(NamedTuple):
  """A step of the network.

  Attributes:
    output: What it said, on the host.
    version: Of the parameters that it was made with.
  """

  output: acting.ActorOutput
  version: int


class _Question(NamedTuple):
  """What a loop asks with; see `acting.Actor.act`."""

  observation: Mapping[str, np.ndarray]
  first: np.ndarray
  rng_key: np.ndarray


class Batch:
  """The loops that act together.

  Args:
    actor: The acting functions.
    channel: Where parameters come from.
    num_loops: G.
    num_envs: N.
    device: Where the network runs.
  """

  def __init__(
    self,
    actor: acting.Actor,
    channel: channel_lib.Channel,
    num_loops: int,
    num_envs: int,
    device: jax.Device,
  ):
    self._actor = actor
    self._channel = channel
    self._num_envs = num_envs
    self._device = device
    self._lock = threading.Lock()
    self._params: channel_lib.Versioned | None = None
    self._state = jax.device_put(actor.init(num_loops * num_envs), device)
    self._questions: list[Any] = [None] * num_loops
    self._acted: Acted | None = None
    # The last to ask runs the network for all. Nobody asks again before each
    # has taken its answer, so that no question or answer is lost.
    self._everyone = threading.Barrier(num_loops, self._run)
    self.seats = [Seat(self, index) for index in range(num_loops)]

  def abort(self) -> None:
    """Has every loop that asks, or waits, raise BrokenBarrierError."""
    self._everyone.abort()

  def check(self) -> None:
    """Raises BrokenBarrierError if it was aborted."""
    if self._everyone.broken:
      raise threading.BrokenBarrierError

  def newest_params(self) -> channel_lib.Versioned | None:
    """Puts newer ones on the device if there are any; None if never any."""
    with self._lock:
      newer = self._channel.new_params()
      if newer is not None:
        params = jax.device_put(newer.params, self._device)
        self._params = channel_lib.Versioned(newer.version, params)
      return self._params

  def rows(self, index: int) -> slice:
    """Those of a loop."""
    return slice(index * self._num_envs, (index + 1) * self._num_envs)

  def memory(self, row: int) -> types.MemoryState:
    """Copies a row's memory to the host."""
    return jax.tree.map(lambda x: np.array(x[row]), self._state.memory)

  def ask(self, index: int, question: _Question) -> Acted:
    """Waits for all the others, and for the answer to this one."""
    self._questions[index] = question
    self._everyone.wait()
    assert self._acted is not None
    rows = self.rows(index)
    output = jax.tree.map(lambda x: x[rows], self._acted.output)
    return self._acted._replace(output=output)

  def _run(self) -> None:
    newest = self.newest_params()
    if newest is None:
      raise RuntimeError("an actor needs parameters before its first step")
    observation, first = jax.tree.map(
      lambda *parts: np.concatenate(parts),
      *((q.observation, q.first) for q in self._questions),
    )
    keys = np.stack([q.rng_key for q in self._questions])
    output, self._state = self._actor.act(
      newest.params, self._state, observation, first, keys
    )
    self._acted = Acted(jax.device_get(output), newest.version)


class Seat:
  """A loop's place in a batch.

  Args:
    batch: The batch.
    index: Its number there.
  """

  def __init__(self, batch: Batch, index: int):
    self._batch = batch
    self._index = index

  def has_params(self) -> bool:
    """Whether there are parameters to act with."""
    return self._batch.newest_params() is not None

  def act(
    self,
    observation: Mapping[str, np.ndarray],
    first: np.ndarray,
    rng_key: np.ndarray,
  ) -> Acted:
    """Acts once in every environment, with the newest parameters.

    Args:
      observation: Leaves [N, ...].
      first: Where an episode starts, bool [N].
      rng_key: To draw the actions with, uint32 [2].

    Raises:
      RuntimeError: If there are no parameters yet.
      BrokenBarrierError: If another loop of the batch has ended.
    """
    question = _Question(observation, first, rng_key)
    return self._batch.ask(self._index, question)

  def check(self) -> None:
    """Raises BrokenBarrierError if another loop of the batch has ended."""
    self._batch.check()

  def memory(self, row: int) -> types.MemoryState:
    """Copies the memory of one of N rows, before the next step."""
    return self._batch.memory(self._batch.rows(self._index).start + row)
