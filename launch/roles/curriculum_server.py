"""The curriculum server: assigns tasks, receives records, and counts.

Nothing is lost or counted twice over restarts: actors report totals, not
differences, and number their records, so a message that arrives twice, or after
a restart from a slightly older state, does no harm. Keys of assignments hold
the incarnation that made them, as a restarted server uses the same numbers for
other tasks.
"""

import collections
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from adaland.agent.checkpoint import checkpoint
from adaland.curriculum import base
from adaland.launch import builder, cli, errors
from adaland.launch.config import experiment
from adaland.launch.roles import role
from adaland.launch.run import rundir

FORMAT = "adaland.curriculum/1"
FILE = "curriculum.json"
_SAVE_SECONDS = 1.0
_EPOCH_BITS = 64
_NO_KEY = -1
# Maximum number of actor processes that are kept; far more than can live at
# once.
_MAX_ACTORS = 4096
# Number of episodes in the means of rewards that are shown.
_RECENT = 200


class CountedCurriculum:
  """A curriculum, and counts of what was played; safe to use from threads.

  Args:
    curriculum: Chooses the tasks.
  """

  def __init__(self, curriculum: base.Curriculum):
    self._curriculum = curriculum
    self._lock = threading.Lock()
    self._steps = 0
    self._episodes = 0
    self._recent: collections.deque[np.ndarray] = collections.deque(
      maxlen=_RECENT
    )

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play."""
    with self._lock:
      return self._curriculum.next_tasks(n)

  def report(self, record: base.EpisodeRecord) -> None:
    """Adds a finished episode."""
    with self._lock:
      self._curriculum.report(record)
      self._episodes += 1
      if not record.guided:
        self._recent.append(record.rewards)

  def count_episodes(self, episodes: int) -> None:
    """Counts episodes whose records are lost."""
    with self._lock:
      self._episodes += episodes

  def count_steps(self, steps: int) -> None:
    """Counts environment steps."""
    with self._lock:
      self._steps += steps

  def counters(self) -> dict[str, int]:
    """Returns the numbers of environment steps and of episodes so far."""
    with self._lock:
      return {"env_steps": self._steps, "episodes": self._episodes}

  def trial_rewards(self) -> list[float]:
    """Returns the mean reward of recent episodes by trial index, seconds."""
    with self._lock:
      recent = list(self._recent)
    longest = max(map(len, recent), default=0)
    return [
      float(np.mean([rewards[k] for rewards in recent if len(rewards) > k]))
      for k in range(longest)
    ]

  def curriculum_metrics(self) -> dict[str, float]:
    """Returns the curriculum's numbers for a row of metrics."""
    with self._lock:
      return self._curriculum.metrics()

  def state_dict(self) -> dict[str, Any]:
    """Returns the state that a checkpoint keeps."""
    with self._lock:
      return {
        "curriculum": self._curriculum.state_dict(),
        "env_steps": self._steps,
        "episodes": self._episodes,
      }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores what `state_dict` returned."""
    with self._lock:
      self._curriculum.load_state_dict(state["curriculum"])
      self._steps = state["env_steps"]
      self._episodes = state["episodes"]


class CurriculumServer(role.Role):
  """The role that owns the curriculum, the run's counters and its clock.

  Args:
    setup: The run.
    make_curriculum: Makes the curriculum.
    clock: Monotonic seconds.
  """

  def __init__(
    self,
    setup: role.Setup,
    make_curriculum: Callable[
      [experiment.ExperimentConfig], base.Curriculum
    ] = builder.curriculum,
    clock: Callable[[], float] = time.monotonic,
  ):
    super().__init__("curriculum", setup)
    self._make_curriculum = make_curriculum
    self._clock = clock
    self._lock = threading.Lock()
    self._counted: CountedCurriculum | None = None
    self._epoch = secrets.randbits(_EPOCH_BITS)
    # Steps and records taken from each actor's process.
    self._taken: dict[str, tuple[int, int]] = {}
    self._seconds = 0.0
    # Time of the last reading of the clock, which starts with the first step.
    self._read_at: float | None = None
    self._path = os.path.join(setup.folder, FILE)

  def _opened(self) -> CountedCurriculum:
    """Returns the curriculum, restored to its newest saved state."""
    if self._counted is None:
      made = CountedCurriculum(self._make_curriculum(self.setup.experiment))
      state = saved_state(self.setup)
      if state is not None:
        with errors.of_another_form(f"{self.setup.folder}/checkpoints"):
          made.load_state_dict(state["played"])
          self._seconds = float(state["seconds"])
          self._taken = {
            actor: (int(steps), int(records))
            for actor, (steps, records) in state.get("taken", {}).items()
          }
      self._counted = made
    return self._counted

  def exchange(
    self,
    actor_id: str,
    steps: int,
    first: int,
    records: list[base.EpisodeRecord],
    wanted: int,
  ) -> list[base.Assignment]:
    """Receives an actor's steps and records; returns tasks for it.

    Args:
      actor_id: The actor's process.
      steps: Environment steps it has made since its start.
      first: Number of records it had reported before these.
      records: Episodes it finished.
      wanted: Number of tasks it asks for.
    """
    with self._lock:
      counted = self._opened()
      # Removed and added again, so that the actors unheard for longest come
      # first.
      known_steps, known = self._taken.pop(actor_id, (0, 0))
      if steps > known_steps:
        counted.count_steps(steps - known_steps)
        if self._read_at is None:
          self._read_at = self._clock()
      # Records that only a dead incarnation of this role has seen count too.
      counted.count_episodes(max(0, first - known))
      for record in records[max(0, known - first) :]:
        counted.report(record._replace(key=self._own_key(record.key)))
      reported = max(known, first + len(records))
      self._taken[actor_id] = (max(steps, known_steps), reported)
      while len(self._taken) > _MAX_ACTORS:
        del self._taken[next(iter(self._taken))]
      tag = self._epoch << _EPOCH_BITS
      return [
        assignment._replace(key=tag | assignment.key)
        for assignment in counted.next_tasks(wanted)
      ]

  def _own_key(self, key: int) -> int:
    """Returns the curriculum's key; none if another incarnation gave it."""
    epoch, own = divmod(key, 1 << _EPOCH_BITS)
    return own if epoch == self._epoch else _NO_KEY

  def state(self) -> dict[str, Any]:
    """Returns the state that a checkpoint of the run keeps."""
    with self._lock:
      return {"played": self._opened().state_dict(), "seconds": self._tick()}

  def _tick(self) -> float:
    """Returns the seconds of training, over all starts of the run."""
    if self._read_at is not None:
      now = self._clock()
      self._seconds += now - self._read_at
      self._read_at = now
    return self._seconds

  def progress(self) -> float:
    """Returns the share of the run that is over, 0 to 1."""
    with self._lock:
      steps = self._opened().counters()["env_steps"]
      return self.setup.experiment.run.progress(steps, self._tick())

  def stats(self) -> dict[str, Any]:
    """Returns counters, rewards and the curriculum's numbers."""
    result = super().stats()
    with self._lock:
      if self._counted is not None:
        result |= {
          **self._counted.counters(),
          "seconds": self._tick(),
          "trial_rewards": self._counted.trial_rewards(),
          "curriculum": self._counted.curriculum_metrics(),
        }
    return result

  def _work(self) -> None:
    with self._lock:
      self._opened()
    while not self._stop.wait(_SAVE_SECONDS):
      self.save()
    self.save()

  def save(self) -> None:
    """Writes the state that a restart needs; no caller waits for the disk.

    A full disk is only a warning.
    """
    if not self.setup.restarts_alone:
      return
    with self._lock:
      counted = self._opened()
      if self._read_at is None:
        return  # Nothing has happened yet.
      content = {
        "format": FORMAT,
        "played": counted.state_dict(),
        "seconds": self._tick(),
        "taken": dict(self._taken),
      }
    try:
      cli.write_atomically(self._path, json.dumps(content))
    except OSError as error:
      logging.warning("%s", errors.describe_os_error(error))


def checkpoint_state(folder: str) -> dict[str, Any] | None:
  """Returns what the newest checkpoint keeps; None if there is none.

  Args:
    folder: The run's directory.

  Raises:
    UserError: If the checkpoint is broken.
  """
  run = rundir.RunDir(folder)
  if not checkpoint.steps(run.checkpoints):
    return None
  with errors.user_input():
    return checkpoint.read_run(run.checkpoints)


def saved_state(setup: role.Setup) -> dict[str, Any] | None:
  """Returns the newest saved state of a run's curriculum server.

  It is in the newest checkpoint and, where the role may be restarted alone, in
  a file of the role; the one with more steps is the newer one.

  Returns:
    As `CurriculumServer.state` returns it; None at the run's start.

  Raises:
    UserError: If a file is broken.
  """
  run = rundir.RunDir(setup.folder)
  found = []
  path = run.path / FILE
  if setup.restarts_alone and path.exists():
    with errors.user_input(str(path)):
      content = json.loads(path.read_text())
      if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise errors.UserError(f"the format is not {FORMAT!r}")
      found.append(content)
  kept = checkpoint_state(setup.folder)
  if kept is not None:
    found.append(kept)
  with errors.of_another_form(str(run.checkpoints)):
    return max(found, key=lambda s: s["played"]["env_steps"], default=None)
