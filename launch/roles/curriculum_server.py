"""The curriculum's role: tasks out, records and counts in, over restarts.

What is counted is never lost or counted twice: actors tell totals, not
differences, and number their records, so that a message that comes again, or
one after a restart with what was saved a moment ago, does no harm. Keys of
assignments carry which process gave them out, as a restarted one would give
out the same numbers for other tasks.
"""

import json
import logging
import os
import secrets
import threading
import time
from typing import Any

from adaland.agent.checkpoint import checkpoint
from adaland.curriculum import base
from adaland.launch import builder, cli, errors
from adaland.launch.roles import desk as desk_lib
from adaland.launch.roles import role
from adaland.launch.run import rundir

FORMAT = "adaland.desk/1"
_FILE = "desk.json"
_SAVE_SECONDS = 1.0
_EPOCH_BITS = 64
_NO_KEY = -1
# Of those told apart; far more than there may be at a time.
_MAX_ACTORS = 4096


class DeskRole(role.RunningRole):
  """Guards the curriculum and the run's counters.

  Args:
    setup: The run.
  """

  def __init__(self, setup: role.Setup):
    super().__init__("curriculum", setup)
    self._lock = threading.Lock()
    self._desk: desk_lib.Desk | None = None
    self._epoch = secrets.randbits(_EPOCH_BITS)
    # Steps and records taken of each actor's process.
    self._taken: dict[str, tuple[int, int]] = {}
    self._seconds = 0.0
    # When the clock was last read; it starts with the first step.
    self._clock: float | None = None
    self._path = os.path.join(setup.folder, _FILE)

  def _opened(self) -> desk_lib.Desk:
    """The desk, with what the last process of this role or of the run left."""
    if self._desk is None:
      made = desk_lib.Desk(builder.curriculum(self.setup.experiment))
      state = newest_state(self.setup.folder)
      if state is not None:
        with errors.of_another_form(self.setup.folder):
          made.load_state_dict(state["desk"])
          self._seconds = float(state["seconds"])
          self._taken = {
            who: (int(steps), int(records))
            for who, (steps, records) in state.get("taken", {}).items()
          }
      self._desk = made
    return self._desk

  def exchange(
    self,
    who: str,
    steps: int,
    first: int,
    records: list[base.EpisodeRecord],
    wanted: int,
  ) -> list[base.Assignment]:
    """Takes in what an actor did and gives it tasks.

    Args:
      who: The actor's process.
      steps: Environment steps it has made since its start.
      first: Number of records it had told before these.
      records: Episodes it finished.
      wanted: How many tasks it asks for.
    """
    with self._lock:
      desk = self._opened()
      # Taken out and put back: those not heard of for longest come first.
      known_steps, known = self._taken.pop(who, (0, 0))
      if steps > known_steps:
        desk.count_steps(steps - known_steps)
        if self._clock is None:
          self._clock = time.monotonic()
      # What only a process of this role that died has seen still counts.
      desk.count_episodes(max(0, first - known))
      for record in records[max(0, known - first) :]:
        desk.report(record._replace(key=self._own_key(record.key)))
      told = max(known, first + len(records))
      self._taken[who] = (max(steps, known_steps), told)
      while len(self._taken) > _MAX_ACTORS:
        del self._taken[next(iter(self._taken))]
      tag = self._epoch << _EPOCH_BITS
      return [
        assignment._replace(key=tag | assignment.key)
        for assignment in desk.next_tasks(wanted)
      ]

  def _own_key(self, key: int) -> int:
    """The curriculum's key of an assignment; none if another gave it out."""
    epoch, own = divmod(key, 1 << _EPOCH_BITS)
    return own if epoch == self._epoch else _NO_KEY

  def state(self) -> dict[str, Any]:
    """What a checkpoint of the run keeps of this role."""
    with self._lock:
      desk = self._opened()
      return {"desk": desk.state_dict(), "seconds": self._tick()}

  def _tick(self) -> float:
    """Seconds of training, over all starts of the run."""
    if self._clock is not None:
      now = time.monotonic()
      self._seconds += now - self._clock
      self._clock = now
    return self._seconds

  def stats(self) -> dict[str, Any]:
    """Counters, rewards and what the curriculum wants plotted."""
    result = super().stats()
    with self._lock:
      if self._desk is not None:
        result |= {
          **self._desk.counters(),
          "seconds": self._tick(),
          "trial_rewards": self._desk.trial_rewards(),
          "curriculum": self._desk.curriculum_metrics(),
        }
    return result

  def _work(self) -> None:
    with self._lock:
      self._opened()
    while not self._stop.wait(_SAVE_SECONDS):
      self._save()
    self._save()

  def _save(self) -> None:
    """Keeps what a restart needs; nobody waits for the disk."""
    with self._lock:
      desk = self._opened()
      if self._clock is None:
        return  # Nothing has happened yet.
      content = {
        "format": FORMAT,
        "desk": desk.state_dict(),
        "seconds": self._tick(),
        "taken": dict(self._taken),
      }
    try:
      cli.write_atomically(self._path, json.dumps(content))
    except OSError as error:
      logging.warning("%s", errors.describe_os_error(error))


def checkpoint_state(folder: str) -> dict[str, Any] | None:
  """What the newest checkpoint keeps of a run's desk; None if there is none.

  Raises:
    UserError: If it is broken.
  """
  run = rundir.RunDir(folder)
  if not checkpoint.steps(run.checkpoints):
    return None
  with errors.user_input():
    return checkpoint.read_run(run.checkpoints)


def newest_state(folder: str) -> dict[str, Any] | None:
  """What there is of a run's desk: saved by itself, or in a checkpoint.

  Args:
    folder: The run's directory.

  Returns:
    As `DeskRole.state` makes it; of the two the one with more steps; None at
    the run's start.

  Raises:
    UserError: If one of them is broken.
  """
  run = rundir.RunDir(folder)
  found = []
  path = run.path / _FILE
  if path.exists():
    with errors.user_input(str(path)):
      content = json.loads(path.read_text())
      if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise errors.UserError(f"the format is not {FORMAT!r}")
      found.append(content)
  kept = checkpoint_state(folder)
  if kept is not None:
    found.append(kept)
  with errors.of_another_form(str(run.path)):
    return max(found, key=lambda s: s["desk"]["env_steps"], default=None)
