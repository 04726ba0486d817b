"""The explorer of any kind of task, in one environment.

If the rules that it knows allow a plan, it carries out the plan, as the expert
does. Otherwise it tries the experiment with the highest worth per metre
(`experiments`), or looks where it has not looked yet, and draws conclusions
(`beliefs`) from what it sees (`sights`).
"""

import collections

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.control import controller
from adaland.envs.expert.exploring import beliefs, experiments, holding, sights
from adaland.envs.expert.ways import navigate, strategy
from adaland.envs.tasks import symbolic
from adaland.envs.tasks.task import Task

# Maximum steps of an experiment, and of pressing objects together, which may be
# unable to touch.
_EXPERIMENT_STEPS = 100
_PRESS_STEPS = 12
# Failures to separate objects by hand after which the player looks for rules.
_VAIN_FAILURES = 2
# Steps after which experiments are compared again while looking around.
_REFRESH_STEPS = 20
# Causes are only sought for objects in view or within this distance.
_AROUND_METRES = 3.0


class Researcher:
  """Player 1 of one environment."""

  def __init__(self, task: Task, remembers: bool):
    """Initializes a player that knows only what it is shown of a task.

    Args:
      task: The task.
      remembers: Whether it keeps its findings from trial to trial.
    """
    self._task = task
    self._remembers = remembers
    self._goal = symbolic.make_condition(task.players[0].goal)
    self._controller = controller.Controller(
      np.random.Generator(np.random.PCG64(0))
    )
    self._strategy = strategy.Strategy()
    self.known = beliefs.Beliefs(task)
    self._seen: sights.Sights | None = None
    self._holding: set[symbolic.Condition] = set()
    self._tried: set[symbolic.Condition] = set()
    self._experiment: experiments.Experiment | None = None
    self._search: int | None = None
    # The best experiment while looking around, and the knowledge on which the
    # choice was based.
    self._option: experiments.Experiment | None = None
    self._key: object = None
    self._option_step = 0
    self._steps = self._pressed = 0
    self._rewarded = False
    self._empty = True

  def observe(self, view: land.WorldView, gripped: bool, reward: float) -> None:
    """Observes a state.

    Args:
      view: The true state, of which only the part in view is read.
      gripped: Whether the last action closed the hand.
      reward: The last reward.
    """
    ground = navigate.ground_of(view.heights, view.ramps)
    if self._seen is None or view.step == 0:
      self._begin(view, ground)
    assert self._seen is not None
    before = self._seen.pos.copy()
    fresh = self._seen.fresh.copy()
    self._rewarded = reward > 0 and view.step > 0
    event = self._seen.update(view, ground, gripped)
    now = holding.surely(self._seen, view, ground)
    if event is None:
      self.known.note_inert(now & self._holding)
      self._holding = now
    else:
      self._conclude(event, before, fresh, view, gripped)
      self._holding = set()
    self._empty = view.held[0] < 0
    self._check_experiment(now, event is not None)

  def act(self, view: land.WorldView) -> tuple[int, ...]:
    """Returns an action for the observed state."""
    assert self._seen is not None
    seen = view._replace(
      slot_types=self._seen.types,
      object_pos=self._seen.pos,
      frozen=self._seen.frozen,
    )
    if self._rewarded:
      return self._controller.act(seen, self._goal, (), True)
    game = self._game()
    step = self._strategy.next_step(game, seen, self._controller.failures)
    if step is not None and not self._is_in_vain(step):
      self._experiment = self._search = None
      return self._controller.act(
        seen, step.wanted, step.avoid, False, step.slots
      )
    return self._explore(seen)

  def _is_in_vain(self, step: strategy.NextStep) -> bool:
    """Returns True if the goal can't be met by hand but needs rules."""
    failures = self._controller.failures.get(step.slots, 0)
    return step.is_goal and step.wanted.negated and failures >= _VAIN_FAILURES

  def _begin(self, view: land.WorldView, ground: navigate.Ground) -> None:
    """Starts a trial."""
    self._controller.reset()
    forgets = view.trial == 0 or not self._remembers
    if forgets or self._seen is None:
      self.known = beliefs.Beliefs(self._task)
      self._seen = sights.Sights(len(view.slot_types), len(ground.centres))
      self._tried.clear()
    self._seen.begin()
    self._holding = set()
    self._experiment = self._search = self._key = None

  def _conclude(
    self,
    event: sights.Event,
    before: np.ndarray,
    fresh: np.ndarray,
    view: land.WorldView,
    gripped: bool,
  ) -> None:
    """Looks for the cause of an event."""
    assert self._seen is not None
    gaps = np.linalg.norm(before - view.player_pos[0], axis=1)
    lost = {
      slot: kind
      for slot, kind in event.lost.items()
      if fresh[slot] or gaps[slot] < _AROUND_METRES
    }
    if not lost:
      return
    beside = {
      int(slot): int(self._seen.types[slot])
      for slot in np.flatnonzero((self._seen.types > 0) & ~self._seen.fresh)
      if slot not in lost
    }
    gripping = gripped and self._empty
    found = holding.causes(lost, beside, before, view, gripping)
    fired = self.known.note_fired(found, event.made)
    if fired is not None:
      self._expect(fired, lost, beside, event.made, before)

  def _expect(
    self,
    fired: beliefs.Belief,
    lost: dict[int, int],
    beside: dict[int, int],
    made: tuple[int, ...],
    before: np.ndarray,
  ) -> None:
    """Assumes the effects of a fired rule that are out of view.

    Args:
      fired: The belief about the rule.
      lost: Types of the objects that are gone, by slot.
      beside: Types of the objects that are out of view, by slot.
      made: Types that appeared.
      before: The objects' positions before, metres, float [S, 3].
    """
    assert self._seen is not None
    centre = before[list(lost)].mean(axis=0)
    count = collections.Counter
    unseen = count(fired.condition.object_types) - count(lost.values())
    for kind in unseen:
      slots = [slot for slot, other in beside.items() if other == kind]
      if slots:
        gaps = np.linalg.norm(before[slots] - centre, axis=1)
        self._seen.drop(slots[int(np.argmin(gaps))])
    missing = count(fired.known_spawns) - count(made)
    self._seen.expect(list(missing.elements()), centre)

  def _check_experiment(
    self, now: set[symbolic.Condition], happened: bool
  ) -> None:
    """Ends an experiment that has nothing more to reveal."""
    trial = self._experiment
    if trial is None:
      return
    self._steps += 1
    near = trial.wanted._replace(predicate="near")
    self._pressed += near in now
    over = self._steps > _EXPERIMENT_STEPS or self._pressed > _PRESS_STEPS
    if over:
      self._tried.update(trial.tests)
    told = all(test in self.known.inert for test in trial.tests)
    if over or told or happened:
      self._experiment = None

  def _game(self) -> symbolic.SymbolicGame:
    """Returns the game as far as it is known."""
    assert self._seen is not None
    seen = self._seen
    movable = set(seen.types[~seen.frozen].tolist())
    present = set(seen.types[seen.types > 0].tolist())
    stuck = present - movable
    rules = [rule for rule in self.known.rules if rule.is_known]
    never = {
      index
      for index, rule in enumerate(rules)
      if not rule.condition.negated
      and rule.condition.predicate != "see"
      and set(rule.condition.object_types) <= stuck
      and (
        rule.condition.predicate == "hold"
        or len(rule.condition.object_types) == 2
      )
    }
    return symbolic.SymbolicGame(
      goal=self._goal,
      rules=tuple((rule.condition, rule.known_spawns) for rule in rules),
      capacity=len(seen.types),
      never_fire=frozenset(never),
    )

  def _explore(self, seen: land.WorldView) -> tuple[int, ...]:
    """Returns an action that explores."""
    assert self._seen is not None
    ground = navigate.ground_of(seen.heights, seen.ramps)
    viewed = self._seen.viewed
    if self._search is not None and viewed[self._search]:
      self._search = None
    if self._experiment is None and self._search is None:
      self._choose(seen, ground)
    if self._experiment is not None:
      trial = self._experiment
      avoid = self._avoid(seen, trial)
      return self._controller.act(seen, trial.wanted, avoid, False, trial.slots)
    if self._search is not None:
      return self._controller.walk(seen, self._search, self._avoid(seen, None))
    return constants.NOOP_ACTION

  def _choose(self, seen: land.WorldView, ground: navigate.Ground) -> None:
    """Chooses an experiment, or where to look."""
    assert self._seen is not None
    key = (seen.slot_types.tobytes(), len(self.known.inert), len(self._tried))
    age = seen.step - self._option_step
    if key != self._key or age > _REFRESH_STEPS:
      self._key, self._option_step = key, seen.step
      self._option = experiments.best(
        self.known,
        seen,
        ground,
        self._goal,
        self._tried,
        self._controller.failures,
      )
    trial = self._option
    place = experiments.frontier(
      ground, seen.player_pos[0, :2], self._seen.viewed
    )
    if place is None and trial is None:
      self._seen.viewed[:] = False  # Looks everywhere again.
    if place is not None and (trial is None or place[1] > trial.value):
      self._search = place[0]
    else:
      self._experiment, self._key = trial, None
    self._steps = self._pressed = 0

  def _avoid(
    self, seen: land.WorldView, trial: experiments.Experiment | None
  ) -> tuple[symbolic.Condition, ...]:
    """Returns the conditions of rules known not to help."""
    present = {int(kind) for kind in seen.slot_types if kind}
    needed = experiments.needed_types(self.known, self._goal, present)
    tests = () if trial is None else trial.tests
    return tuple(
      rule.condition
      for rule in self.known.rules
      if rule.is_known
      and not rule.condition.negated
      and not needed & set(rule.known_spawns)
      and rule.condition not in tests
    )
