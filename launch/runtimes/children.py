"""Child processes that die with their parent and are restarted when they die.

Children are fresh interpreters (never forks: forking after gRPC or JAX have
started threads hangs), in a process group of their own, so that Ctrl-C
reaches the parent alone and it decides how to stop.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from adaland.launch import errors
from adaland.launch.runtimes import patience

_PR_SET_PDEATHSIG = 1
_PARENT_VARIABLE = "ADALAND_PARENT_PID"
# A child that dies this young, so many times in a row, will never live.
_YOUNG_SECONDS = 30.0
_MAX_YOUNG_DEATHS = 4
# One that is killed may live next time; but not if memory runs out each time.
_MAX_YOUNG_KILLS = 20


def tied() -> dict[str, str]:
  """What a child needs in its environment for `die_with_parent`."""
  return {_PARENT_VARIABLE: str(os.getpid())}


def die_with_parent() -> None:
  """To be called first in a child: the kernel kills it when its parent goes.

  Nothing is done in a process whose parent did not ask for it, with `tied`.
  """
  parent = os.environ.pop(_PARENT_VARIABLE, None)
  if parent is None:
    return
  if sys.platform == "linux":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
  if os.getppid() != int(parent):
    os._exit(1)  # It went before the line above.


class Child:
  """One child process, started again by `poll` when it has died.

  Args:
    name: For messages and the log file.
    module: Run as `python -m module`.
    args: Its arguments.
    env: Added to this process's environment.
    log: File that gets its output; appended to.
  """

  def __init__(
    self,
    name: str,
    module: str,
    args: Sequence[str],
    env: Mapping[str, str],
    log: str,
  ):
    self.name = name
    self.restarts = 0
    self._command = [sys.executable, "-m", module, *args]
    self._env = {**os.environ, **env, **tied()}
    root = str(pathlib.Path(__file__).parents[3])
    self._env["PYTHONPATH"] = os.pathsep.join(
      filter(None, [root, os.environ.get("PYTHONPATH")])
    )
    self._log = log
    self._young_deaths = 0
    self._young_kills = 0
    self._silences = 0
    self._start()

  def _start(self) -> None:
    with open(self._log, "ab") as log:
      self.process = subprocess.Popen(
        self._command,
        env=self._env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        process_group=0,
      )
    self._started = time.monotonic()

  def silence(self, heard: float) -> float:
    """Seconds since it last said something, or was started.

    Args:
      heard: When a process of its number last did, monotonic seconds.
    """
    # A number may have been another's before.
    return time.monotonic() - max(self._started, heard)

  def kill_if_hung(self, heard: float, hung_seconds: float) -> bool:
    """Kills the child if it says nothing; `poll` then starts another.

    Args:
      heard: See `silence`.
      hung_seconds: How long it may say nothing; twice as long after each time
        that it was killed without a word since.

    Returns:
      Whether it was killed.
    """
    if heard > self._started:
      self._silences = 0
    allowed = patience.seconds(hung_seconds, self._silences)
    if self.process.poll() is not None or self.silence(heard) <= allowed:
      return False
    self._silences += 1
    self.process.kill()
    self.process.wait()
    return True

  def poll(self) -> bool:
    """Restarts the child if it has died; returns whether it had.

    Raises:
      RunError: If it dies again and again right after its start.
    """
    if self.process.poll() is None:
      return False
    if time.monotonic() - self._started > _YOUNG_SECONDS:
      self._young_deaths = self._young_kills = 0
    elif self.process.returncode == -signal.SIGKILL:
      self._young_kills += 1
    else:
      self._young_deaths += 1
    if self._young_kills >= _MAX_YOUNG_KILLS:
      raise errors.RunError(
        f"{self.name} is killed (SIGKILL) right after its start, "
        f"{_MAX_YOUNG_KILLS} times in a row; is there enough memory?"
      )
    if self._young_deaths >= _MAX_YOUNG_DEATHS:
      raise errors.RunError(
        f"{self.name} dies right after its start: {self.last_words()} "
        f"(all of it in {self._log})"
      )
    self.restarts += 1
    self._start()
    return True

  def last_words(self) -> str:
    """The last line of its log."""
    with open(self._log, errors="replace") as log:
      lines = [line.strip() for line in log if line.strip()]
    return lines[-1] if lines else "without a word"

  def terminate(self) -> None:
    """Asks it to end."""
    if self.process.poll() is None:
      self.process.terminate()

  def wait(self, deadline: float) -> None:
    """Waits until `deadline` (monotonic seconds), then kills it."""
    try:
      self.process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
      self.process.kill()
      self.process.wait()


def stop(children: Sequence[Child], seconds: float = 5.0) -> None:
  """Ends children, by force after some seconds."""
  for child in children:
    child.terminate()
  deadline = time.monotonic() + seconds
  for child in children:
    child.wait(deadline)
