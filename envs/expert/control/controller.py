"""The choice of the objects and the skill that make one condition true.

The controller reads the true state (`WorldView`) but acts only through the six
action heads. At each step it gets the wanted condition and the conditions to
avoid, and returns one action.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from adaland.envs import constants, land, shapes
from adaland.envs.expert.control import senses, skills, undoing, walker
from adaland.envs.expert.control.senses import Situation
from adaland.envs.expert.ways import steering
from adaland.envs.tasks.symbolic import Condition

# Steps of an attempt before other objects or another skill are tried: steps
# near the object to go to, since the way may be long, and steps in total.
_ATTEMPT_STEPS = 70
_ERRAND_STEPS = 200
_ARRIVED_METRES = 2.5
# Steps after which an attempt counts as failed: idle ones, and, to make a
# condition false, ones that together lead less far than a distance.
_IDLE_STEPS = 4
_STUCK_STEPS = 20
_STUCK_METRES = 0.3
# Distance at which to wait for something to be done, out of the way.
_WAIT_METRES = 2.0
# Steps to get an object into view just by turning.
_TURN_STEPS = 12
# Costs in metres of walking: of an attempt that failed, of dropping the held
# object, of carrying an object that must not be held or can't be moved.
_FAILURE_METRES = 10.0
_DROP_METRES = 2.0
_FORBIDDEN_METRES = 100.0
_FROZEN_METRES = 1000.0


class Controller:
  """The controller of player 1 in one environment.

  Attributes:
    failures: Number of failed attempts in this trial, by slots.
  """

  def __init__(self, rng: np.random.Generator):
    """Initializes the controller; `rng` is used for escapes when stuck."""
    self._walker = walker.Walker(rng)
    self._skills = skills.Skills(self._walker)
    self._undoing = undoing.Undoing(self._walker, self._skills)
    self.reset()

  def reset(self) -> None:
    """Forgets everything, at the start of a trial."""
    self._walker.reset()
    self._errand: tuple[Condition, tuple[int, ...]] | None = None
    self._attempt_steps = self._errand_steps = self._idle_steps = 0
    self._stuck_steps, self._stuck_at = 0, np.zeros(3)
    # Whether the last action closed an empty hand.
    self._closed = False
    self.failures: dict[tuple[int, ...], int] = {}

  def act(
    self,
    view: land.WorldView,
    wanted: Condition,
    avoid: Sequence[Condition],
    satisfied: bool = False,
    slots: tuple[int, ...] = (),
    lasting: bool = True,
  ) -> tuple[int, ...]:
    """Returns an action towards a condition.

    Args:
      view: The true state of the environment.
      wanted: The condition to make true.
      avoid: Conditions to avoid at the same time.
      satisfied: If true, the condition holds already and should be kept.
      slots: The objects to use, the carried one first; empty for the nearest.
        Others are tried if these fail.
      lasting: If false, it is enough that the condition holds for a moment.

    Returns:
      An index for each head.
    """
    situation = Situation(view, self._walker.ground(view), avoid)
    if satisfied:
      situation.action.grip = int(situation.held >= 0)
      return situation.action.indices
    steering.look_towards(
      situation.action, constants.START_PITCH - situation.pitch
    )
    if wanted.negated:
      self._undo(situation, wanted)
    elif not wanted.object_types:
      self._skills.meet(situation, wanted.predicate)
    else:
      self._bring_about(situation, wanted, slots, lasting)
    return self._finish(situation)

  def prepare(
    self,
    view: land.WorldView,
    slot: int,
    at: np.ndarray,
    avoid: Sequence[Condition],
  ) -> tuple[int, ...]:
    """Returns an action towards a place where something will be done.

    Args:
      view: The true state of the environment.
      slot: The object to bring along, if holding it does no harm; -1 for none.
      at: The place, metres, float [3].
      avoid: Conditions to avoid on the way.
    """
    situation = Situation(view, self._walker.ground(view), avoid)
    steering.look_towards(
      situation.action, constants.START_PITCH - situation.pitch
    )
    if slot >= 0 and situation.must_not("hold", slot):
      slot = -1  # It waits next to it.
    ready = slot < 0 or self._skills.fetch(situation, slot)
    if ready and np.linalg.norm(at - situation.here) > _WAIT_METRES:
      ends = np.array([situation.ground.cell_of(at[:2])])
      self._walker.go(situation, ("prepare", slot), at, ends, [slot])
    elif ready:
      self._undoing.keep_away(situation, situation.other[None])
    return self._finish(situation)

  def make_way(
    self, view: land.WorldView, avoid: Sequence[Condition]
  ) -> tuple[int, ...]:
    """Returns an action out of the other player's way, with the hand open."""
    situation = Situation(view, self._walker.ground(view), avoid)
    self._undoing.keep_away(situation, situation.other[None])
    return self._finish(situation)

  def _finish(self, situation: Situation) -> tuple[int, ...]:
    """Returns the action, after a correction of the grip."""
    if situation.held < 0:
      # A hand that lost its object must open before it can take another.
      situation.action.grip *= not self._closed
    self._closed = situation.held < 0 and situation.action.grip == 1
    return situation.action.indices

  def walk(
    self, view: land.WorldView, cell: int, avoid: Sequence[Condition]
  ) -> tuple[int, ...]:
    """Returns an action towards a cell of the ground, with the hand open.

    Args:
      view: The true state of the environment.
      cell: The cell.
      avoid: Conditions to avoid on the way.
    """
    situation = Situation(view, self._walker.ground(view), avoid)
    steering.look_towards(
      situation.action, constants.START_PITCH - situation.pitch
    )
    at = np.append(situation.ground.centres[cell], 0.0)
    self._walker.go(situation, ("cell", cell), at, np.array([cell]), [])
    return situation.action.indices

  def _bring_about(
    self,
    situation: Situation,
    wanted: Condition,
    hint: tuple[int, ...],
    lasting: bool,
  ) -> None:
    slots = self._choose(situation, wanted, hint)
    if slots is None:
      return
    retry = self.failures.get(slots, 0) % 2 == 1
    slot, touch = slots[0], wanted.predicate == "touching"
    no_hold = situation.must_not("hold", slot)
    if len(slots) == 2:
      if no_hold:
        self._skills.push(situation, *slots)
      else:
        # A bump is fast, but drives the other object away. A ball does not stay
        # on top of another.
        balls = all(_is_ball(situation, each) for each in slots)
        self._skills.put_beside(
          situation,
          *slots,
          touch=touch,
          force=(lasting and retry) != balls,
          bump=touch and not lasting and not retry,
        )
    elif wanted.predicate == "hold":
      self._skills.fetch(situation, slot)
    elif wanted.predicate == "see":
      walk = self._errand_steps >= _TURN_STEPS and not situation.sees(slot)
      self._skills.face(situation, slot, walk)
    elif touch and (retry or no_hold):
      self._skills.bump(situation, slot)
    elif touch or (retry and not no_hold):
      close = self._skills.pull_close(situation, slot)
      self._idle_steps = (self._idle_steps + 1) * close
      if self._idle_steps > _IDLE_STEPS:  # It slipped below or beside the body.
        self._idle_steps = 0
        self._fail(slots)
    else:
      self._skills.walk_up_to(situation, slot)

  def _undo(self, situation: Situation, wanted: Condition) -> None:
    slots = [senses.slots_of(situation.view, t) for t in wanted.object_types]
    sight = wanted.predicate == "see"
    if wanted.predicate == "hold":
      return  # The no-op opens the hand.
    if len(slots) < 2:
      if slots:
        at = situation.view.object_pos[slots[0]]
      else:
        at = situation.other[None]
      if sight:
        self._undoing.look_away(situation, at)
      else:
        self._undoing.keep_away(situation, at)
      return
    pairs = [(i, j) for i, j in itertools.product(*slots) if i != j]
    retry = any(self.failures.get(pair, 0) % 2 for pair in pairs)
    if pairs and sight and retry:
      self._undoing.hide(situation, pairs)
    elif pairs and sight:
      self._undoing.stand_between(situation, pairs)
    elif pairs:
      self._undoing.separate(situation, pairs)
    self._notice_idleness(situation, pairs)

  def _notice_idleness(
    self, situation: Situation, pairs: list[tuple[int, int]]
  ) -> None:
    """Counts a failure if nothing goes on while pairs satisfy the relation.

    The avatar idles, or presses against something that it can't move.
    """
    action = situation.action
    still = steering.Action(look=action.look, hand=action.hand)
    idle = action == still
    self._idle_steps = (self._idle_steps + 1) * idle
    self._stuck_steps += 1
    if np.linalg.norm(situation.here - self._stuck_at) > _STUCK_METRES:
      self._stuck_steps, self._stuck_at = 0, situation.here.copy()
    if self._idle_steps > _IDLE_STEPS or self._stuck_steps > _STUCK_STEPS:
      self._idle_steps = self._stuck_steps = 0
      for i, j in pairs:
        for pair in ((i, j), (j, i)):
          self._fail(pair)

  def _choose(
    self, situation: Situation, wanted: Condition, hint: tuple[int, ...]
  ) -> tuple[int, ...] | None:
    """Returns the slots to use.

    These are the last step's slots, else those of the hint, else the nearest.
    """
    slots = [senses.slots_of(situation.view, t) for t in wanted.object_types]
    candidates = [
      chosen
      for chosen in itertools.product(*slots)
      if len(set(chosen)) == len(chosen)
    ]
    # Either of the two may be carried.
    candidates += [pair[::-1] for pair in candidates if len(pair) == 2]
    if not candidates:
      return None
    if self._errand is not None and self._errand[0] == wanted:
      chosen = self._errand[1]
      if chosen in candidates:
        self._errand_steps += 1
        self._attempt_steps += _has_arrived(situation, chosen)
        if (
          self._attempt_steps <= _ATTEMPT_STEPS
          and self._errand_steps <= _ERRAND_STEPS
        ):
          return chosen
        self._fail(chosen)
    best = min(candidates, key=lambda chosen: self._effort(situation, chosen))
    if hint in candidates and not self.failures.get(hint):
      best = hint
    self._errand = (wanted, best)
    self._attempt_steps = self._errand_steps = 0
    return best

  def _fail(self, slots: tuple[int, ...]) -> None:
    """Counts a failed attempt."""
    self.failures[slots] = self.failures.get(slots, 0) + 1

  def _effort(self, situation: Situation, slots: tuple[int, ...]) -> float:
    """Estimates the metres to walk, to choose among objects."""
    effort = _FAILURE_METRES * self.failures.get(slots, 0)
    if situation.held != slots[0]:
      effort += float(np.linalg.norm(situation.at(slots[0]) - situation.here))
      effort += _DROP_METRES * (situation.held >= 0)
    if len(slots) == 2:
      gap = situation.at(slots[0]) - situation.at(slots[1])
      effort += float(np.linalg.norm(gap))
      effort += _FROZEN_METRES * bool(situation.view.frozen[slots[0]])
      effort += _FORBIDDEN_METRES * situation.must_not("hold", slots[0])
    return effort


def _is_ball(situation: Situation, slot: int) -> bool:
  """Returns True if an object rolls away from what it touches."""
  return shapes.shape_of_type(situation.type_of(slot)).rolls


def _has_arrived(situation: Situation, slots: tuple[int, ...]) -> bool:
  """Returns True near the target: the second object if the first is held."""
  target = slots[-1] if situation.held == slots[0] else slots[0]
  way = situation.at(target) - situation.here
  return float(np.linalg.norm(way)) < _ARRIVED_METRES
