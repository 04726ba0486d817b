"""An actor's connection to the rest of the run."""

from typing import NamedTuple, Protocol

from adaland.agent import types
from adaland.curriculum import base


class Versioned(NamedTuple):
  """Parameters with their version.

  Attributes:
    version: The learner's update count when it published them.
    params: The parameters.
  """

  version: int
  params: types.Params


class Channel(Protocol):
  """A connection to the curriculum and to the newest parameters.

  Every method raises ConnectionError when the learner is gone.
  """

  def next_task(self) -> base.Assignment:
    """Returns a task to act in; waits if none has arrived."""
    ...

  def report(self, record: base.EpisodeRecord) -> None:
    """Sends the record of a finished episode; never waits."""
    ...

  def count_steps(self, steps: int) -> None:
    """Adds to the number of environment steps; never waits."""
    ...

  def new_params(self) -> Versioned | None:
    """Returns newer parameters than the last call did, if any; never waits."""
    ...

  def snapshot(self, number: int) -> types.Params:
    """Returns the parameters of the co-player of the task taken last.

    Args:
      number: The snapshot's number.
    """
    ...
