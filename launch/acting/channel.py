"""What an actor needs from the rest of the run, however it is reached."""

from typing import NamedTuple, Protocol

from adaland.agent import types
from adaland.curriculum import base


class Versioned(NamedTuple):
  """Parameters and the learner's update count they belong to."""

  version: int
  params: types.Params


class Channel(Protocol):
  """The way to the curriculum and to the newest parameters.

  All threads of an actor use one at once.
  """

  def next_task(self) -> base.Assignment:
    """A task to play now."""
    ...

  def report(self, record: base.EpisodeRecord) -> None:
    """Hands over a finished episode; never waits."""
    ...

  def count_steps(self, steps: int) -> None:
    """Hands over a number of environment steps; never waits."""
    ...

  def new_params(self) -> Versioned | None:
    """The newest parameters not yet taken; never waits."""
    ...
