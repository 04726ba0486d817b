"""The learner's role: learns, publishes parameters, keeps checkpoints.

Of several learners this is the first, which leads; `learner_worker` has the
others.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import base
from adaland.launch import builder, errors
from adaland.launch.roles import (
  jax_processes,
  learner_group,
  learner_metrics,
  learner_state,
  parameters,
  peer,
  role,
  unroll_store,
)
from adaland.launch.run import published_pool

# Seconds that another learner has to answer after an update fails.
_ALIVE_SECONDS = 10.0
# Time between two queries of the run's progress, and the timeout of each.
_PROGRESS_SECONDS = 1.0

MakeState = Callable[..., learner_state.LearnerState]


class Learner(role.Role):
  """The first or only learner; it ends with a checkpoint when told to stop.

  Args:
    setup: The run.
    parameter_server: Receives parameters; knows the replay server's address.
    curriculum: The curriculum server.
    replay: The replay server; None if the store is in this role.
    workers: The other learners, from rank 1.
    store: Makes references to parameters.
    make_state: Makes the learner's state.

  Attributes:
    state: The learner's state; None until `run` has made it.
    unrolls: The store from which the learner draws.
  """

  def __init__(
    self,
    setup: role.Setup,
    parameter_server: peer.Peer,
    curriculum: peer.Peer,
    replay: peer.Peer | None,
    workers: Sequence[peer.Peer],
    store: parameters.Store,
    make_state: MakeState = learner_state.LearnerState,
  ):
    super().__init__("learner", setup)
    self._parameter_server = parameter_server
    self._curriculum = curriculum
    self._workers = list(workers)
    self._parameter_store = store
    self.unrolls = unroll_store.UnrollStore(setup, parameter_server, replay)
    self._make_state = make_state
    self._group = learner_group.LearnerGroup(
      self.incarnation, 1 + len(self._workers), self._exit
    )
    # Held while a checkpoint is written, so that it is completed even if a
    # worker dies.
    self._saving = threading.Lock()
    self.state: learner_state.LearnerState | None = None
    self._pool: published_pool.PublishedPool | None = None
    self._sums = learner_metrics.Sums()
    self._messages: list[str] = []
    self._started = time.monotonic()

  def _work(self) -> None:
    folder = os.path.join(self.setup.folder, "checkpoints")
    try:
      self._lead(folder, self._assemble(folder))
    except (errors.UserError, errors.RunError):
      raise
    except Exception:
      # A worker that dies in the middle of an update causes an error here, of
      # any type.
      self._exit_if_worker_died()
      raise
    self._group.give(learner_group.Order.END)

  def _assemble(self, folder: str) -> int:
    """Joins the other learners; returns how many learn together.

    The number is one if this role is told to stop before all have joined: then
    only the run's last checkpoint is left to write.
    """
    if not self._workers:
      return 1
    while not self._group.wait_complete(learner_state.SAMPLE_SECONDS):
      if self._stop.is_set():
        self._group.give(learner_group.Order.END)
        return 1
    host = self.setup.address
    coordinator = f"{host}:{jax_processes.free_port(host)}"
    steps = checkpoint.steps(folder)
    self._group.invite(coordinator, steps[-1] if steps else None)
    jax_processes.join(coordinator, self._group.size, 0, host)
    return self._group.size

  def _lead(self, folder: str, num_learners: int) -> None:
    """Learns, from the last checkpoint to one at the end."""
    state = self._make_state(
      self.setup.experiment,
      folder,
      self._messages.append,
      learner_state.Shard(0, num_learners),
    )
    if num_learners > 1:
      # All must have read the checkpoint before another replaces it.
      jax_processes.wait_for_all("read the checkpoint")
    if state.saved is not None:
      self._messages.append(f"learner: resuming from update {state.updates}")
    # At most two publications per read by an actor.
    poll_seconds = self.setup.experiment.actor.params_poll_seconds
    publisher = parameters.Publisher(
      self._parameter_server, self._parameter_store, poll_seconds / 2
    )
    publisher.publish(state.updates, jax.device_get(state.params))
    sampler = None
    try:
      self._pool = self._make_pool(publisher, state)
      sampler = self.unrolls.sampler(state.spec, self._stop)
      self._started = time.monotonic()
      state.waited = 0.0
      self.state = state
      self._learn(state, sampler, publisher)
      if not self._aborted:
        self._save(state, sampler)
    finally:
      publisher.close()
      if sampler is not None:
        sampler.close()

  def _learn(
    self,
    state: learner_state.LearnerState,
    sampler: base.ReplaySampler | None,
    publisher: parameters.Publisher,
  ) -> None:
    """Learns, publishes and writes checkpoints until told to stop."""
    run = self.setup.experiment.run
    next_save = time.monotonic() + 60 * run.checkpoint_minutes
    progress, next_look = None, 0.0
    while not self._stop.is_set():
      if time.monotonic() >= next_save:
        next_save = time.monotonic() + 60 * run.checkpoint_minutes
        self._save(state, sampler)
      others = self._draw(state, sampler)
      if others is None:
        continue
      if time.monotonic() >= next_look:
        progress = self._progress(progress)
        next_look = time.monotonic() + _PROGRESS_SECONDS
      if progress is None:
        # A resumed run is not at progress 0: the batch waits for the answer.
        self._stop.wait(learner_state.SAMPLE_SECONDS)
        continue
      self._group.give(learner_group.Order.UPDATE, progress)
      state.learn(others, self._sums, progress)
      if state.updates % run.publish_updates == 0:
        publisher.publish(state.updates, jax.device_get(state.params))
      if self._pool is not None:
        self._pool.offer(state.updates, state.params)

  def _make_pool(
    self,
    publisher: parameters.Publisher,
    state: learner_state.LearnerState,
  ) -> published_pool.PublishedPool | None:
    """Makes the pool of co-players; returns None if tasks have one player."""
    experiment, folder = self.setup.experiment, self.setup.folder
    pool = builder.snapshot_pool(experiment, folder)
    if pool is None:
      return None
    with errors.of_another_form(folder):
      return published_pool.PublishedPool(
        pool,
        publisher.publish_coplayers,
        lambda numbers: self._curriculum.call(
          "set_snapshots", numbers, timeout=_PROGRESS_SECONDS
        ),
        state.saved,
      )

  def _progress(self, before: float | None) -> float | None:
    """Returns the share of the run that is over, if anything depends on it.

    Args:
      before: The last known share, which is returned if there is no answer;
        None if none is known since the start.
    """
    if not self.setup.experiment.learner.follows_progress:
      return 0.0
    try:
      return self._curriculum.call("progress", timeout=_PROGRESS_SECONDS)
    except (ConnectionError, TimeoutError):
      return before

  def _draw(
    self,
    state: learner_state.LearnerState,
    sampler: base.ReplaySampler | None,
  ) -> list[learner_state.BatchInfo] | None:
    """Draws a batch and waits until all workers hold theirs.

    Returns:
      The workers' batches; None if not all learners hold one in time.
    """
    if not state.draw(sampler):
      return None
    start = time.monotonic()
    others = self._group.worker_batches(learner_state.SAMPLE_SECONDS)
    state.waited += time.monotonic() - start
    return others

  def _exit(self, reason: str) -> None:
    """Ends this process: the group has lost a member."""
    with self._saving:
      role.exit_process(reason)

  def _exit_if_worker_died(self) -> None:
    """Ends this process if a worker has died or was replaced."""
    for rank, incarnation in self._group.members().items():
      try:
        stats = self._workers[rank - 1].call("stats", timeout=_ALIVE_SECONDS)
      except (ConnectionError, TimeoutError):
        stats = {}
      if stats.get("incarnation") != incarnation:
        self._exit(f"learner {rank} has died")

  def join(
    self, rank: int, incarnation: str
  ) -> learner_group.Invitation | None:
    """See `LearnerGroup.join`."""
    return self._group.join(rank, incarnation)

  def ask(
    self,
    leader: str,
    rank: int,
    turn: int,
    batch: learner_state.BatchInfo | None,
  ) -> learner_group.Order | None:
    """See `LearnerGroup.ask`."""
    return self._group.ask(leader, rank, turn, batch)

  def leader(self) -> str:
    """Returns the incarnation that leads now."""
    return self.incarnation

  def progress(self) -> float:
    """Returns the share of the run that was over at the last order."""
    return self._group.progress

  def insert_encoded(self, data: bytes) -> bool:
    """Stores an unroll; returns False if there is no room for it now."""
    return self.unrolls.insert_encoded(data)

  def _save(
    self,
    state: learner_state.LearnerState,
    sampler: base.ReplaySampler | None,
  ) -> None:
    """Writes a checkpoint: replay first, then everything else."""
    batch = None
    if self._draw(state, sampler) is not None:
      self._group.give(learner_group.Order.GATHER)
      batch = state.gather()
    with self._saving:
      self.unrolls.save()
      pool = self._pool
      # The curriculum's state includes the same snapshots.
      snapshots = None if pool is None else pool.state_dict()
      rest = self._curriculum.call("state")
      try:
        state.save({**rest, "coplayers": snapshots}, batch)
      except OSError as error:
        raise errors.RunError(errors.describe_os_error(error)) from error
      if pool is not None:
        pool.tidy()

  def stats(self) -> dict[str, Any]:
    """Returns updates, sums over them, time spent waiting, and messages.

    If the store is in this role, its size and totals are included.
    """
    result = super().stats()
    result["messages"] = list(self._messages)
    state = self.state
    if state is not None:
      result |= {
        "updates": state.updates,
        "waited": state.waited,
        "running": time.monotonic() - self._started,
        "devices": len(jax.devices()),
        "processes": self._group.size,
        **self._sums.read(),
      }
    return result | self.unrolls.info()
