"""Draws unrolls from the Reverb server of a live run, and checks them."""

import os
import threading
from collections.abc import Sequence
from typing import Any

import jax

from adaland.launch import builder
from adaland.launch.bench.lib import live_run
from adaland.launch.config import overrides, preset_configs
from tests.launch.acting import unroll_checks

_BATCH = 8
_SECONDS = 1.0
# Most updates between two samples of a run's state, or lost with a learner.
_UNSEEN_UPDATES = 1000


class Drawer:
  """A thread that draws batches and checks that each unroll is an episode.

  Args:
    settings: Changes to the smoke preset in the run. Its unrolls must be whole
      episodes, and its store must have no rate limit, as draws here count too.
    server: Name of its server in `Seen.pids`.

  Attributes:
    seen: Last known state of the run, updated by the caller.
    count: Number of unrolls drawn.
    wrong: Faults of the unrolls.
  """

  def __init__(self, settings: Sequence[str], server: str):
    self.seen: live_run.Seen | None = None
    self.count = 0
    self.wrong: list[str] = []
    self._server = server
    self._newest = 0.0
    self._pid = 0
    self._sampler: Any = None
    config = overrides.apply(preset_configs.smoke(), list(settings))
    if not config.whole_episodes or config.replay.samples_per_insert:
      raise ValueError(
        "unrolls must be episodes, and the store without rate limit"
      )
    self._spec = builder.unroll_spec(config, builder.agent(config))
    self._closed = threading.Event()
    self._thread = threading.Thread(target=self._work, daemon=True)
    self._thread.start()

  def close(self) -> None:
    """Ends the thread."""
    self._closed.set()
    self._thread.join()
    if self._sampler is not None:
      self._sampler.close()

  def _work(self) -> None:
    while not self._closed.wait(_SECONDS):
      try:
        self._draw()
      except (OSError, TimeoutError):
        continue  # The server is away, or empty.
      except Exception as error:
        self.wrong.append(f"{type(error).__name__}: {error}")

  def _draw(self) -> None:
    from adaland.agent.replay.reverb import client

    seen = self.seen
    if seen is None or not seen.pids.get(self._server):
      return
    self._newest = max(self._newest, seen.counters["updates"])
    pid = seen.pids[self._server]
    if self._sampler is None or pid != self._pid:
      # Its working directory holds its socket.
      folder = os.readlink(f"/proc/{pid}/cwd")
      if self._sampler is not None:
        self._sampler.close()
      self._sampler = None
      self._sampler = client.ReverbSampler(
        f"unix:{folder}/1", self._spec, _BATCH
      )
      self._pid = pid
    batch = self._sampler.sample(_SECONDS)
    for row in range(_BATCH):
      unroll = jax.tree.map(lambda x, i=row: x[i], batch)
      unroll_checks.check_episode(unroll, int(self._newest) + _UNSEEN_UPDATES)
      self.count += 1
