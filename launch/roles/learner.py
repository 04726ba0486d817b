"""The learner's role: learns, publishes, keeps checkpoints.

Of several learners it is the first, which leads; `follower_role` has the rest.
"""

import dataclasses
import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import jax

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import base, factory, in_memory
from adaland.launch import errors
from adaland.launch.roles import (
  jax_processes,
  learner_group,
  learner_metrics,
  learner_state,
  peer,
  replay_server,
  role,
)

# An unroll that finds the store full is offered again by its actor, so that
# it holds no thread here.
_INSERT_SECONDS = 0.02
# How long one of the other learners may take to say that it is there.
_ALIVE_SECONDS = 10.0


class LearnerRole(role.RunningRole):
  """Learns until told to stop, then writes a checkpoint.

  Args:
    setup: The run.
    board: Where it puts up parameters and finds the replay server.
    desk: The curriculum.
    replay: The replay server's role; None: the store is here.
    followers: The other learners, from rank 1.
  """

  def __init__(
    self,
    setup: role.Setup,
    board: peer.Peer,
    desk: peer.Peer,
    replay: peer.Peer | None,
    followers: Sequence[peer.Peer] = (),
  ):
    super().__init__("learner", setup)
    self._board = board
    self._desk = desk
    self._replay = replay
    self._followers = list(followers)
    self._group = learner_group.LearnerGroup(
      self.birth, 1 + len(self._followers), self._leave
    )
    # Held while a checkpoint is written: it is good whoever has died since.
    self._saving = threading.Lock()
    self._store: in_memory.InMemoryReplay | None = None
    self._learning: learner_state.Learning | None = None
    self._sums = learner_metrics.Sums()
    self._said: list[str] = []
    self._started = time.monotonic()

  def _work(self) -> None:
    folder = os.path.join(self.setup.folder, "checkpoints")
    try:
      self._lead(folder, self._assemble(folder))
    except (errors.UserError, errors.RunError):
      raise
    except Exception:
      # Whoever's fault it is: what one of them meets in the middle of an
      # update, others meet as its absence.
      self._leave_if_alone()
      raise
    self._group.give(learner_group.Order.END)

  def _assemble(self, folder: str) -> int:
    """Meets the other learners; returns how many learn together.

    That is this one alone if it is told to stop before all have come: then all
    there is to do is to write the checkpoint that ends the run.
    """
    if not self._followers:
      return 1
    while not self._group.wait_complete(learner_state.SAMPLE_SECONDS):
      if self._stop.is_set():
        self._group.give(learner_group.Order.END)
        return 1
    host = jax_processes.own_address(self.setup.many_machines)
    coordinator = f"{host}:{jax_processes.free_port(host)}"
    steps = checkpoint.steps(folder)
    self._group.invite(coordinator, steps[-1] if steps else None)
    jax_processes.join(coordinator, self._group.size, 0, host)
    return self._group.size

  def _lead(self, folder: str, num_learners: int) -> None:
    """Learns, from the last checkpoint to one at the end."""
    made = learner_state.Learning(
      self.setup.experiment,
      folder,
      self._said.append,
      learner_state.Share(0, num_learners),
    )
    if num_learners > 1:
      # Not before all have read it may another be put in its place.
      jax_processes.wait_for_all("read the checkpoint")
    if made.saved is not None:
      self._said.append(f"learner: going on from update {made.updates}")
    sampler = self._sampler(made)
    # Twice for each time that an actor looks.
    quiet = self.setup.experiment.actor.params_poll_seconds / 2
    publisher = learner_metrics.Publisher(
      self._board, learner_metrics.put, quiet
    )
    publisher.publish(made.updates, jax.device_get(made.params))
    self._started = time.monotonic()
    made.waited = 0.0
    self._learning = made
    try:
      self._learn(made, sampler, publisher)
      self._save(made, sampler)
    finally:
      publisher.close()
      sampler.close()

  def _learn(
    self,
    made: learner_state.Learning,
    sampler: base.ReplaySampler,
    publisher: learner_metrics.Publisher,
  ) -> None:
    """Learns, publishes and writes checkpoints until told to stop."""
    run = self.setup.experiment.run
    next_save = time.monotonic() + 60 * run.checkpoint_minutes
    while not self._stop.is_set():
      if time.monotonic() >= next_save:
        next_save = time.monotonic() + 60 * run.checkpoint_minutes
        self._save(made, sampler)
      others = self._draw(made, sampler)
      if others is None:
        continue
      self._group.give(learner_group.Order.UPDATE)
      made.learn(others, self._sums)
      if made.updates % run.publish_updates == 0:
        publisher.publish(made.updates, jax.device_get(made.params))

  def _draw(
    self, made: learner_state.Learning, sampler: base.ReplaySampler
  ) -> list[learner_state.Held] | None:
    """Has all learners hold a batch, if they come to that in time.

    Returns:
      What the others hold; None if not all hold one.
    """
    if not made.draw(sampler):
      return None
    start = time.monotonic()
    others = self._group.others(learner_state.SAMPLE_SECONDS)
    made.waited += time.monotonic() - start
    return others

  def _sampler(self, made: learner_state.Learning) -> base.ReplaySampler:
    if self._replay is not None:
      return replay_server.sampler(self.setup, self._board, made.spec)
    settings = dataclasses.replace(
      self.setup.experiment.replay,
      kind="memory",
      insert_timeout=_INSERT_SECONDS,
    )
    path = os.path.join(self.setup.folder, replay_server.FOLDER)
    store = factory.make_replay(
      settings, made.spec, path, self.setup.experiment.run.seed
    )
    assert isinstance(store, in_memory.InMemoryReplay)
    self._store = store
    return store.sampler()

  def _leave(self, reason: str) -> None:
    """Ends this process: the group is no more."""
    with self._saving:
      role.leave(reason)

  def _leave_if_alone(self) -> None:
    """Ends this process if one of the others is not what it was."""
    for rank, birth in self._group.members().items():
      try:
        stats = self._followers[rank - 1].call("stats", timeout=_ALIVE_SECONDS)
      except (ConnectionError, TimeoutError):
        stats = {}
      if stats.get("birth") != birth:
        self._leave(f"learner {rank} has died")

  def join(self, rank: int, birth: str) -> learner_group.Invitation | None:
    """See `LearnerGroup.join`."""
    return self._group.join(rank, birth)

  def ask(
    self, leader: str, rank: int, turn: int, held: learner_state.Held | None
  ) -> learner_group.Order | None:
    """See `LearnerGroup.ask`."""
    return self._group.ask(leader, rank, turn, held)

  def leader(self) -> str:
    """The process that leads now."""
    return self.birth

  def insert_encoded(self, data: bytes) -> bool:
    """Stores an unroll; False if there is no room for it now."""
    if self._store is None:
      return False
    try:
      self._store.insert_encoded(data)
    except TimeoutError:
      return False
    return True

  def _save(
    self, made: learner_state.Learning, sampler: base.ReplaySampler
  ) -> None:
    """Writes a checkpoint: replay first, then all the rest."""
    batch = None
    if self._draw(made, sampler) is not None:
      self._group.give(learner_group.Order.GATHER)
      batch = made.gather()
    with self._saving:
      folder = os.path.join(self.setup.folder, replay_server.FOLDER)
      reason = ""
      if self._replay is not None:
        reason = self._replay.call("checkpoint")
      elif self._store is not None:
        try:
          self._store.checkpoint(folder)
        except OSError as error:
          reason = errors.describe_os_error(error)
      if reason:
        raise errors.RunError(f"cannot write checkpoint {folder}: {reason}")
      state = self._desk.call("state")
      try:
        made.save(state, batch)
      except OSError as error:
        raise errors.RunError(errors.describe_os_error(error)) from error

  def stats(self) -> dict[str, Any]:
    """Updates, sums over them, time spent waiting, the store if it is here."""
    result = super().stats()
    result["said"] = list(self._said)
    made = self._learning
    if made is not None:
      result |= {
        "updates": made.updates,
        "waited": made.waited,
        "running": time.monotonic() - self._started,
        "devices": len(jax.devices()),
        "processes": self._group.size,
        **self._sums.read(),
      }
    if self._store is not None:
      result |= self._store.info()._asdict()
    return result
