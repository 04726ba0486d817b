"""A training run as a child process, to be measured or disturbed.

The processes of a run are found by a mark in their environment, which all
processes that a run starts inherit, including servers and Ray's daemons.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adaland.launch import errors

_ROOT = pathlib.Path(__file__).parents[4]
_MARK = "ADALAND_LIVE_RUN"
_POLL_SECONDS = 0.1
COMMAND = (sys.executable, "-m", "adaland.launch.train", "--launcher=ray")
# These only grow; `updates` falls to the checkpoint's when the learner dies.
COUNTERS = ("env_steps", "episodes", "seconds")


@dataclasses.dataclass(frozen=True)
class Seen:
  """The state of a run as its status file describes it.

  Attributes:
    time: Time at which the run wrote the file, seconds since 1970.
    counters: The run's counters.
    pids: Process id of each role; the replay server's as "server".
    restarts: Number of restarts of each role.
    roles: Everything in the status file about each role.
  """

  time: float
  counters: Mapping[str, float]
  pids: Mapping[str, int]
  restarts: Mapping[str, int]
  roles: Mapping[str, Mapping[str, Any]]


class LiveRun:
  """A run of launch.train.

  Args:
    folder: The run's directory.
    settings: Arguments of --set.
    preset: The preset that the run starts from.
    command: A command that takes the flags of launch.train.
    path: The run's directory as seen by this process, if different.
    env: Variables added to the environment.
    echo: Whether to repeat the run's output on stderr.

  Attributes:
    path: The run's directory.
    said: Everything that the run has printed since it was started.
  """

  def __init__(
    self,
    folder: str,
    settings: Sequence[str],
    preset: str = "smoke",
    command: Sequence[str] = COMMAND,
    path: str | None = None,
    env: Mapping[str, str] | None = None,
    echo: bool = False,
  ):
    self.path = pathlib.Path(path or folder)
    self._command = [
      *(*command, f"--workdir={folder}", f"--preset={preset}", "--json=-"),
      *("--set", *settings),
    ]
    self._mark = secrets.token_hex(8)
    # Not every command keeps the current directory.
    own = {"PYTHONPATH": str(_ROOT), _MARK: self._mark}
    self._env = {**os.environ, **(env or {}), **own}
    self._echo = echo
    self._process: subprocess.Popen | None = None
    self._started = 0.0
    self._num_read = 0
    self.said = ""

  def start(self) -> None:
    """Starts the run, or resumes it."""
    self._process = subprocess.Popen(
      self._command,
      cwd=_ROOT,
      env=self._env,
      stdin=subprocess.DEVNULL,
      stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT,
      # Ctrl-C reaches only this process, which then ends the run in order.
      process_group=0,
    )
    assert self._process.stdout is not None
    os.set_blocking(self._process.stdout.fileno(), False)
    self._started = time.time()
    self.said = ""

  def _listen(self) -> None:
    assert self._process is not None
    assert self._process.stdout is not None
    with contextlib.suppress(OSError, ValueError):
      while data := self._process.stdout.read():
        text = data.decode(errors="replace")
        self.said += text
        if self._echo:
          sys.stderr.write(text)
          sys.stderr.flush()

  def seen(self) -> Seen | None:
    """Returns the run's current state; None before its first status file."""
    self._listen()
    path = self.path / "status.json"
    try:
      # Uses the file system's clock, as the run's clock may be changed.
      if path.stat().st_mtime < self._started:
        return None  # From an earlier start.
      status = json.loads(path.read_text())
    except FileNotFoundError:
      return None
    if status.get("state") == "starting":
      return None
    roles = status["roles"]
    pids = {name: role["pid"] for name, role in roles.items()}
    for role in roles.values():
      if "server_pid" in role:
        pids["server"] = int(role["server_pid"])
    restarts = {name: role["restarts"] for name, role in roles.items()}
    return Seen(status["time"], status["counters"], pids, restarts, roles)

  def wait(
    self, what: str, until: Callable[[Seen], bool], seconds: float = 120.0
  ) -> tuple[Seen, float]:
    """Waits until the run's state fulfils a condition.

    Args:
      what: Name of the condition, for the error message.
      until: The condition.
      seconds: Longest time to wait.

    Returns:
      The state, and the seconds it took.

    Raises:
      RunError: If the run ends or the time runs out first.
    """
    assert self._process is not None
    start = time.monotonic()
    while True:
      now = self.seen()
      if now is not None and until(now):
        return now, time.monotonic() - start
      ended = self._process.poll()
      if ended is not None or time.monotonic() > start + seconds:
        how = "" if ended is None else f"; the run ended with {ended}"
        raise errors.RunError(
          f"waited {time.monotonic() - start:.0f} s for {what}{how}; it was "
          f"{now}; the run said:\n{self.said[-3000:]}"
        )
      time.sleep(_POLL_SECONDS)

  @property
  def pid(self) -> int:
    """Process id of the command, the ancestor of all other processes."""
    assert self._process is not None
    return self._process.pid

  def ended(self) -> bool:
    """Returns True if the command has ended."""
    return self._process is None or self._process.poll() is not None

  def check(self) -> None:
    """Raises RunError if the run has ended."""
    self._listen()
    if self._process is not None and self._process.poll() is not None:
      raise errors.RunError(
        f"the run to be measured ended with status {self._process.returncode}"
      )

  def end(self, seconds: float = 120.0) -> int:
    """Waits for the command to end; returns its exit status."""
    assert self._process is not None
    deadline = time.monotonic() + seconds
    while self._process.poll() is None:
      self._listen()
      if time.monotonic() > deadline:
        raise errors.RunError(
          f"did not end in {seconds:g} s; it said:\n{self.said[-3000:]}"
        )
      time.sleep(_POLL_SECONDS)
    self._listen()
    return self._process.returncode

  def stop(self, seconds: float = 120.0) -> int:
    """Makes the run write a checkpoint and end; returns its exit status."""
    assert self._process is not None
    self._process.send_signal(signal.SIGTERM)
    return self.end(seconds)

  def kill(self) -> None:
    """Kills the command, but not the processes that it started."""
    assert self._process is not None
    self._process.kill()
    self._process.wait()

  def processes(self) -> list[int]:
    """Returns the ids of all processes of the run, its command included."""
    mark = f"{_MARK}={self._mark}".encode()
    found = []
    for folder in pathlib.Path("/proc").iterdir():
      if folder.name.isdigit():
        with contextlib.suppress(OSError):
          if mark in (folder / "environ").read_bytes().split(b"\0"):
            found.append(int(folder.name))
    return found

  def crash(self) -> None:
    """Kills all processes at once, like a power cut."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
      for pid in self.processes():
        with contextlib.suppress(ProcessLookupError):
          os.kill(pid, number)
    if self._process is not None:
      self._process.wait()
    self.await_gone()

  def await_gone(
    self, seconds: float = 20.0, spared: Sequence[str] = ()
  ) -> None:
    """Waits until no process of the run is left.

    Args:
      seconds: Longest time to wait.
      spared: Prefixes of the command lines of processes that may be left.

    Raises:
      RunError: If others are still left then.
    """
    deadline = time.monotonic() + seconds
    while left := [
      name
      for name in map(_command_line, self.processes())
      if not name.startswith(tuple(spared))
    ]:
      if time.monotonic() > deadline:
        raise errors.RunError(f"still there: {left}")
      time.sleep(_POLL_SECONDS)

  def rows(self) -> list[dict[str, Any]]:
    """Returns the run's rows of metrics, over all starts."""
    return _rows(self._metrics())

  def new_rows(self) -> list[dict[str, Any]]:
    """Returns the rows of metrics written since the last call.

    Raises:
      RunError: If the run has ended.
    """
    self.check()
    content = self._metrics()[self._num_read :]
    self._num_read += content.rfind(b"\n") + 1
    return _rows(content)

  def _metrics(self) -> bytes:
    path = self.path / "metrics.jsonl"
    return path.read_bytes() if path.exists() else b""


def _rows(content: bytes) -> list[dict[str, Any]]:
  """Reads whole lines; the last one may be incomplete."""
  lines = content.splitlines(True)
  return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _command_line(pid: int) -> str:
  with contextlib.suppress(OSError):
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b" ".join(words).decode(errors="replace")[:80]
  return str(pid)
