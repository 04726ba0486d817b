"""A curriculum over pairs of a task and a co-player."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adaland.curriculum import base, coplayers, statistics


class PairedCurriculum:
  """A curriculum whose assignments name a co-player.

  Args:
    make: Makes the curriculum that chooses pairs, from its `sample_task` and
      a function that draws the co-player of a new pair.
    sample_task: Returns the task of an index, or a placeholder for it.
    config: Settings of the co-players.
    seed: Seed of the co-players drawn for a curriculum that chooses no pairs.
    chooses_pairs: False for a user's curriculum, which chooses only tasks: a
      co-player is drawn each time it samples one.
  """

  def __init__(
    self,
    make: Callable[
      [Callable[[int], int], base.DrawCoplayer],
      base.Curriculum,
    ],
    sample_task: Callable[[int], Any],
    config: coplayers.CoplayersConfig,
    seed: int,
    chooses_pairs: bool = True,
  ):
    self._sample_task = sample_task
    self._coplayers = coplayers.Coplayers(config)
    self._rng = np.random.Generator(np.random.PCG64((seed, 1)))
    self._self_share = statistics.RecentMean()
    sample = (lambda pair: pair) if chooses_pairs else self._draw_pair
    self._curriculum = make(sample, self._coplayers.draw)

  def set_snapshots(self, snapshots: Sequence[int]) -> None:
    """Replaces the snapshots from which new pairs are drawn."""
    self._coplayers.snapshots = tuple(sorted(snapshots))

  def _draw_pair(self, index: int) -> int:
    index %= coplayers.MAX_TASKS
    return coplayers.join(index, self._coplayers.draw(self._rng))

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play, each with its co-player."""
    return [self._decoded(each) for each in self._curriculum.next_tasks(n)]

  def _decoded(self, assignment: base.Assignment) -> base.Assignment:
    index, coplayer = coplayers.split(assignment.task)
    coplayer = self._coplayers.present(coplayer)
    self._self_share.add(float(coplayer == coplayers.SELF))
    return assignment._replace(task=self._sample_task(index), coplayer=coplayer)

  def report(self, record: base.EpisodeRecord) -> None:
    """See `base.Curriculum`."""
    self._curriculum.report(record)

  def take_decisions(self) -> list[base.Decision]:
    """See `base.Deciding`.

    The indices are numbers of pairs if the curriculum chooses pairs.
    """
    if isinstance(self._curriculum, base.Deciding):
      return self._curriculum.take_decisions()
    return []

  def state_dict(self) -> dict[str, Any]:
    """See `base.Curriculum`."""
    return {
      "pairs": self._curriculum.state_dict(),
      "snapshots": list(self._coplayers.snapshots),
      "generator": copy.deepcopy(self._rng.bit_generator.state),
      "self_share": self._self_share.state_dict(),
    }

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """See `base.Curriculum`."""
    self._curriculum.load_state_dict(state["pairs"])
    self.set_snapshots(state["snapshots"])
    self._rng.bit_generator.state = copy.deepcopy(state["generator"])
    self._self_share.load_state_dict(state["self_share"])

  def metrics(self) -> dict[str, float]:
    """Returns the metrics of the curriculum and of the co-players."""
    return self._curriculum.metrics() | {
      "coplayer_snapshots": float(len(self._coplayers.snapshots)),
      "self_play_share": self._self_share.mean,
    }
