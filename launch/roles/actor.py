"""An actor's role: plays with the newest parameters, sends unrolls."""

import secrets
import time
from typing import Any

import numpy as np

from adaland.agent.replay import base
from adaland.agent.replay import spec as spec_lib
from adaland.launch import builder
from adaland.launch.roles import actor_channel, peer, replay_server, role

_FULL_SECONDS = 0.05


class ActorRole(role.RunningRole):
  """Plays for ever.

  Args:
    index: Its number.
    setup: The run.
    board: Where parameters and the replay server are found.
    desk: The curriculum.
    store: What unrolls are handed to where there is no replay server.
  """

  def __init__(
    self,
    index: int,
    setup: role.Setup,
    board: peer.Peer,
    desk: peer.Peer,
    store: peer.Peer | None,
  ):
    super().__init__(f"actor {index}", setup)
    self._index = index
    self._board = board
    self._desk = desk
    self._store = store
    self._channel: actor_channel.RayChannel | None = None

  def _work(self) -> None:
    experiment = self.setup.experiment
    made = builder.agent(experiment)
    spec = builder.unroll_spec(experiment, made)
    reader = actor_channel.BoardReader(
      self._board, experiment.actor.params_poll_seconds
    )
    timeout = experiment.replay.insert_timeout

    def make_writer() -> base.ReplayWriter:
      if self._store is None:
        return replay_server.FollowingWriter(spec, reader.replay, timeout)
      return spec_lib.EncodedWriter(spec, _Sender(self._store, timeout))

    self._channel = actor_channel.RayChannel(self._desk, reader)
    # Started again, an actor draws other numbers.
    seed = np.random.SeedSequence(
      (experiment.run.seed, self._index, secrets.randbits(64))
    )
    actor = builder.actor(experiment, made, self._channel, make_writer, seed)
    actor.run(self._stop)

  def stats(self) -> dict[str, Any]:
    """Steps of this process, version of its parameters."""
    result = super().stats()
    if self._channel is not None:
      result["steps"] = self._channel.steps
      if self._channel.version >= 0:
        result["version"] = self._channel.version
    return result


class _Sender:
  """Hands encoded unrolls to a store that says no while it is full."""

  def __init__(self, store: peer.Peer, timeout: float):
    self._store = store
    self._timeout = timeout

  def __call__(self, data: bytes) -> None:
    """Delivers one unroll.

    Raises:
      TimeoutError: If the store was full all the time.
    """
    deadline = time.monotonic() + self._timeout
    while not self._store.call("insert_encoded", data):
      if time.monotonic() > deadline:
        raise TimeoutError(f"Replay took no unroll for {self._timeout:g} s.")
      time.sleep(_FULL_SECONDS)
