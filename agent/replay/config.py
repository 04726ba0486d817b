"""Settings of replay, and the rate limits that follow from them."""

import dataclasses
import hashlib
import json
import math
from typing import NamedTuple

from adaland.agent.validation import require, require_choice, require_size

KINDS = ("auto", "reverb", "memory")
SAMPLINGS = ("uniform", "queue")
# More unrolls than any machine holds.
MAX_CAPACITY = 1_000_000_000


class RateLimits(NamedTuple):
  """Limits on how far inserting and sampling may run ahead of each other.

  With d = inserts * samples_per_insert - samples, an insert waits if it would
  bring d above `max_diff`, a sample if it would bring d below `min_diff` or if
  fewer than `min_size` items are stored. Inserts that fill the store up to
  `min_size` never wait. The rule is Reverb's; both stores follow it.
  """

  samples_per_insert: float
  min_size: int
  min_diff: float
  max_diff: float

  def can_insert(self, inserts: int, samples: int) -> bool:
    """Returns True if one more item may be inserted now."""
    if inserts + 1 <= self.min_size:
      return True
    diff = (inserts + 1) * self.samples_per_insert - samples
    return diff <= self.max_diff

  def can_sample(self, inserts: int, samples: int, size: int, n: int) -> bool:
    """Returns True if n more of `size` stored items may be drawn now."""
    if size < self.min_size:
      return False
    diff = inserts * self.samples_per_insert - samples - n
    return diff >= self.min_diff


@dataclasses.dataclass(frozen=True)
class ReplayConfig:
  """Settings of the store between actors and learner.

  Attributes:
    kind: 'reverb', 'memory', or 'auto': Reverb if it is installed.
    sampling: 'queue' gives every unroll to the learner once, in order
      (on-policy); 'uniform' draws with replacement from the newest `capacity`
      unrolls.
    capacity: Unrolls kept. This is the only bound on memory use: multiply it by
      the size of an unroll.
    min_size: Unrolls that must be stored before the first batch is drawn; a
      queue ignores it and needs one batch.
    batch_size: Unrolls in a learner batch.
    samples_per_insert: How often an unroll is drawn on average; actors or the
      learner wait to maintain it. With None neither waits. A queue always has
      1.
    error_buffer: How far, in samples, the run may deviate from
      `samples_per_insert` before one side waits; None for a batch and a half,
      or two inserts' worth of samples if that is more.
    insert_timeout: Seconds after which a waiting insert gives up.
    port: TCP port of the Reverb server, open on every interface to anyone who
      can reach it; 0 for a Unix socket that only this user can open.
  """

  kind: str = "auto"
  sampling: str = "uniform"
  capacity: int = 1000
  min_size: int = 1
  batch_size: int = 32
  samples_per_insert: float | None = None
  error_buffer: float | None = None
  insert_timeout: float = 10.0
  port: int = 0

  def __post_init__(self):
    require_choice("replay.kind", self.kind, KINDS)
    require_choice("replay.sampling", self.sampling, SAMPLINGS)
    require(
      1 <= self.capacity <= MAX_CAPACITY,
      "replay.capacity",
      self.capacity,
      f"1 to {MAX_CAPACITY}",
    )
    require_size("replay.batch_size", self.batch_size)
    require(
      1 <= self.min_size <= self.capacity,
      "replay.min_size",
      self.min_size,
      f"1 to capacity ({self.capacity})",
    )
    require(
      math.isfinite(self.insert_timeout) and self.insert_timeout > 0,
      "replay.insert_timeout",
      self.insert_timeout,
      "a finite number of seconds above 0",
    )
    require(0 <= self.port <= 65535, "replay.port", self.port, "0 to 65535")
    if self.sampling == "queue":
      require(
        self.capacity >= self.batch_size,
        "replay.capacity",
        self.capacity,
        f"at least batch_size ({self.batch_size}) for a queue",
      )
      require(
        self.samples_per_insert in (None, 1),
        "replay.samples_per_insert",
        self.samples_per_insert,
        "None or 1 for a queue",
      )
      require(
        self.error_buffer is None,
        "replay.error_buffer",
        self.error_buffer,
        "None for a queue",
      )
    if self.samples_per_insert is None:
      require(
        self.error_buffer is None,
        "replay.error_buffer",
        self.error_buffer,
        "None where samples_per_insert is None",
      )
    else:
      require(
        math.isfinite(self.samples_per_insert) and self.samples_per_insert > 0,
        "replay.samples_per_insert",
        self.samples_per_insert,
        "a finite number above 0, or None",
      )
      # Below this, both sides might wait for each other.
      least = max(self.batch_size, self.samples_per_insert)
      require(
        self.error_buffer is None or self.error_buffer >= least,
        "replay.error_buffer",
        self.error_buffer,
        f"None, or at least {least} (batch_size and samples_per_insert)",
      )

  def rate_limits(self) -> RateLimits:
    """Returns the rate limits of these settings."""
    if self.sampling == "queue":
      return RateLimits(1.0, 1, 0.0, float(self.capacity))
    if self.samples_per_insert is None:
      return RateLimits(1.0, self.min_size, -math.inf, math.inf)
    ratio = float(self.samples_per_insert)
    error_buffer = self.error_buffer
    if error_buffer is None:
      error_buffer = max(1.5 * self.batch_size, 2.0 * ratio)
    offset = ratio * self.min_size
    return RateLimits(
      ratio, self.min_size, offset - error_buffer, offset + error_buffer
    )

  def store_hash(self) -> str:
    """Returns a hash of the settings that a table's checkpoint depends on."""
    settings = [self.sampling, self.capacity, *map(str, self.rate_limits())]
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:12]
