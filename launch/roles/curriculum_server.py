"""The curriculum server: assigns tasks, receives records, and counts.

Restarts lose nothing and count nothing twice: actors report totals, not
differences, and number their records, so a message that arrives twice, or after
a restart from a slightly older state, does no harm. Assignment keys include
the incarnation that made them, as a restarted server uses the same numbers for
other tasks.
"""

import json
import logging
import os
import pathlib
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from adaland.agent.checkpoint import checkpoint
from adaland.curriculum import base
from adaland.launch import builder, errors, output
from adaland.launch.config import experiment
from adaland.launch.roles import role
from adaland.launch.run import counted_curriculum, rundir

FORMAT = "adaland.curriculum/1"
FILE = "curriculum.json"
_SAVE_SECONDS = 1.0
_EPOCH_BITS = 64
# Maximum number of actor processes that are remembered; far more than can run
# at once.
_MAX_ACTORS = 4096


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
    self._counted: counted_curriculum.CountedCurriculum | None = None
    self._epoch = secrets.randbits(_EPOCH_BITS)
    # Steps and records taken from each actor process.
    self._taken: dict[str, tuple[int, int]] = {}
    self._seconds = 0.0
    # Time of the last reading of the clock, which starts with the first step.
    self._read_at: float | None = None
    self._path = os.path.join(setup.folder, FILE)

  def _opened(self) -> counted_curriculum.CountedCurriculum:
    """Returns the curriculum, restored to its newest saved state."""
    if self._counted is None:
      experiment_ = self.setup.experiment
      made = counted_curriculum.CountedCurriculum(
        self._make_curriculum(experiment_),
        builder.decision_log(experiment_, self.setup.folder),
      )
      state = saved_state(self.setup)
      if state is not None:
        with errors.of_another_form(f"{self.setup.folder}/checkpoints"):
          made.load_state_dict(state["played"])
          self._seconds = float(state["seconds"])
          self._taken = {
            actor: (int(steps), int(records))
            for actor, (steps, records) in state.get("taken", {}).items()
          }
      if not self.setup.restarts_alone:
        # The file is another launcher's. If that launcher later resumes the
        # run, the file would take precedence over newer checkpoints.
        pathlib.Path(self._path).unlink(missing_ok=True)
      made.drop_lost_decisions()
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
      steps: Environment steps that the actor has made since its start.
      first: Number of records that it had reported before these.
      records: Episodes that it finished.
      wanted: Number of tasks that it requests.
    """
    with self._lock:
      counted = self._opened()
      # Removed and added again, so that actors are ordered by their last call.
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
      tag = self._epoch << base.KEY_BITS
      # A user's curriculum need not know requests for no tasks.
      given = counted.next_tasks(wanted) if wanted else []
      return [
        assignment._replace(key=tag | assignment.key) for assignment in given
      ]

  def _own_key(self, key: int) -> int:
    """Returns the curriculum's key; unknown if another incarnation gave it."""
    epoch, own = divmod(key, 1 << base.KEY_BITS)
    return own if epoch == self._epoch else base.UNKNOWN_KEY

  def set_snapshots(self, snapshots: Sequence[int]) -> None:
    """Replaces the snapshots of the agent that may be co-players."""
    with self._lock:
      self._opened().set_snapshots(snapshots)

  def state(self) -> dict[str, Any]:
    """Returns the state that a checkpoint of the run keeps."""
    with self._lock:
      self._opened()
      return self._state()

  def _state(self) -> dict[str, Any]:
    """Returns the state that a restart needs.

    It includes what was taken from each actor, as a restarted role would
    otherwise count the totals of living actors a second time.
    """
    assert self._counted is not None
    return {
      "played": self._counted.state_dict(),
      "seconds": self._tick(),
      "taken": {actor: list(taken) for actor, taken in self._taken.items()},
    }

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
          "episode_reward": self._counted.episode_reward(),
          "curriculum": self._counted.curriculum_metrics(),
        }
    return result

  def _work(self) -> None:
    with self._lock:
      counted = self._opened()
    while not self._stop.wait(_SAVE_SECONDS):
      self.save()
      counted.log_decisions()
    self.save()
    counted.log_decisions()

  def save(self) -> None:
    """Writes the state that a restart needs; no caller waits for the disk.

    A full disk is only a warning.
    """
    if not self.setup.restarts_alone:
      return
    with self._lock:
      if self._read_at is None:
        return  # Nothing has happened yet.
      content = {"format": FORMAT, **self._state()}
    try:
      output.write_atomically(self._path, json.dumps(content))
    except OSError as error:
      logging.warning("%s", errors.describe_os_error(error))


def checkpoint_state(folder: str) -> dict[str, Any] | None:
  """Returns the run's state in the newest checkpoint; None if there is none.

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

  It is in the newest checkpoint and, if the role may be restarted alone, in a
  file of the role; of the two, the one with more steps is newer.

  Returns:
    As in `CurriculumServer.state`; None at the run's start.

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
