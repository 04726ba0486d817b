"""How the processes of a run on this machine are."""

import contextlib
import os
import platform
import time
from collections.abc import Mapping, Sequence

from adaland.agent.replay import base
from adaland.launch.roles import learner_state
from adaland.launch.run import progress, status_file
from adaland.launch.runtimes import children


class Health:
  """Looks at the processes and at the store.

  Args:
    learner: The learner, in this process.
    replay: The store.
  """

  def __init__(self, learner: learner_state.Learning, replay: base.Replay):
    self._learner = learner
    self._replay = replay
    self._rates = progress.Rates()
    self.roles([], {})  # Rates are from here on.

  def roles(
    self, actors: Sequence[children.Child], heard: Mapping[int, float]
  ) -> list[status_file.RoleStatus]:
    """All roles as they are now.

    Args:
      actors: Their processes.
      heard: See `control.Server`.
    """
    totals = {"updates": self._learner.updates, "waited": self._learner.waited}
    # A server that is being started again is not waited for.
    with contextlib.suppress(TimeoutError, RuntimeError):
      counts = self._replay.info()
      totals |= {"inserts": counts.inserts, "samples": counts.samples}
    rates = self._rates(totals)
    learner = {
      "updates_per_s": rates["updates"],
      "wait_share": min(1.0, rates["waited"]),
    }
    stored: dict[str, float] = {}
    if "inserts" in rates:
      stored = {
        "replay_size": counts.size,
        "inserts_per_s": rates["inserts"],
        "samples_per_s": rates["samples"],
        "samples_per_insert": counts.samples / max(counts.inserts, 1),
      }
    server = getattr(self._replay, "pid", 0)
    if not server:  # The store is in this process.
      learner |= stored
    found = [_role("learner", "learner", os.getpid(), 0, 0.0, learner)]
    if server:
      restarts = getattr(self._replay, "restarts", 0)
      answered = getattr(self._replay, "answered", time.monotonic())
      silent = time.monotonic() - answered
      found.append(_role("replay", "replay", server, restarts, silent, stored))
    for child in actors:
      pid = child.process.pid
      silent = child.silence(heard.get(pid, 0.0))
      found.append(_role(child.name, "actor", pid, child.restarts, silent, {}))
    return found


def _role(
  name: str,
  kind: str,
  pid: int,
  restarts: int,
  silent_s: float,
  numbers: dict[str, float],
) -> status_file.RoleStatus:
  return status_file.RoleStatus(
    name,
    kind,
    pid,
    platform.node(),
    status_file.memory_mb(pid),
    restarts,
    silent_s,
    numbers,
  )
