"""The interface of replay, between actors and learner."""

from typing import NamedTuple, Protocol

from adaland.agent import types


class Counts(NamedTuple):
  """Numbers of items that a store holds, and of its inserts and samples."""

  size: int
  inserts: int
  samples: int


class ReplayWriter(Protocol):
  """An actor's end of replay."""

  def insert(self, unroll: types.Unroll) -> None:
    """Stores one unroll; waits for a bounded time when replay is full.

    Raises:
      ValueError: If the unroll has other fields, shapes or dtypes.
      TimeoutError: If replay accepted nothing in time; the unroll was not
        stored.
    """
    ...

  def close(self) -> None:
    """Sends pending unrolls within a bounded time, and disconnects."""
    ...


class ReplaySampler(Protocol):
  """The learner's end of replay."""

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

  def info(self) -> Counts:
    """Returns the numbers of items stored, inserted and sampled.

    Raises:
      TimeoutError: If the store's server does not answer.
    """
    ...

  def checkpoint(self, path: str) -> None:
    """Writes the store's content under `path`, atomically.

    `factory.make_replay` reads it back. A store in another process
    writes only into the directory that it was started with.
    """
    ...

  def close(self) -> None:
    """Stops serving."""
    ...
