"""The interface between a run's driver and the runtime of its roles."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.roles import role
from adaland.launch.runtimes import program


class Heartbeat(NamedTuple):
  """A role has answered.

  Attributes:
    name: The role.
    stats: The role's `stats`.
  """

  name: str
  stats: Mapping[str, Any]


class Died(NamedTuple):
  """A role's process has died, and the runtime has started another."""

  name: str


class Ended(NamedTuple):
  """A role's `run` has returned.

  Attributes:
    name: The role.
    failure: The reason if the role has failed; None if it was told to stop.
  """

  name: str
  failure: role.Failure | None


Event = Heartbeat | Died | Ended


class Runtime(Protocol):
  """A runtime, which starts roles, restarts them, and reports their state.

  Only the driver's thread calls it.

  Attributes:
    name: The value of `--launcher`.
    look_seconds: Time between two polls of the roles.
  """

  name: str
  look_seconds: float

  def setup(self, experiment: ExperimentConfig, folder: str) -> role.Setup:
    """Returns the setup that roles get; starts nothing.

    Args:
      experiment: The run's config.
      folder: The run's directory.
    """
    ...

  def open(self) -> None:
    """Prepares to start roles.

    Raises:
      UserError: If a requested resource is not available.
      RunError: If the runtime does not start.
    """
    ...

  def describe(self) -> str:
    """Returns the machine or cluster that roles run on, for a message."""
    ...

  def accelerators(self) -> int:
    """Returns the number of accelerators that roles can be given."""
    ...

  def start(self, specs: Sequence[program.RoleSpec]) -> None:
    """Starts roles, in order; each starts to run at once.

    Raises:
      UserError: If there is no room for them.
    """
    ...

  def stop(self, name: str) -> None:
    """Tells a role to finish its work; `Ended` follows. May be repeated."""
    ...

  def restart(self, name: str) -> None:
    """Ends a role's process and starts another; `Died` follows."""
    ...

  def remove(self, name: str) -> None:
    """Ends a role for good."""
    ...

  def poll(self, seconds: float) -> list[Event]:
    """Waits at most some seconds; returns the events since the last call."""
    ...

  def close(self) -> None:
    """Ends all roles at once. May be repeated."""
    ...
