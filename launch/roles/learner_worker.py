"""The role of a learner worker: any but the first of several learners.

It makes the same updates as the leader, to the same state, from its shard of
every batch, and exits when another learner leads.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors
from adaland.launch.roles import (
  jax_processes,
  learner_group,
  learner_state,
  peer,
  replay_server,
  role,
)

_JOIN_SECONDS = 0.2
_WATCH_SECONDS = 1.0
_ALIVE_SECONDS = 10.0
# Seconds that a shared file system may take to show a checkpoint.
_CHECKPOINT_SECONDS = 60.0
_LOOK_SECONDS = 0.5


class _NoReport:
  """A report that drops metrics, as the leader reports them."""

  def add(self, values: Mapping[str, Any], steps: int, lag: float) -> None:
    """See `learner_state.Report.add`."""


class LearnerWorker(role.Role):
  """A learner that follows the leader's orders until the run ends.

  Args:
    rank: The worker's number, from 1.
    setup: The run.
    parameter_server: Knows the replay server's address.
    leader: The learner of rank 0.
  """

  def __init__(
    self,
    rank: int,
    setup: role.Setup,
    parameter_server: peer.Peer,
    leader: peer.Peer,
  ):
    super().__init__(f"learner {rank}", setup)
    self._rank = rank
    self._parameter_server = parameter_server
    self._leader = leader
    self._state: learner_state.LearnerState | None = None
    self._ended = threading.Event()

  def _work(self) -> None:
    invitation = self._join()
    if not invitation.address:
      return
    # In a thread, as this one may wait forever in the middle of an update.
    threading.Thread(
      target=self._watch, args=(invitation.leader,), daemon=True
    ).start()
    try:
      self._follow(invitation)
    except (errors.UserError, errors.RunError):
      raise
    except Exception:
      if self._leader_now() != invitation.leader:
        role.exit_process("the leader has died")
      raise

  def _join(self) -> learner_group.Invitation:
    while True:
      invitation = self._leader.call("join", self._rank, self.incarnation)
      if invitation is not None:
        return invitation
      time.sleep(_JOIN_SECONDS)

  def _leader_now(self) -> str:
    """Returns the incarnation that leads now; empty if there is none."""
    try:
      return self._leader.call("leader", timeout=_ALIVE_SECONDS)
    except (ConnectionError, TimeoutError):
      return ""

  def _watch(self, leader: str) -> None:
    """Ends this process once another leads."""
    while not self._ended.wait(_WATCH_SECONDS):
      if (now := self._leader_now()) not in ("", leader):
        role.exit_process(f"{now} leads, not {leader}")

  def _follow(self, invitation: learner_group.Invitation) -> None:
    """Follows the leader's orders until the end."""
    experiment = self.setup.experiment
    size, host = self.setup.num_learners, self.setup.address
    jax_processes.join(invitation.address, size, self._rank, host)
    folder = os.path.join(self.setup.folder, "checkpoints")
    _await_checkpoint(folder, invitation.step)
    state = learner_state.LearnerState(
      experiment, folder, logging.info, learner_state.Shard(self._rank, size)
    )
    jax_processes.wait_for_all("read the checkpoint")
    sampler = replay_server.sampler(
      self.setup, self._parameter_server, state.spec, self._ended
    )
    self._state = state
    turn = 0
    while True:
      state.draw(sampler)
      order = self._leader.call(
        "ask", invitation.leader, self._rank, turn, state.batch_info
      )
      if order is None:
        continue
      turn += 1
      if order is learner_group.Order.UPDATE:
        progress = 0.0
        if experiment.learner.follows_progress:
          progress = self._leader.call("progress")
        state.learn([], _NoReport(), progress)
      elif order is learner_group.Order.GATHER:
        state.gather()
      elif order is learner_group.Order.LEAVE:
        role.exit_process("another leads")
      else:
        self._ended.set()
        if sampler is not None:
          sampler.close()
        return

  def stats(self) -> dict[str, Any]:
    """Returns the worker's updates; the leader reports all other numbers."""
    result = super().stats()
    if self._state is not None:
      result["updates"] = self._state.updates
    return result


def _await_checkpoint(folder: str, step: int | None) -> None:
  """Waits until the newest checkpoint that this machine sees is the leader's.

  Raises:
    RunError: If it is another, as when machines do not share the directory.
  """
  deadline = time.monotonic() + _CHECKPOINT_SECONDS
  while True:
    newest = (checkpoint.steps(folder) or [None])[-1]
    if newest == step:
      return
    if time.monotonic() > deadline:
      raise errors.RunError(
        f"{folder}: a learner sees checkpoint {newest} there, the first one "
        f"{step}: do all machines share the directory?"
      )
    time.sleep(_LOOK_SECONDS)
