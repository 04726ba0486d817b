"""The order in which learners of several processes act.

Each update is one program over all processes: one that enters it alone waits
forever. So the leader, of rank 0, gives orders, and it orders an update only
when every worker has reported that it holds its shard of the batch. Until then
all of them wait here, where every wait can be ended.

JAX can't replace a process of a group, so a group ends with any of its
processes: when one has died and been replaced, all of them exit and form a new
group.
"""

import enum
import threading
from collections.abc import Callable
from typing import NamedTuple

from adaland.launch.roles import learner_state

# Longest time that a worker's request waits for an order.
_ASK_SECONDS = 0.5


class Order(enum.Enum):
  """The next step of all learners.

  Attributes:
    UPDATE: Learn from the batch that they hold.
    GATHER: Send the batch to the leader, for a checkpoint, and keep it.
    END: Stop, as the run is over.
    LEAVE: Exit and join the next group, as this one has lost a member.
  """

  UPDATE = enum.auto()
  GATHER = enum.auto()
  END = enum.auto()
  LEAVE = enum.auto()


class Invitation(NamedTuple):
  """The data with which a worker joins the group.

  Attributes:
    leader: The leader's incarnation.
    address: The coordinator's address, "host:port"; empty if the run is over.
    step: The checkpoint that all learners resume from; None at a run's start.
  """

  leader: str
  address: str
  step: int | None


class LearnerGroup:
  """The leader's view of the group; workers' calls come from other threads.

  A group of one is always complete and always holds its batch.

  Args:
    leader: The leader's incarnation.
    size: Number of learners.
    broken: Called when a worker's process has been replaced; ends this one.

  Attributes:
    progress: Share of the run that was over at the last order. It stays until
      all workers have followed the order.
  """

  def __init__(self, leader: str, size: int, broken: Callable[[str], None]):
    self.leader = leader
    self.size = size
    self._broken = broken
    self._changed = threading.Condition()
    self._members: dict[int, str] = {}
    self._invitation: Invitation | None = None
    # Orders are numbered; this is the number of the next one.
    self._turn = 0
    self._last: Order | None = None
    self._over = False
    self.progress = 0.0
    self._batches: dict[int, learner_state.BatchInfo] = {}

  def join(self, rank: int, incarnation: str) -> Invitation | None:
    """Adds a worker.

    Args:
      rank: The worker's number, from 1.
      incarnation: Differs between any two of the worker's processes.

    Returns:
      The invitation; None until the group is complete.
    """
    with self._changed:
      if self._over:
        return Invitation(self.leader, "", None)
      if self._invitation is None:
        self._members[rank] = incarnation
        self._changed.notify_all()
        return None
      if self._members[rank] == incarnation:
        return self._invitation
    self._broken(f"learner {rank} has died")
    return None

  def wait_complete(self, seconds: float) -> bool:
    """Waits until all workers have joined; returns False if not in time."""
    with self._changed:
      return self._changed.wait_for(
        lambda: len(self._members) == self.size - 1, seconds
      )

  def members(self) -> dict[int, str]:
    """Returns the workers' incarnations by rank."""
    with self._changed:
      return dict(self._members)

  def invite(self, address: str, step: int | None) -> None:
    """Sets the invitation that `join` returns; see `Invitation`."""
    with self._changed:
      self._invitation = Invitation(self.leader, address, step)

  def ask(
    self,
    leader: str,
    rank: int,
    turn: int,
    batch: learner_state.BatchInfo | None,
  ) -> Order | None:
    """Returns the order that a worker follows next.

    Args:
      leader: The incarnation of the leader whose group the worker joined.
      rank: The worker's number.
      turn: Number of orders that it has received.
      batch: The batch that it holds; None if it holds none.

    Returns:
      The order; None if it has not been given yet and the worker must ask
      again.
    """
    with self._changed:
      if leader != self.leader:
        return Order.LEAVE
      if batch is not None and turn == self._turn:
        self._batches[rank] = batch
        self._changed.notify_all()
        # A worker without a batch waits for its batch instead.
        self._changed.wait_for(
          lambda: self._turn > turn or self._over, _ASK_SECONDS
        )
      if self._turn > turn:
        return self._last
      return Order.END if self._over else None

  def worker_batches(
    self, seconds: float
  ) -> list[learner_state.BatchInfo] | None:
    """Waits until all workers hold a batch; returns None if not in time.

    After `Order.END` there are no workers left.
    """
    with self._changed:
      if self._over:
        return []
      if not self._changed.wait_for(
        lambda: len(self._batches) == self.size - 1, seconds
      ):
        return None
      return [self._batches[rank] for rank in sorted(self._batches)]

  def give(self, order: Order, progress: float = 0.0) -> None:
    """Gives the next order, at a share of the run that is over.

    `UPDATE` and `GATHER` need all learners, so `worker_batches` must have
    returned; then each worker has also received the previous order.
    """
    with self._changed:
      if order is Order.END:
        self._over = True
      else:
        self._turn += 1
        self._last, self.progress = order, progress
        self._batches.clear()
      self._changed.notify_all()
