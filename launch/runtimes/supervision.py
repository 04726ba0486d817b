"""Supervision of a run's roles: one rule for restarts."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

from adaland.launch import errors
from adaland.launch.roles import role
from adaland.launch.runtimes import program, runtime

# A role that ends within this time of its start is in a crash loop; so is one
# that fails before its first step or update, which may take minutes to compile.
# It may fail a few times in a row, or be killed more often, as a killed role
# may survive the next time, unless memory runs out each time.
_CRASH_LOOP_SECONDS = 30.0
_MAX_FAILURES = 4
_MAX_DEATHS = 20
# The hang timeout doubles with each restart of a role that has not answered
# since the previous one: it may need longer to start, or wait for a machine.
_MAX_DOUBLINGS = 6


@dataclasses.dataclass
class RoleHandle:
  """A role under supervision.

  Attributes:
    name: The role's name.
    started: Start of its current incarnation, monotonic seconds.
    last_heartbeat: Time of its last answer or start, monotonic seconds.
    stats: Its last answer; empty before the first.
    restarts: Number of restarts.
    done: True if its `run` has ended as told.
    failures: Failures in a row, in a crash loop.
    deaths: Deaths in a row, in a crash loop.
    hangs: Restarts due to the hang timeout since the last answer.
    messages_shown: Number of messages of this incarnation that were shown.
  """

  name: str
  started: float = 0.0
  last_heartbeat: float = 0.0
  stats: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  restarts: int = 0
  done: bool = False
  failures: int = 0
  deaths: int = 0
  hangs: int = 0
  messages_shown: int = 0


class Supervision:
  """A supervisor of roles: restarts those that die, fail or hang.

  Args:
    place: Runs the roles.
    hung_seconds: Heartbeat age at which a role counts as hung.
    say: Shows a line.
    clock: Monotonic seconds.

  Attributes:
    roles: The handles by name.
  """

  def __init__(
    self,
    place: runtime.Runtime,
    hung_seconds: float,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
  ):
    self._runtime = place
    self._hung_seconds = hung_seconds
    self._say = say
    self._clock = clock
    self.roles: dict[str, RoleHandle] = {}

  def start(self, specs: list[program.RoleSpec]) -> None:
    """Starts roles; see `Runtime.start`."""
    self._runtime.start(specs)
    now = self._clock()
    for spec in specs:
      self.roles[spec.name] = RoleHandle(spec.name, now, now)

  def stop(self, name: str) -> None:
    """Tells a role to finish its work, unless it has."""
    if not self.roles[name].done:
      self._runtime.stop(name)

  def remove(self, name: str) -> None:
    """Ends a role for good."""
    del self.roles[name]
    self._runtime.remove(name)

  def stats(self, name: str) -> Mapping[str, Any]:
    """Returns a role's last answer; empty if there was none."""
    return self.roles[name].stats if name in self.roles else {}

  def poll(self, seconds: float) -> None:
    """Watches for some seconds.

    Raises:
      UserError: If a role reports that a request can't be fulfilled.
      RunError: If a role is in a crash loop.
    """
    for event in self._runtime.poll(seconds):
      handle = self.roles.get(event.name)
      if handle is None:
        continue  # It was removed.
      if isinstance(event, runtime.Heartbeat):
        self._heartbeat(handle, event.stats)
      elif isinstance(event, runtime.Died):
        self._died(handle)
      else:
        self._ended(handle, event.failure)
    for handle in self.roles.values():
      age = self._clock() - handle.last_heartbeat
      timeout = self._hung_seconds * 2 ** min(handle.hangs, _MAX_DOUBLINGS)
      if age > timeout and not handle.done:
        self._say(f"{handle.name} is unresponsive for {age:.0f} s; restarting")
        handle.hangs += 1
        handle.last_heartbeat = self._clock()
        self._runtime.restart(handle.name)

  def _heartbeat(self, handle: RoleHandle, stats: Mapping[str, Any]) -> None:
    handle.stats = stats
    handle.last_heartbeat = self._clock()
    handle.hangs = 0
    for message in stats.get("messages", [])[handle.messages_shown :]:
      self._say(message)
      handle.messages_shown += 1

  def _died(self, handle: RoleHandle) -> None:
    self._say(f"{handle.name} died; restarted")
    now = self._clock()
    young = now - handle.started < _CRASH_LOOP_SECONDS
    handle.deaths = handle.deaths + 1 if young else 0
    handle.restarts += 1
    handle.started = handle.last_heartbeat = now
    handle.messages_shown = 0
    if handle.deaths >= _MAX_DEATHS:
      raise errors.RunError(
        f"{handle.name} dies right after its start, {_MAX_DEATHS} times in a "
        "row; is there enough memory?"
      )

  def _ended(self, handle: RoleHandle, failure: role.Failure | None) -> None:
    if failure is None:
      handle.done = True
      return
    if failure.bad_input:
      raise errors.UserError(failure.reason)
    young = self._clock() - handle.started < _CRASH_LOOP_SECONDS
    loops = young or not _has_worked(handle)
    handle.failures = handle.failures + 1 if loops else 1
    if failure.final or handle.failures >= _MAX_FAILURES:
      raise errors.RunError(f"{handle.name}: {failure.reason}")
    self._say(f"{handle.name} failed; restarting: {failure.reason}")
    self._runtime.restart(handle.name)


def _has_worked(handle: RoleHandle) -> bool:
  """Returns False for an actor without a step or a learner without an update.

  Other roles have worked as soon as they run; workers follow the learner.
  """
  if handle.name.startswith("actor"):
    return handle.stats.get("steps", 0) > 0
  if handle.name == "learner":
    return handle.stats.get("count", 0) > 0
  return True
