"""Brings about one condition with one avatar: which objects, which skill.

The controller sees the truth (`WorldView`) but acts only through the six
action heads. Each step it is told the condition wanted and the conditions not
to bring about on the way, and gives one action.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert import senses, skills, steering, undoing, walker
from adaland.envs.expert.senses import Moment
from adaland.envs.tasks.planner import Condition

# Steps for one attempt before another pair or another way is tried.
_PATIENCE_STEPS = 70
# Steps to get something into view by turning alone.
_TURN_STEPS = 12
# Metres that it is worth walking to leave out: a try that failed, letting go
# of what is held, carrying what must not be held or can't be moved.
_FAILURE_METRES = 10.0
_DROP_METRES = 2.0
_FORBIDDEN_METRES = 100.0
_FROZEN_METRES = 1000.0


class Controller:
  """Acts for player 1 of one environment."""

  def __init__(self, rng: np.random.Generator):
    self._walker = walker.Walker(rng)
    self._skills = skills.Skills(self._walker)
    self._undoing = undoing.Undoing(self._walker, self._skills)
    self.reset()

  def reset(self) -> None:
    """Forgets everything, at the start of a trial."""
    self._walker.reset()
    self._errand: tuple[Condition, tuple[int, ...]] | None = None
    self._attempt_steps = 0
    self._failures: dict[tuple[int, ...], int] = {}

  def act(
    self,
    view: land.WorldView,
    wanted: Condition,
    avoid: Sequence[Condition],
    satisfied: bool = False,
  ) -> tuple[int, ...]:
    """One action towards a condition.

    Args:
      view: The truth about the environment.
      wanted: What shall hold.
      avoid: What shall not come about meanwhile.
      satisfied: Whether it holds already and shall go on to.

    Returns:
      An index for each head.
    """
    moment = Moment(view, self._walker.ground(view), avoid)
    if satisfied:
      moment.action.grip = int(moment.held >= 0)
      return moment.action.indices
    steering.look_towards(moment.action, constants.START_PITCH - moment.pitch)
    if wanted.negated:
      self._undo(moment, wanted)
    else:
      self._bring_about(moment, wanted)
    return moment.action.indices

  def _bring_about(self, moment: Moment, wanted: Condition) -> None:
    slots = self._choose(moment, wanted)
    if slots is None:
      return
    retry = self._failures.get(slots, 0) % 2 == 1
    slot, touch = slots[0], wanted.predicate == "touching"
    no_hold = moment.must_not("hold", slot)
    if len(slots) == 2:
      if no_hold:
        self._skills.push(moment, *slots)
      else:
        self._skills.put_beside(moment, *slots, touch=touch, force=retry)
    elif wanted.predicate == "hold":
      self._skills.fetch(moment, slot)
    elif wanted.predicate == "see":
      walk = self._attempt_steps >= _TURN_STEPS and not moment.sees(slot)
      self._skills.face(moment, slot, walk)
    elif touch and (retry or no_hold):
      self._skills.bump(moment, slot)
    elif touch or (retry and not no_hold):
      self._skills.pull_close(moment, slot)
    else:
      self._skills.walk_up_to(moment, slot)

  def _undo(self, moment: Moment, wanted: Condition) -> None:
    slots = [senses.slots_of(moment.view, t) for t in wanted.object_types]
    sight = wanted.predicate == "see"
    if wanted.predicate == "hold":
      return  # The open hand of the no-op does.
    if len(slots) == 1:
      if sight:
        self._undoing.look_away(moment, slots[0])
      else:
        self._undoing.keep_away(moment, slots[0])
      return
    pairs = [(i, j) for i, j in itertools.product(*slots) if i != j]
    if pairs and sight:
      self._undoing.stand_between(moment, pairs)
    elif pairs:
      self._undoing.separate(moment, pairs)

  def _choose(
    self, moment: Moment, wanted: Condition
  ) -> tuple[int, ...] | None:
    """The instances to use: those of the last step, else the nearest."""
    slots = [senses.slots_of(moment.view, t) for t in wanted.object_types]
    candidates = [
      chosen
      for chosen in itertools.product(*slots)
      if len(set(chosen)) == len(chosen)
    ]
    # Either of the two may be the one that is carried.
    candidates += [pair[::-1] for pair in candidates if len(pair) == 2]
    if not candidates:
      return None
    if self._errand is not None and self._errand[0] == wanted:
      chosen = self._errand[1]
      if chosen in candidates:
        self._attempt_steps += 1
        if self._attempt_steps <= _PATIENCE_STEPS:
          return chosen
        self._failures[chosen] = self._failures.get(chosen, 0) + 1
    best = min(candidates, key=lambda chosen: self._effort(moment, chosen))
    self._errand, self._attempt_steps = (wanted, best), 0
    return best

  def _effort(self, moment: Moment, slots: tuple[int, ...]) -> float:
    """Rough metres to walk, for the choice among instances."""
    effort = _FAILURE_METRES * self._failures.get(slots, 0)
    if moment.held != slots[0]:
      effort += float(np.linalg.norm(moment.at(slots[0]) - moment.here))
      effort += _DROP_METRES * (moment.held >= 0)
    if len(slots) == 2:
      gap = moment.at(slots[0]) - moment.at(slots[1])
      effort += float(np.linalg.norm(gap))
      effort += _FROZEN_METRES * bool(moment.view.frozen[slots[0]])
      effort += _FORBIDDEN_METRES * moment.must_not("hold", slots[0])
    return effort
