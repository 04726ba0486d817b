"""The loop of an actor process: steps an actor until told to stop."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import jax

from adaland.agent import types
from adaland.agent.replay import base
from adaland.launch.acting import actor, cutting
from adaland.launch.acting.channel import Channel

_FIRST_PARAMS_SECONDS = 0.05

Emit = Callable[[types.Unroll, int], None]


class ActingLoop:
  """An actor, stepped with the newest parameters of a channel.

  Args:
    make_actor: Makes the actor, from the function that takes its unrolls.
    channel: Source of parameters and counter of steps.
    writer: Takes unrolls.
    device: Device that the actor's network runs on.

  Attributes:
    actor: The actor.
  """

  def __init__(
    self,
    make_actor: Callable[[Emit], actor.Actor],
    channel: Channel,
    writer: base.ReplayWriter,
    device: jax.Device,
  ):
    self._channel = channel
    self._writer = writer
    self._device = device
    self._params: Any = None
    self._version = -1
    self._stop = threading.Event()
    self.actor = make_actor(self._write)

  def run(self, stop: threading.Event) -> None:
    """Steps the actor; waits for parameters before the first step.

    Args:
      stop: Ends the loop when set.

    Raises:
      ConnectionError: If the learner is gone.
    """
    self._stop = stop
    while not self._has_params():
      if stop.wait(_FIRST_PARAMS_SECONDS):
        break
    while not stop.is_set():
      self.step()
    self._writer.close()

  def step(self) -> None:
    """Acts once in every environment, with the newest parameters.

    Raises:
      ConnectionError: If the learner is gone.
      RuntimeError: If no parameters have arrived yet.
    """
    if not self._has_params():
      raise RuntimeError("an actor needs parameters before its first step")
    self._channel.count_steps(self.actor.step(self._params, self._version))

  def _has_params(self) -> bool:
    """Adopts newer parameters; returns whether the actor has any."""
    newer = self._channel.new_params()
    if newer is not None:
      self._params = jax.device_put(newer.params, self._device)
      self._version = newer.version
    return self._version >= 0

  def _write(self, unrolls: types.Unroll, num: int) -> None:
    for unroll in cutting.to_host(unrolls, num):
      self._insert(unroll)

  def _insert(self, unroll: types.Unroll) -> None:
    """Stores an unroll; tries again while replay is full."""
    while not self._stop.is_set():
      try:
        self._writer.insert(unroll)
        return
      except TimeoutError as error:
        # The learner is compiling or is behind.
        logging.info("%s", error)
        self._channel.count_steps(0)  # Raises if the learner is gone.
