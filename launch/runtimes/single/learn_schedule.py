"""The schedule of learning, counted in unrolls and never timed.

Equal configs therefore give equal runs.
"""

import dataclasses
from typing import Any

from adaland.agent.replay.config import ReplayConfig


@dataclasses.dataclass
class Schedule:
  """Counters of the unrolls that enter and leave the device replay.

  Attributes:
    config: The replay's config.
    inserts: Unrolls stored so far.
    samples: Unrolls drawn so far.
    oldest: Number of the oldest unroll that may still be drawn.
  """

  config: ReplayConfig
  inserts: int = 0
  samples: int = 0
  oldest: int = 0

  def insert(self, num: int) -> list[int]:
    """Counts inserted unrolls.

    Args:
      num: Number of unrolls; beyond the capacity the first are overwritten.

    Returns:
      The unrolls' rows; the capacity for unrolls to leave out.
    """
    capacity = self.config.capacity
    rows = [i % capacity for i in range(self.inserts, self.inserts + num)]
    self.inserts += num
    self.oldest = max(self.oldest, self.inserts - capacity)
    # After two writes to one row, either might remain.
    return [*([capacity] * max(0, num - capacity)), *rows[-capacity:]]

  @property
  def size(self) -> int:
    """Number of unrolls that may be drawn."""
    return self.inserts - self.oldest

  def due(self) -> bool:
    """Returns whether to learn from a batch now.

    Each unroll beyond the first `min_size` pays for `samples_per_insert`
    draws; a queue yields each unroll once.
    """
    config = self.config
    if config.sampling == "queue":
      return self.size >= config.batch_size
    assert config.samples_per_insert is not None
    paid = (self.inserts - config.min_size) * config.samples_per_insert
    return self.samples + config.batch_size <= paid

  def sample(self) -> None:
    """Counts a drawn batch."""
    self.samples += self.config.batch_size
    if self.config.sampling == "queue":
      self.oldest += self.config.batch_size

  def state_dict(self) -> dict[str, Any]:
    """Returns the counters."""
    return {
      "inserts": self.inserts,
      "samples": self.samples,
      "oldest": self.oldest,
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores the counters that `state_dict` returned."""
    self.inserts = int(state["inserts"])
    self.samples = int(state["samples"])
    self.oldest = int(state["oldest"])
