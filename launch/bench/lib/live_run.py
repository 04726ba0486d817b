"""A training run in processes of its own, to be measured or to be hurt.

Processes are found by a mark in their environment, which all that a run
starts inherit, daemons of Ray and servers included.
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
_LOOK_SECONDS = 0.1
COMMAND = (sys.executable, "-m", "adaland.launch.train", "--launcher=ray")
# That only grow; `updates` falls to the checkpoint's when the learner dies.
COUNTERS = ("env_steps", "episodes", "seconds")


@dataclasses.dataclass(frozen=True)
class Seen:
  """What was seen of a run at a moment.

  Attributes:
    time: When the run said so, seconds since 1970.
    counters: Of the run.
    pids: Process of each role, the replay server as "server".
    restarts: Of each role.
    roles: All that the status says of each role.
  """

  time: float
  counters: Mapping[str, float]
  pids: Mapping[str, int]
  restarts: Mapping[str, int]
  roles: Mapping[str, Mapping[str, Any]]


class LiveRun:
  """A run of launch.train.

  Args:
    folder: Its directory.
    settings: For --set.
    preset: What it starts from.
    command: Takes the flags of launch.train.
    path: Where this process finds the directory, if elsewhere.
    env: Added to the environment.
  """

  def __init__(
    self,
    folder: str,
    settings: Sequence[str],
    preset: str = "smoke",
    command: Sequence[str] = COMMAND,
    path: str | None = None,
    env: Mapping[str, str] | None = None,
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
    self._process: subprocess.Popen | None = None
    self._started = 0.0
    self.said = ""

  def start(self) -> None:
    """Starts it, or takes it up again."""
    self._process = subprocess.Popen(
      self._command,
      cwd=_ROOT,
      env=self._env,
      stdin=subprocess.DEVNULL,
      stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT,
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
        self.said += data.decode(errors="replace")

  def seen(self) -> Seen | None:
    """What the run says of itself now; None before it has said anything."""
    self._listen()
    path = self.path / "status.json"
    try:
      # By the file system's clock, as the run's own may be set.
      if path.stat().st_mtime < self._started:
        return None  # Of an earlier start.
      status = json.loads(path.read_text())
    except FileNotFoundError:
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
    """Waits until something is seen.

    Args:
      what: For the message if it is not.
      until: Tells.
      seconds: How long to wait at most.

    Returns:
      What was seen, and how long it took.
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
      time.sleep(_LOOK_SECONDS)

  @property
  def pid(self) -> int:
    """The command's process."""
    assert self._process is not None
    return self._process.pid

  def ended(self) -> bool:
    """Whether it has ended."""
    return self._process is None or self._process.poll() is not None

  def end(self, seconds: float = 120.0) -> int:
    """Waits for it to end; returns its exit status."""
    assert self._process is not None
    deadline = time.monotonic() + seconds
    while self._process.poll() is None:
      self._listen()
      if time.monotonic() > deadline:
        raise errors.RunError(
          f"did not end in {seconds:g} s; it said:\n{self.said[-3000:]}"
        )
      time.sleep(_LOOK_SECONDS)
    self._listen()
    return self._process.returncode

  def stop(self) -> int:
    """Asks it to end, with a checkpoint; returns its exit status."""
    assert self._process is not None
    self._process.send_signal(signal.SIGTERM)
    return self.end()

  def kill(self) -> None:
    """Kills the command, and none of what it started."""
    assert self._process is not None
    self._process.kill()
    self._process.wait()

  def processes(self) -> list[int]:
    """All that belong to the run, this side's command included."""
    mark = f"{_MARK}={self._mark}".encode()
    found = []
    for folder in pathlib.Path("/proc").iterdir():
      if folder.name.isdigit():
        with contextlib.suppress(OSError):
          if mark in (folder / "environ").read_bytes().split(b"\0"):
            found.append(int(folder.name))
    return found

  def crash(self) -> None:
    """Kills all processes at once: the machine's power goes off."""
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
    """Waits until no process of it is left.

    Args:
      seconds: How long at most.
      spared: Beginnings of the command lines of those that may be.
    """
    deadline = time.monotonic() + seconds
    while left := [
      name
      for name in map(_name, self.processes())
      if not name.startswith(tuple(spared))
    ]:
      if time.monotonic() > deadline:
        raise errors.RunError(f"still there: {left}")
      time.sleep(_LOOK_SECONDS)

  def rows(self) -> list[dict[str, Any]]:
    """Its rows of metrics, over all starts."""
    path = self.path / "metrics.jsonl"
    lines = path.read_bytes().splitlines(True) if path.exists() else []
    # The last may be under way.
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _name(pid: int) -> str:
  with contextlib.suppress(OSError):
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b" ".join(words).decode(errors="replace")[:80]
  return str(pid)
