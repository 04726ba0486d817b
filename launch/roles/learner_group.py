"""How learners of several processes keep together.

Each update is one program over all of them: who enters it alone waits for
ever. So the leader, of rank 0, says what all do next, and it says that an
update is next only when each has told that it holds its share of the batch.
Until then nobody is anywhere but here, where every wait can be ended.

JAX can't replace a process of a group, so a group lives as long as each of
its processes: when one has died and another comes in its place, all end and
meet anew.
"""

import enum
import threading
from collections.abc import Callable
from typing import NamedTuple

from adaland.launch.roles import learner_state

# A follower's question waits no longer than this for its answer.
_ASK_SECONDS = 0.5


class Order(enum.Enum):
  """What all learners do next.

  Attributes:
    UPDATE: Learn from the batch that they hold.
    GATHER: Give it to the leader, for a checkpoint, and keep it.
    END: Nothing more: the run is over.
    LEAVE: End, and join the group that forms: this one is gone.
  """

  UPDATE = enum.auto()
  GATHER = enum.auto()
  END = enum.auto()
  LEAVE = enum.auto()


class Invitation(NamedTuple):
  """What a follower must know to take part.

  Attributes:
    leader: The leader's process, as it names itself.
    address: Of its coordinator, "host:port"; empty if the run is over.
    step: Of the checkpoint that all go on from; None at a run's start.
  """

  leader: str
  address: str
  step: int | None


class LearnerGroup:
  """The leader's view of the group; followers call it from threads of theirs.

  A group of one is always complete and always holds its batch.

  Args:
    leader: The leader's process, unlike any other's.
    size: How many learners there are.
    broken: Called when a follower's process has been replaced; ends this one.
  """

  def __init__(self, leader: str, size: int, broken: Callable[[str], None]):
    self.leader = leader
    self.size = size
    self._broken = broken
    self._changed = threading.Condition()
    self._members: dict[int, str] = {}
    self._invitation: Invitation | None = None
    # Orders are numbered; the next one is not given yet.
    self._turn = 0
    self._last: Order | None = None
    self._over = False
    self._held: dict[int, learner_state.Held] = {}

  def join(self, rank: int, birth: str) -> Invitation | None:
    """A follower asks in.

    Args:
      rank: Its number, from 1.
      birth: Its process, unlike any other's.

    Returns:
      Where to meet; None if that is not known yet.
    """
    with self._changed:
      if self._over:
        return Invitation(self.leader, "", None)
      if self._invitation is None:
        self._members[rank] = birth
        self._changed.notify_all()
        return None
      if self._members[rank] == birth:
        return self._invitation
    self._broken(f"learner {rank} has died")
    return None

  def wait_complete(self, seconds: float) -> bool:
    """Waits until all have asked in; whether they have."""
    with self._changed:
      return self._changed.wait_for(
        lambda: len(self._members) == self.size - 1, seconds
      )

  def members(self) -> dict[int, str]:
    """The followers' processes, by rank."""
    with self._changed:
      return dict(self._members)

  def invite(self, address: str, step: int | None) -> None:
    """Tells all who ask where to meet; see `Invitation`."""
    with self._changed:
      self._invitation = Invitation(self.leader, address, step)

  def ask(
    self, leader: str, rank: int, turn: int, held: learner_state.Held | None
  ) -> Order | None:
    """A follower asks what is next.

    Args:
      leader: Whom it takes for the leader.
      rank: Its number.
      turn: How many orders it has had.
      held: What it holds for the next update.

    Returns:
      The order; None if it has not been given yet, to be asked for again.
    """
    with self._changed:
      if leader != self.leader:
        return Order.LEAVE
      if held is not None and turn == self._turn:
        self._held[rank] = held
        self._changed.notify_all()
        # Who holds nothing yet has a batch to wait for instead.
        self._changed.wait_for(
          lambda: self._turn > turn or self._over, _ASK_SECONDS
        )
      if self._turn > turn:
        return self._last
      return Order.END if self._over else None

  def others(self, seconds: float) -> list[learner_state.Held] | None:
    """What the others hold, once each has told; None if not in time.

    At the end there are no others any more.
    """
    with self._changed:
      if self._over:
        return []
      if not self._changed.wait_for(
        lambda: len(self._held) == self.size - 1, seconds
      ):
        return None
      return [self._held[rank] for rank in sorted(self._held)]

  def give(self, order: Order) -> None:
    """Gives the next order.

    An update or a checkpoint's batch takes all, so it must be known that they
    hold their shares (`others`): then each has had the order before, too.
    """
    with self._changed:
      if order is Order.END:
        self._over = True
      else:
        self._turn += 1
        self._last = order
        self._held.clear()
      self._changed.notify_all()
