"""Runs a part of a benchmark in a separate process.

XLA and Warp keep the device memory that they have allocated; in its own process
each part starts with all of it free.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import NamedTuple

from adaland.launch import errors, output

_NOTED = 20_000  # Number of characters kept from the end of stderr.
# A command's error, or the end of a traceback; JAX adds notes after that.
_FAULT = re.compile(r"error: |[A-Za-z_][\w.]*(Error|Exception): ")


class Done(NamedTuple):
  """Result of a process that has ended.

  Attributes:
    result: The process's JSON; empty if it failed.
    fault: The reason why it failed, one line; empty if it did not fail.
  """

  result: dict[str, float]
  fault: str


class Process:
  """A command that prints JSON, started on construction.

  Args:
    module: Module to run.
    *args: The module's arguments, except --json.
    env: All of its environment variables.
  """

  def __init__(self, module: str, *args: str, env: Mapping[str, str]):
    self._child = subprocess.Popen(
      [sys.executable, "-m", module, *args, "--json=-"],
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
      env=dict(env),
    )

  def wait(self, seconds: float | None = None) -> Done:
    """Waits for its end; kills it if that takes longer than `seconds`."""
    try:
      out, said = self._child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
      self.kill()
      return Done({}, f"took longer than the {seconds:.0f} s that were left")
    except BaseException:
      self.kill()
      raise
    if self._child.returncode:
      return Done({}, reason(self._child.returncode, said))
    return Done(json.loads(out), "")

  def kill(self) -> None:
    """Kills the process."""
    self._child.kill()
    self._child.communicate()


def reason(code: int, said: str) -> str:
  """Returns one line about a failure: the last error on stderr.

  Args:
    code: Exit status of the process; minus the signal's number if a signal
      killed it.
    said: The process's stderr.
  """
  lines = [line.strip() for line in said[-_NOTED:].splitlines()]
  lines = [line for line in lines if line]
  if code < 0:
    return f"was killed by signal {-code}"
  faults = [line for line in lines if _FAULT.match(line)]
  if faults:
    return errors.one_line(faults[-1].removeprefix("error: "))
  return errors.one_line(lines[-1]) if lines else f"ended with status {code}"


def run(module: str, *args: str, env: Mapping[str, str]) -> dict[str, float]:
  """Runs a command in a separate process; returns its JSON.

  Raises:
    RunError: If it fails.
  """
  output.say(f"python -m {module} {' '.join(args)}")
  done = Process(module, *args, env=env).wait()
  if done.fault:
    raise errors.RunError(f"python -m {module} {args[0]}: {done.fault}")
  return done.result
