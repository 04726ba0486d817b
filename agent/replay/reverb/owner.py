"""The owner of a Reverb server: starts its process, restarts it, stops it."""

import contextlib
import logging
import os
import shutil
import subprocess
import threading
import time

from adaland.agent.replay import base
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.reverb import (
  checkpoints,
  client,
  connection,
  private,
  server_process,
)
from adaland.agent.replay.spec import UnrollSpec

_CHECKPOINT_TIMEOUT = 60.0
_HUNG_SECONDS = 60.0
_WATCH_SECONDS = 0.2
_POLL_SECONDS = 1.0
# A killed process closes its connections before it exits.
_DEATH_SECONDS = 1.0


def start_server(
  config: ReplayConfig,
  spec: UnrollSpec,
  checkpoint_dir: str | None = None,
  hung_seconds: float = _HUNG_SECONDS,
) -> "ReverbReplay":
  """Starts a server on this machine.

  Args:
    config: The table's settings.
    spec: Fields, shapes and dtypes of one unroll.
    checkpoint_dir: Directory of the table's checkpoints, and of the initial
      content. With None, checkpoints live as long as the server's owner.
    hung_seconds: Seconds without an answer after which a running server is
      killed and restarted.

  Raises:
    ValueError: If the port is in use.
    RuntimeError: If the server does not start, or does not answer.
  """
  return ReverbReplay(config, spec, checkpoint_dir, hung_seconds)


class ReverbReplay:
  """The owner's handle of a server, which ends with the handle.

  A server that dies or hangs is restarted at the same address, with the content
  of its last checkpoint; writers and samplers reconnect.

  Attributes:
    address: 'unix:path' or 'host:port', for writers and samplers.
    restarts: Number of restarts after the server died.
    answered: Time of the server's last answer, in monotonic seconds.
  """

  def __init__(
    self,
    config: ReplayConfig,
    spec: UnrollSpec,
    checkpoint_dir: str | None = None,
    hung_seconds: float = _HUNG_SECONDS,
  ):
    """Starts the server; see `start_server`."""
    self._config = config
    self._spec = spec
    self._scratch = private.make_folder()
    # Absolute, as the server changes into the folder of its socket.
    self._checkpoint_dir = os.path.abspath(checkpoint_dir or self._scratch)
    # A checkpoint's table settings override the requested ones, so a checkpoint
    # with other settings must not be found.
    name = f"reverb-{config.store_hash()}-{spec.signature}"
    self._root = os.path.join(self._checkpoint_dir, name)
    self._lock = threading.RLock()
    self._closed = threading.Event()
    self.restarts = 0
    with contextlib.ExitStack() as undo:
      undo.callback(shutil.rmtree, self._scratch, ignore_errors=True)
      self._process, self.address = self._start(config.port)
      undo.callback(server_process.stop, self._process)
      try:
        self._connection = connection.Connection(self.address, spec)
        # A second connection: a call to a hung server may hold the first one's
        # lock.
        self._probe = connection.Connection(self.address, spec)
      except TimeoutError as error:
        # An OSError would blame the settings; this may be a busy machine.
        raise RuntimeError(str(error)) from error
      undo.pop_all()
    self._probe_lock = threading.Lock()
    self._hung_seconds = hung_seconds
    self.answered = time.monotonic()
    threading.Thread(
      target=self._watch, name="replay-watch", daemon=True
    ).start()

  @property
  def pid(self) -> int:
    """The server's process id."""
    return self._process.pid

  def writer(self) -> client.ReverbWriter:
    """Returns an actor's end; other processes make theirs from `address`."""
    return client.ReverbWriter(
      self.address, self._spec, self._config.insert_timeout
    )

  def sampler(self) -> client.ReverbSampler:
    """Returns the learner's end."""
    queue = self._config.sampling == "queue"
    return client.ReverbSampler(
      self.address,
      self._spec,
      self._config.batch_size,
      prefetch=1 if queue else 2,
      buffer_size=1 if queue else None,
    )

  def info(self) -> base.Counts:
    """Returns the items stored, inserted and sampled.

    Raises:
      TimeoutError: If the server does not answer.
    """
    with self._probe_lock:
      if not self._probe.answers():
        self._probe.renew()
      return self._probe.table_info()

  def checkpoint(self, path: str) -> None:
    """Writes the table, then removes the previous checkpoint.

    This takes seconds (at about 25 MB/s); writers and samplers keep running.

    Args:
      path: The `checkpoint_dir` that the server was started with.

    Raises:
      ValueError: If it is another directory.
      RuntimeError: If the server can't write, or does not answer.
    """
    if os.path.realpath(path) != os.path.realpath(self._checkpoint_dir):
      raise ValueError(
        f"path is {path!r}, allowed: {self._checkpoint_dir!r}, the directory "
        "that the replay server was started with"
      )
    # A call to a dead server might wait forever, and hold the lock that
    # a restart needs.
    deadline = time.monotonic() + _CHECKPOINT_TIMEOUT
    while True:
      with self._lock:
        if self._connection.answers() or self._connection.renew():
          checkpoints.step_back(self._root)
          try:
            self._connection.client.Checkpoint()
            return
          except Exception as error:
            # Errors have many types: a full disk is an IndexError.
            if not self._dies():
              raise RuntimeError(str(error)) from error
      if time.monotonic() > deadline:
        raise RuntimeError(
          f"No replay server at {self.address} for {_CHECKPOINT_TIMEOUT:g} s."
        )
      time.sleep(0.1)

  def _dies(self) -> bool:
    """Returns True if the server is dead, or dies within a second."""
    try:
      self._process.wait(_DEATH_SECONDS)
    except subprocess.TimeoutExpired:
      return False
    return True

  def close(self) -> None:
    """Stops the server."""
    self._closed.set()
    with self._lock:
      server_process.stop(self._process)
    shutil.rmtree(self._scratch, ignore_errors=True)

  def _start(self, port: int) -> tuple[subprocess.Popen, str]:
    return server_process.start(
      self._config, self._spec, port, self._root, self._scratch
    )

  def _restart(self) -> None:
    is_private = self.address.startswith(private.PREFIX)
    port = 0 if is_private else int(self.address.rsplit(":", 1)[1])
    self._process, _ = self._start(port)
    # Counted even if it does not answer soon, as it is not started again.
    self.restarts += 1
    # A busy one that does not answer again soon must not be killed at once.
    self.answered = time.monotonic()
    self._connection = connection.Connection(self.address, self._spec)

  def _watch(self) -> None:
    """Restarts the server after it dies; kills it if it hangs."""
    next_check = 0.0
    delay = _WATCH_SECONDS
    while not self._closed.wait(delay):
      if self._process.poll() is None:
        if time.monotonic() >= next_check:
          self._look()
          next_check = time.monotonic() + _POLL_SECONDS
        continue
      with self._lock:
        if self._closed.is_set() or self._process.poll() is None:
          continue
        logging.warning(
          "The replay server at %s died (%s); restarting it.",
          self.address,
          self._process.returncode,
        )
        try:
          server_process.stop(self._process)
          self._restart()
          delay = _WATCH_SECONDS
        except (OSError, ValueError, RuntimeError) as error:
          logging.warning("%s", error)
          delay = 5.0

  def _look(self) -> None:
    """Checks that the server answers; kills it if it hangs."""
    process = self._process
    try:
      with self._probe_lock:
        answers = self._probe.answers() or self._probe.renew()
    except ValueError as error:
      logging.warning("%s", error)  # Not this run's server, but it answers.
      answers = True
    if answers:
      self.answered = time.monotonic()
    elif time.monotonic() - self.answered > self._hung_seconds:
      logging.warning(
        "The replay server at %s has not answered for %g s: killed.",
        self.address,
        self._hung_seconds,
      )
      process.kill()
