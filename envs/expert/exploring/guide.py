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

  def __init__(self, num_envs: int):
    """Initializes the players.

    Args:
      num_envs: Number of environments.
    """
    super().__init__(num_envs)
    # The effects of contacts in each environment's task.
    self._effects: dict[int, tuple[np.ndarray, np.ndarray]] = {}

  def _check(self, task: Task) -> None:
    """Raises ValueError if the player can't play a task."""
    playable.check_guide(task)

  def observe(self, world: land.Land) -> None:
    """Reads the current state, and the rules at the start of a trial."""
    super().observe(world)
    for i in np.flatnonzero(self.view.step == 0).tolist():
      self.known.touch[i], self.known.pair[i] = self._effects[i]

  def _read(self, i: int, task: Task) -> None:
    """Prepares for a new task."""
    super()._read(i, task)
    self._effects[i] = _effects(task, int(self._goal[i]))


def _effects(task: Task, goal: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns the effects of all contacts, as `Notes.touch` and `Notes.pair`.

  Args:
    task: The task.
    goal: The type of the goal's object.
  """
  rules = playable.contact_rules(task)
  useful = _useful(goal, rules)
  # Contacts that no rule is about have no effect.
  touch = np.full(notes.NUM_TYPES, notes.INERT)
  pair = np.full((notes.NUM_TYPES, notes.NUM_TYPES), notes.INERT)
  for rule in reversed(rules):  # The first of several rules fires.
    types = [kind.type_id for kind in rule.spawns] or [notes.VANISHES]
    made = next((each for each in types if each in useful), types[0])
    a, *others = (kind.type_id for kind in rule.condition.object_types)
    if others:
      [b] = others
      pair[a, b] = pair[b, a] = made
    else:
      touch[a] = made
  return touch, pair


def _useful(goal: int, rules: Sequence[Rule]) -> set[int]:
  """Returns the types that the goal's object can be made from, and its own."""
  useful = {goal}
  for _ in rules:
    for rule in rules:
      if any(kind.type_id in useful for kind in rule.spawns):
        useful |= {kind.type_id for kind in rule.condition.object_types}
  return useful
