"""What every role's process has: a log, statistics, a clean end."""

import contextlib
import logging
import os
import platform
import secrets
import threading
from typing import Any, NamedTuple

from adaland.launch import errors
from adaland.launch.config import experiment as config
from adaland.launch.run import status_file


class Failure(NamedTuple):
  """Why a role could not go on, as its `run` returns it.

  Attributes:
    reason: One line.
    bad_input: Whether what the user asked for can't be done.
    final: Whether starting it again is of no use.
  """

  reason: str
  bad_input: bool
  final: bool


class Setup(NamedTuple):
  """What every role is told of the run.

  Attributes:
    experiment: Its config.
    folder: Its directory, the same on every machine.
    many_machines: Whether roles may be on other machines.
  """

  experiment: config.ExperimentConfig
  folder: str
  many_machines: bool


def leave(reason: str) -> None:
  """Ends this process where it stands, for another to take its place."""
  logging.warning("leaving: %s", reason)
  os._exit(1)


class Role:
  """One role: cheap to make, since an error there would be the end of it.

  Args:
    name: As in messages, logs and the status.

  Attributes:
    birth: Tells one process of this role from the next, wherever they run.
  """

  def __init__(self, name: str):
    self.name = name
    self.birth = secrets.token_hex(8)

  def stats(self) -> dict[str, Any]:
    """What the role does now; never waits for anything."""
    return {
      "pid": os.getpid(),
      "host": platform.node(),
      "birth": self.birth,
      "memory_mb": status_file.memory_mb(),
    }


class RunningRole(Role):
  """A role with work of its own, `_work`, until it is told to stop.

  Args:
    name: As in messages, logs and the status.
    setup: The run.
  """

  def __init__(self, name: str, setup: Setup):
    super().__init__(name)
    self.setup = setup
    self._stop = threading.Event()

  def run(self) -> Failure | None:
    """Works until told to stop, or until it can't; says why."""
    with contextlib.suppress(OSError):
      log = os.path.join(
        self.setup.folder, "logs", self.name.replace(" ", "_") + ".log"
      )
      logging.basicConfig(
        filename=log,
        level=logging.WARNING,
        format="%(asctime)s %(process)d %(levelname)s %(message)s",
        force=True,
      )
    try:
      self._work()
      return None
    except errors.UserError as error:
      return Failure(errors.one_line(str(error)), True, True)
    except errors.RunError as error:
      return Failure(errors.one_line(str(error)), False, True)
    except Exception as error:
      logging.exception("%s failed", self.name)
      reason = errors.one_line(f"{type(error).__name__}: {error}")
      return Failure(reason, False, False)

  def stop(self) -> None:
    """Has `run` return soon."""
    self._stop.set()

  def _work(self) -> None:
    raise NotImplementedError
