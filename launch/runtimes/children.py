"""Child processes that die with their parent.

Children are fresh interpreters (never forks: forking after gRPC or JAX have
started threads hangs), in a process group each, so that Ctrl-C reaches the
parent alone and it decides how to stop.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

_PR_SET_PDEATHSIG = 1
_PARENT_VARIABLE = "ADALAND_PARENT_PID"


def tied() -> dict[str, str]:
  """Returns the environment variable that `die_with_parent` needs."""
  return {_PARENT_VARIABLE: str(os.getpid())}


def die_with_parent() -> None:
  """Makes the kernel kill this process when its parent ends.

  To be called first in a child. It does nothing in a process whose parent did
  not ask for it, with `tied`.
  """
  parent = os.environ.pop(_PARENT_VARIABLE, None)
  if parent is None:
    return
  if sys.platform == "linux":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
  if os.getppid() != int(parent):
    os._exit(1)  # It ended before the line above.


class Child:
  """One child process, which can be started again when it has ended.

  The system kills a child when the thread that started it ends.

  Args:
    module: Run as `python -m module`.
    args: Its arguments.
    env: Added to this process's environment.
    log: File to which its output is appended.

  Attributes:
    process: The process that was started last.
  """

  process: subprocess.Popen

  def __init__(
    self,
    module: str,
    args: Sequence[str],
    env: Mapping[str, str],
    log: str,
  ):
    self._command = [sys.executable, "-m", module, *args]
    self._env = {**os.environ, **env, **tied()}
    root = str(pathlib.Path(__file__).parents[3])
    # Last, as in a checkout it has folders of common names, as `agent`, which
    # a user's modules may have too.
    self._env["PYTHONPATH"] = os.pathsep.join(
      filter(None, [os.environ.get("PYTHONPATH"), root])
    )
    self._log = log
    self.start()

  def start(self) -> None:
    """Starts a process."""
    with open(self._log, "ab") as log:
      self.process = subprocess.Popen(
        self._command,
        env=self._env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        process_group=0,
      )

  def kill(self) -> None:
    """Kills the process and waits for its end."""
    self.process.kill()
    self.process.wait()

  def last_words(self) -> str:
    """Returns the last line of its log."""
    with open(self._log, errors="replace") as log:
      lines = [line.strip() for line in log if line.strip()]
    return lines[-1] if lines else "without a word"
