"""Watches the roles: asks how they are, wakes the dead, kills the hung."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from adaland.launch import errors
from adaland.launch.roles import role
from adaland.launch.runtimes import patience

# A role that fails this young, so many times in a row, will never live; one
# that is killed may live next time, but not if memory runs out each time.
_YOUNG_SECONDS = 30.0
_MAX_YOUNG_FAILURES = 4
_MAX_YOUNG_DEATHS = 20


@dataclasses.dataclass
class Watched:
  """One role.

  Attributes:
    name: As in messages.
    handle: Ray's.
    running: Reference to what its `run` will return; None if it has none.
    stats: Its last answer.
    answered: When that came, monotonic seconds.
    restarts: How often it was started again.
    done: Whether `run` ended as it should.
  """

  name: str
  handle: Any
  running: Any = None
  stats: dict[str, Any] = dataclasses.field(default_factory=dict)
  answered: float = 0.0
  restarts: int = 0
  done: bool = False
  asked: Any = None
  asked_at: float = 0.0
  born: float = 0.0
  young_failures: int = 0
  young_deaths: int = 0
  silences: int = 0
  said: int = 0


class Supervisor:
  """Watches roles.

  Args:
    hung_seconds: How long a role may say nothing.
    say: Shows a line.
  """

  def __init__(self, hung_seconds: float, say: Callable[[str], None]):
    self._hung_seconds = hung_seconds
    self._say = say
    self.roles: dict[str, Watched] = {}

  def add(self, name: str, handle: Any, runs: bool = True) -> None:
    """Watches one more; `run` is called if it has one."""
    watched = Watched(name, handle)
    watched.born = watched.answered = time.monotonic()
    if runs:
      watched.running = handle.run.remote()
    self.roles[name] = watched

  def remove(self, name: str) -> None:
    """Ends a role."""
    import ray

    ray.kill(self.roles.pop(name).handle)

  def stats(self, name: str) -> dict[str, Any]:
    """A role's last answer, empty if there was none."""
    return self.roles[name].stats if name in self.roles else {}

  def poll(self, seconds: float) -> None:
    """Watches for some seconds.

    Raises:
      UserError: If a role says that what was asked for can't be done.
      RunError: If a role can't live.
    """
    import ray

    now = time.monotonic()
    references = {}
    for watched in self.roles.values():
      if watched.asked is None:
        watched.asked = watched.handle.stats.remote()
        watched.asked_at = now
      references[watched.asked] = watched
      if watched.running is not None:
        references[watched.running] = watched
    # Some of the answers, those of `run`, are not expected: it waits on.
    ready, _ = ray.wait(
      list(references), num_returns=len(references), timeout=seconds
    )
    for reference in ready:
      watched = references[reference]
      if reference is watched.asked:
        watched.asked = None
        self._take_stats(watched, reference)
      elif reference is watched.running:
        self._take_end(watched, reference)
    for watched in self.roles.values():
      silence = time.monotonic() - watched.asked_at
      allowed = patience.seconds(self._hung_seconds, watched.silences)
      if watched.asked is not None and silence > allowed:
        self._say(f"{watched.name} says nothing: killed, to be started again")
        watched.silences += 1
        self._kill(watched)

  def _take_stats(self, watched: Watched, reference: Any) -> None:
    import ray

    try:
      stats = ray.get(reference)
    except ray.exceptions.RayError:
      return  # On its way back: asked again.
    now = time.monotonic()
    if watched.stats and stats["birth"] != watched.stats["birth"]:
      watched.restarts += 1
      watched.said = 0
      young = now - watched.born < _YOUNG_SECONDS
      watched.young_deaths = watched.young_deaths + 1 if young else 0
      watched.born = now
      self._say(f"{watched.name} died and was started again")
      if watched.young_deaths >= _MAX_YOUNG_DEATHS:
        raise errors.RunError(
          f"{watched.name} dies right after its start, {_MAX_YOUNG_DEATHS} "
          "times in a row; is there enough memory?"
        )
    watched.stats = stats
    watched.answered = now
    watched.silences = 0
    for line in stats.get("said", [])[watched.said :]:
      self._say(line)
      watched.said += 1

  def _take_end(self, watched: Watched, reference: Any) -> None:
    """A role's `run` is over: because it was told to, or it failed."""
    import ray

    watched.running = None
    try:
      failure: role.Failure | None = ray.get(reference)
    except ray.exceptions.RayError as error:
      reason = errors.one_line(str(error))
      raise errors.RunError(f"{watched.name} is gone: {reason}") from error
    if failure is None:
      watched.done = True
      return
    if failure.bad_input:
      raise errors.UserError(failure.reason)
    young = time.monotonic() - watched.born < _YOUNG_SECONDS
    watched.young_failures = watched.young_failures + 1 if young else 1
    if failure.final or watched.young_failures >= _MAX_YOUNG_FAILURES:
      raise errors.RunError(f"{watched.name}: {failure.reason}")
    self._say(f"{watched.name} failed and is started again: {failure.reason}")
    self._kill(watched)
    watched.running = watched.handle.run.remote()

  def _kill(self, watched: Watched) -> None:
    """Ends the role's process; Ray starts another."""
    import ray

    ray.kill(watched.handle, no_restart=False)
    watched.asked_at = time.monotonic()
