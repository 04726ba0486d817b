"""Runs a part of a benchmark in a process of its own.

XLA and Warp both keep what they once took of a device's memory, so each part
begins with all of it.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import NamedTuple

from adaland.launch import cli, errors

_NOTED = 20_000  # Characters of what a process says last.
# What commands say, and what ends a traceback; JAX adds notes after that.
_TOLD = re.compile(r"error: |[A-Za-z_][\w.]*(Error|Exception): ")


class Done(NamedTuple):
  """How a process ended.

  Attributes:
    result: Its JSON; empty if it failed.
    fault: Why it failed, in one line; empty if it did not.
  """

  result: dict[str, float]
  fault: str


class Process:
  """A command that gives JSON on stdout, begun when it is made.

  Args:
    module: To run.
    *args: Its arguments, but for --json.
    env: What differs of the environment's variables.
  """

  def __init__(self, module: str, *args: str, env: Mapping[str, str]):
    # Unbuffered: what it said of its end is not lost with it.
    self._child = subprocess.Popen(
      [sys.executable, "-m", module, *args, "--json=-"],
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
      env=dict(env),
    )

  def wait(self, seconds: float | None = None) -> Done:
    """Waits for its end, and kills it if that takes longer than `seconds`."""
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
    """Ends it at once."""
    self._child.kill()
    self._child.communicate()


def reason(code: int, said: str) -> str:
  """One line about a failure: what the process said last.

  Args:
    code: Its exit status; minus a signal's number if that killed it.
    said: Its stderr.
  """
  lines = [line.strip() for line in said[-_NOTED:].splitlines()]
  lines = [line for line in lines if line]
  if code < 0:
    return f"was killed by signal {-code}"
  told = [line for line in lines if _TOLD.match(line)]
  if told:
    return errors.one_line(told[-1].removeprefix("error: "))
  return errors.one_line(lines[-1]) if lines else f"ended with status {code}"


def run(module: str, *args: str, env: Mapping[str, str]) -> dict[str, float]:
  """Runs a command in a process of its own; returns its JSON.

  Raises:
    RunError: If it fails.
  """
  cli.say(f"python -m {module} {' '.join(args)}")
  done = Process(module, *args, env=env).wait()
  if done.fault:
    raise errors.RunError(f"python -m {module} {args[0]}: {done.fault}")
  return done.result
