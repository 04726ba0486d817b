"""The actors' end of a store that another process owns."""

from collections.abc import Callable

from adaland.agent import types
from adaland.agent.replay import spec as spec_lib


class EncodedWriter:
  """Sends unrolls as bytes through a channel that the caller owns.

  The other end hands the bytes to `InMemoryReplay.insert_encoded`. Bytes are a
  header and the raw columns: nothing that is read is ever executed.
  """

  def __init__(self, spec: spec_lib.UnrollSpec, send: Callable[[bytes], None]):
    """Makes a writer.

    Args:
      spec: What one unroll looks like.
      send: Delivers the bytes, or raises TimeoutError when it can't.
    """
    self._spec = spec
    self._send = send

  def insert(self, unroll: types.Unroll, priority: float = 1.0) -> None:
    """Sends one unroll.

    Raises:
      ValueError: If the unroll does not fit the spec.
      TimeoutError: If `send` could not deliver it.
    """
    self._send(self._spec.encode(unroll, priority))

  def close(self) -> None:
    """Lets go; the channel belongs to the caller."""
