"""Child processes that die with their parent.

Children are fresh interpreters, never forks: forking hangs once gRPC or JAX
have started threads. Each is in its own process group, so that Ctrl-C reaches
only the parent, which decides how to stop.
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

  Call it first in a child. It does nothing in a process whose parent did not
  request it with `tied`.
  """
  parent = os.environ.pop(_PARENT_VARIABLE, None)
  if parent is None:
    return
  if sys.platform == "linux":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
  if os.getppid() != int(parent):
    os._exit(1)  # The parent ended before the line above.


class Child:
  """One child process, which can be started again when it has ended.

  The system kills a child when the thread that started it ends.

  Args:
    module: Module that is run as `python -m module`.
    args: The module's arguments.
    env: Variables added to this process's environment.
    log: File to which the child's output is appended.

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
    # Last, as a checkout has folders with common names, such as `agent`, which
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
    """Returns the last line of the child's log."""
    with open(self._log, errors="replace") as log:
      lines = [line.strip() for line in log if line.strip()]
    return lines[-1] if lines else "without a word"
