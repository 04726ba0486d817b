"""The guide: a tutor that is told the hidden rules, to demonstrate them.

The expert takes the shortest way, and often with what it carries in front of
the object to which it carries it. A player that only watches the avatar's view
then can't tell which objects came together. The guide acts by what is in view,
as the tutor does, so its trials show what the rules are about.
"""

import numpy as np

from adaland.envs import land
from adaland.envs.expert.exploring import notes, playable, tutor
from adaland.envs.tasks.task import Task


class Guide(tutor.Tutor):
  """Player 1 of each environment of a batch; see `players.Player`."""

  def _check(self, task: Task) -> None:
    """Raises ValueError if the player can't play a task."""
    playable.check_tutor(task, "guide")

  def observe(self, world: land.Land) -> None:
    """Reads the current state, and the rules at the start of a trial."""
    super().observe(world)
    for i in np.flatnonzero(world.batch_view().step == 0):
      self._tell(int(i), world.tasks[i])

  def _tell(self, i: int, task: Task) -> None:
    """Notes the effects of a task's rules about near objects."""
    known = self.known
    for rule in task.rules:
      condition = rule.condition
      if condition.predicate != "near" or condition.negated:
        continue
      made = rule.spawns[0].type_id if rule.spawns else notes.VANISHES
      a, *others = (kind.type_id for kind in condition.object_types)
      if others:
        [b] = others
        known.pair[i, a, b] = known.pair[i, b, a] = made
      else:
        known.touch[i, a] = made
