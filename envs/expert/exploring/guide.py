"""The guide: a tutor that is told the hidden rules, to demonstrate them.

The expert takes the shortest way, and often with what it carries in front of
the object to which it carries it. A player that only watches the avatar's view
then can't tell which objects came together. The guide acts by what is in view,
as the tutor does, so its trials show what the rules are about.
"""

from collections.abc import Sequence

import numpy as np

from adaland.envs import land
from adaland.envs.expert.exploring import notes, playable, tutor
from adaland.envs.tasks.task import Rule, Task


class Guide(tutor.Tutor):
  """Player 1 of each environment of a batch; see `players.Player`."""

  def _check(self, task: Task) -> None:
    """Raises ValueError if the player can't play a task."""
    playable.check_guide(task)

  def observe(self, world: land.Land) -> None:
    """Reads the current state, and the rules at the start of a trial."""
    super().observe(world)
    for i in np.flatnonzero(world.batch_view().step == 0):
      self._tell(int(i), world.tasks[i])

  def _tell(self, i: int, task: Task) -> None:
    """Notes the effects of all contacts in a task."""
    known, rules = self.known, playable.contact_rules(task)
    # Contacts that no rule is about have no effect.
    known.touch[i] = known.pair[i] = notes.INERT
    useful = _useful(int(self._goal[i]), rules)
    for rule in reversed(rules):  # The first of several rules fires.
      types = [kind.type_id for kind in rule.spawns] or [notes.VANISHES]
      made = next((each for each in types if each in useful), types[0])
      a, *others = (kind.type_id for kind in rule.condition.object_types)
      if others:
        [b] = others
        known.pair[i, a, b] = known.pair[i, b, a] = made
      else:
        known.touch[i, a] = made


def _useful(goal: int, rules: Sequence[Rule]) -> set[int]:
  """Returns the types that the goal's object can be made from, and its own."""
  useful = {goal}
  for _ in rules:
    for rule in rules:
      if any(kind.type_id in useful for kind in rule.spawns):
        useful |= {kind.type_id for kind in rule.condition.object_types}
  return useful
