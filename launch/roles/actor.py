"""The actor's role: acts with the newest parameters and sends unrolls."""

import contextlib
import secrets
import time
from typing import Any

import numpy as np

from adaland.agent.replay import base
from adaland.agent.replay.spec import EncodedWriter
from adaland.launch import builder
from adaland.launch.roles import (
  actor_channel,
  parameters,
  peer,
  replay_server,
  role,
)

_FULL_SECONDS = 0.05


class Actor(role.Role):
  """A role that plays episodes until it is told to stop.

  Args:
    index: The actor's number, from 0.
    setup: The run.
    parameter_server: The parameter server.
    curriculum: The curriculum server.
    learner: The learner, if it holds the replay store; None if there is a
      replay server.
    store: Resolves references to parameters.
  """

  def __init__(
    self,
    index: int,
    setup: role.Setup,
    parameter_server: peer.Peer,
    curriculum: peer.Peer,
    learner: peer.Peer | None,
    store: parameters.Store,
  ):
    super().__init__(f"actor {index}", setup)
    self._index = index
    self._parameter_server = parameter_server
    self._curriculum = curriculum
    self._learner = learner
    self._store = store
    self._channel: actor_channel.ActorChannel | None = None

  def _work(self) -> None:
    experiment = self.setup.experiment
    made = builder.agent(experiment)
    spec = builder.unroll_spec(experiment, made)
    reader = parameters.Reader(
      self._parameter_server, experiment.actor.params_poll_seconds, self._store
    )
    timeout = experiment.replay.insert_timeout

    def make_writer() -> base.ReplayWriter:
      if self._learner is None:
        return replay_server.writer(spec, reader, timeout, self._stop)
      return EncodedWriter(spec, Sender(self._learner, timeout))

    self._channel = actor_channel.ActorChannel(self._curriculum, reader)
    # A restarted actor draws other random numbers.
    seed = np.random.SeedSequence(
      (experiment.run.seed, self._index, secrets.randbits(64))
    )
    with contextlib.suppress(replay_server.NoServerError):
      actor = builder.actor(experiment, made, self._channel, make_writer, seed)
      actor.run(self._stop)

  def stats(self) -> dict[str, Any]:
    """Returns the actor's steps and the version of its parameters."""
    result = super().stats()
    if self._channel is not None:
      result["steps"] = self._channel.steps
      if self._channel.version >= 0:
        result["version"] = self._channel.version
    return result


class Sender:
  """A sender of encoded unrolls to a learner, which refuses them while full.

  Args:
    learner: The learner.
    timeout: Seconds after which the sender gives up on an unroll.
  """

  def __init__(self, learner: peer.Peer, timeout: float):
    self._learner = learner
    self._timeout = timeout

  def __call__(self, data: bytes) -> None:
    """Delivers one unroll.

    Raises:
      TimeoutError: If the store stayed full.
    """
    deadline = time.monotonic() + self._timeout
    while not self._learner.call("insert_encoded", data):
      if time.monotonic() > deadline:
        raise TimeoutError(f"Replay took no unroll for {self._timeout:g} s.")
      time.sleep(_FULL_SECONDS)
