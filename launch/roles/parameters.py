"""The notice board: where the newest parameters are, and the replay server.

It holds a reference to the parameters, not the parameters: those travel by
the engine's object store, one copy a host.
"""

import threading
from typing import Any, NamedTuple

from adaland.launch.roles import role


class Notice(NamedTuple):
  """What hangs on the board.

  Attributes:
    stamp: Differs from that of every other publication; 0 if there was none.
    version: The learner's updates that the parameters belong to.
    params: A list of one reference to them, empty if there are none.
    replay: Address of the replay server, empty if there is none yet.
  """

  stamp: int = 0
  version: int = -1
  params: tuple[Any, ...] = ()
  replay: str = ""


class Board(role.Role):
  """Keeps the notice; a restarted one is told anew by who posted."""

  def __init__(self):
    super().__init__("board")
    self._lock = threading.Lock()
    self._notice = Notice()

  def post_params(self, stamp: int, version: int, params: list[Any]) -> None:
    """Puts up new parameters.

    Args:
      stamp: Of this publication, not 0.
      version: See `Notice`.
      params: A list of one reference: alone, it would be looked up here.
    """
    with self._lock:
      self._notice = self._notice._replace(
        stamp=stamp, version=version, params=tuple(params)
      )

  def post_replay(self, address: str) -> None:
    """Puts up where the replay server is."""
    with self._lock:
      self._notice = self._notice._replace(replay=address)

  def read(self, stamp: int) -> Notice:
    """Returns the notice, without the parameters if they have this stamp."""
    with self._lock:
      if self._notice.stamp == stamp:
        return self._notice._replace(params=())
      return self._notice
