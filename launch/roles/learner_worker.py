"""The role of a learner that follows: all but the first of several.

It makes the same updates as the leader, to the same state, from its own share
of every batch; and it goes where the leader goes.
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
# How long a file system shared by machines may take to show a checkpoint.
_CHECKPOINT_SECONDS = 60.0
_LOOK_SECONDS = 0.5


class _Unheard:
  """A report for what the leader reports."""

  def add(self, values: Mapping[str, Any], steps: int, lag: float) -> None:
    """Lets it go."""


class FollowerRole(role.RunningRole):
  """Learns as the leader says.

  Args:
    rank: Its number, from 1.
    setup: The run.
    board: Where the replay server is found.
    leader: The role of rank 0.
  """

  def __init__(
    self,
    rank: int,
    setup: role.Setup,
    board: peer.Peer,
    leader: peer.Peer,
  ):
    super().__init__(f"learner {rank}", setup)
    self._rank = rank
    self._board = board
    self._leader = leader
    self._learning: learner_state.Learning | None = None
    self._ended = threading.Event()

  def _work(self) -> None:
    invitation = self._join()
    if not invitation.address:
      return
    # In a thread: in the middle of an update this one may wait for ever.
    threading.Thread(
      target=self._watch, args=(invitation.leader,), daemon=True
    ).start()
    try:
      self._follow(invitation)
    except (errors.UserError, errors.RunError):
      raise
    except Exception:
      if self._leader_now() != invitation.leader:
        role.leave("the leader has died")
      raise

  def _join(self) -> learner_group.Invitation:
    while True:
      invitation = self._leader.call("join", self._rank, self.birth)
      if invitation is not None:
        return invitation
      time.sleep(_JOIN_SECONDS)

  def _leader_now(self) -> str:
    """The process that leads now; empty if there is none."""
    try:
      return self._leader.call("leader", timeout=_ALIVE_SECONDS)
    except (ConnectionError, TimeoutError):
      return ""

  def _watch(self, leader: str) -> None:
    """Ends this process once another leads."""
    while not self._ended.wait(_WATCH_SECONDS):
      if (now := self._leader_now()) not in ("", leader):
        role.leave(f"{now} leads, not {leader}")

  def _follow(self, invitation: learner_group.Invitation) -> None:
    """Does what the leader says until the end."""
    experiment = self.setup.experiment
    size = experiment.cluster.num_learners
    host = jax_processes.own_address(self.setup.many_machines)
    jax_processes.join(invitation.address, size, self._rank, host)
    folder = os.path.join(self.setup.folder, "checkpoints")
    _await_checkpoint(folder, invitation.step)
    made = learner_state.Learning(
      experiment, folder, logging.info, learner_state.Share(self._rank, size)
    )
    jax_processes.wait_for_all("read the checkpoint")
    sampler = replay_server.sampler(self.setup, self._board, made.spec)
    self._learning = made
    turn = 0
    while True:
      made.draw(sampler)
      order = self._leader.call(
        "ask", invitation.leader, self._rank, turn, made.held
      )
      if order is None:
        continue
      turn += 1
      if order is learner_group.Order.UPDATE:
        made.learn([], _Unheard())
      elif order is learner_group.Order.GATHER:
        made.gather()
      elif order is learner_group.Order.LEAVE:
        role.leave("another leads")
      else:
        self._ended.set()
        sampler.close()
        return

  def stats(self) -> dict[str, Any]:
    """Updates; all else is the leader's to say."""
    result = super().stats()
    if self._learning is not None:
      result["updates"] = self._learning.updates
    return result


def _await_checkpoint(folder: str, step: int | None) -> None:
  """Waits until the newest checkpoint to be seen is the leader's.

  Raises:
    RunError: If it is not, as in a directory that machines do not share.
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
