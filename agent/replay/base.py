"""What every replay does: the seam between actors and learner."""

from typing import NamedTuple, Protocol

from adaland.agent import types


class Counts(NamedTuple):
  """What a store holds, and what went in and out of it since it was empty."""

  size: int
  inserts: int
  samples: int


class ReplayWriter(Protocol):
  """The actors' end."""

  def insert(self, unroll: types.Unroll, priority: float = 1.0) -> None:
    """Stores one unroll; waits for a bounded time when replay is full.

    Raises:
      ValueError: If the unroll has other fields, shapes or dtypes.
      TimeoutError: If replay let nothing in; the unroll was not stored.
    """
    ...

  def close(self) -> None:
    """Sends what is pending within a bounded time and lets go."""
    ...


class ReplaySampler(Protocol):
  """The learner's end."""

  def sample(self, timeout: float | None = None) -> types.Unroll:
    """Returns one batch, every leaf [B, ...].

    Raises:
      TimeoutError: If no batch came within `timeout` seconds.
    """
    ...

  def close(self) -> None:
    """Stops the sampling thread."""
    ...


class Replay(Protocol):
  """The store itself, in the process that owns it."""

  def writer(self) -> ReplayWriter:
    """Returns an actor's end."""
    ...

  def sampler(self) -> ReplaySampler:
    """Returns the learner's end."""
    ...

  def size(self) -> int:
    """Items stored."""
    ...

  def info(self) -> Counts:
    """Items stored, inserted and sampled.

    Raises:
      TimeoutError: If the store's server does not answer.
    """
    ...

  def checkpoint(self, path: str) -> None:
    """Writes the store's content under `path`, whole or not at all."""
    ...

  def restore(self, path: str) -> None:
    """Reads back what `checkpoint` wrote."""
    ...

  def close(self) -> None:
    """Stops serving."""
    ...
