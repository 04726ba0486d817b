"""The base class of roles: the work of one process, or thread, of a run."""

import logging
import os
import platform
import secrets
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from adaland.launch import errors
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.run import status_file

LOOPBACK = "127.0.0.1"


class Failure(NamedTuple):
  """The reason why a role has failed, as its `run` returns it.

  Attributes:
    reason: One line.
    bad_input: True if the user requested something that can't be done.
    final: True if restarting the role can't help.
  """

  reason: str
  bad_input: bool
  final: bool


class Setup(NamedTuple):
  """The description of the run that every role gets.

  Attributes:
    experiment: The run's config.
    folder: The run's directory, the same path on every machine.
    num_learners: Number of processes that learn together.
    restarts_alone: True if any role may be restarted while the others keep
      running; otherwise the processes of the learner, the replay server, the
      curriculum server and the parameter server live and end together.
    many_machines: True if roles may be on other machines.
    address: This machine's address, as the run's other processes know it.
  """

  experiment: ExperimentConfig
  folder: str
  num_learners: int = 1
  restarts_alone: bool = False
  many_machines: bool = False
  address: str = LOOPBACK


def exit_process(reason: str) -> None:
  """Ends this process at once, so that the runtime starts another."""
  logging.warning("leaving: %s", reason)
  os._exit(1)


def log_to_file(folder: str, name: str) -> None:
  """Sends this process's warnings to the role's file in the run's logs.

  Args:
    folder: The run's directory.
    name: The role's name.

  Raises:
    OSError: If the file can't be opened.
  """
  logging.basicConfig(
    filename=os.path.join(folder, "logs", name.replace(" ", "_") + ".log"),
    level=logging.WARNING,
    format="%(asctime)s %(process)d %(levelname)s %(message)s",
    force=True,
  )


def failure_of(name: str, work: Callable[[], None]) -> Failure | None:
  """Calls a function; returns the error that ended it, or None.

  Args:
    name: The role's name, for its log.
    work: The role's work.
  """
  try:
    work()
    return None
  except errors.UserError as error:
    return Failure(errors.one_line(str(error)), True, True)
  except errors.RunError as error:
    return Failure(errors.one_line(str(error)), False, True)
  except Exception as error:
    logging.exception("%s failed", name)
    return Failure(errors.describe(error), False, False)


def process_stats() -> dict[str, Any]:
  """Returns the process, machine and resident memory of the caller."""
  return {
    "pid": os.getpid(),
    "host": platform.node(),
    "memory_mb": status_file.memory_mb(),
  }


class Role:
  """One role of a run.

  Construction is cheap and does not fail; `run` does the work.

  Args:
    name: The role's name in messages, logs and the status.
    setup: The run.

  Attributes:
    name: See Args.
    setup: See Args.
    incarnation: Differs between any two objects of a role, wherever they run.
  """

  def __init__(self, name: str, setup: Setup):
    self.name = name
    self.setup = setup
    self.incarnation = secrets.token_hex(8)
    self._stop = threading.Event()
    self._aborted = False

  def run(self) -> Failure | None:
    """Works until told to stop; returns the reason if it fails earlier."""
    return failure_of(self.name, self._work)

  def stop(self) -> None:
    """Makes `run` finish its work and return soon."""
    self._stop.set()

  def abort(self) -> None:
    """Makes `run` return soon, without a checkpoint."""
    self._aborted = True
    self._stop.set()

  def stats(self) -> dict[str, Any]:
    """Returns numbers about the role's work; never waits for other roles."""
    return process_stats() | {"incarnation": self.incarnation}

  def _work(self) -> None:
    """Works until `_stop` is set; the base class only waits for it."""
    self._stop.wait()
