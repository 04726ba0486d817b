"""Draws the games of single-player tasks (AdA, arXiv 2301.07608).

A game is built backwards from its goal, so that it can be solved: each rule of
the chain supplies an object that the goal or the next rule needs, and objects
that no rule supplies exist from the start. In addition to the paper, every
goal takes work:

- no goal holds at the start, and every goal can be reached;
- no rule of the chain fires without the player's doing: objects of one
  condition are not spawned side by side, conditions of `see` and `near` don't
  name objects that appear in front of the player, and no condition is negated;
- every dead end can be avoided, and dead ends don't feed each other.

A negated goal does not hold at the start, since `worlds.scene.build_scene` puts
its arguments together: its objects must be separated, or the chain's last rule
consumes one.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np

from adaland.envs.sampling.config import Range, SamplerConfig
from adaland.envs.sampling.hiding import draw_hiding
from adaland.envs.tasks.literals import (
  OBJECT_TYPES,
  Argument,
  Literal,
  ObjectType,
  Player,
  Rule,
)
from adaland.envs.tasks.task import Hiding

_PLAYER: Final = Player(1)
# Probability that one rule supplies both objects that the next step needs.
_SUPPLY_BOTH: Final = 0.5
_TRIES: Final = 20

_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True)
class SampledGame:
  """A single-player game and the task attributes drawn with it.

  Attributes:
    goal: The rewarded literal.
    rules: Chain and dead ends, in random order.
    objects: Types of the initial objects, one entry for each object; the order
      of types is drawn.
    hiding: Parts of the rules that the player is not shown.
    trials: Number of trials in an episode.
    trial_seconds: Length of a trial.
  """

  goal: Literal
  rules: tuple[Rule, ...]
  objects: tuple[ObjectType, ...]
  hiding: Hiding
  trials: int
  trial_seconds: float


class _NoGameError(Exception):
  """An attempt to draw a game that failed."""


def _between(rng: np.random.Generator, bounds: Range) -> int:
  return int(rng.integers(bounds[0], bounds[1] + 1))


def _makes_sense(goal: Literal, chain_rules: int) -> bool:
  """Returns True if a goal can start unreached and be reached by acting."""
  with_player = isinstance(goal.a, Player)
  if not goal.negated:
    # Initial objects are mostly seen from the start.
    return goal.predicate != "see" or chain_rules > 0
  if goal.predicate == "near":
    return True
  # Only a rule reliably ends that two objects see each other. Bodies can't be
  # reliably placed in contact, and nothing is held at the start.
  return goal.predicate == "see" and not with_player and chain_rules > 0


class _Draft:
  """A partly drawn game."""

  def __init__(self, config: SamplerConfig, rng: np.random.Generator):
    self._config = config
    self._rng = rng
    self._unused = [OBJECT_TYPES[i] for i in rng.permutation(len(OBJECT_TYPES))]
    self._num_chain = _between(rng, config.chain_rules)
    self.chain: list[Rule] = []
    self.dead_ends: list[Rule] = []
    self.objects: list[ObjectType] = []
    self.goal = self._draw_goal()
    self._draw_chain()
    distractors = self._draw_distractors()
    self._draw_dead_ends(distractors)

  def _chance(self, probability: float) -> bool:
    return self._rng.random() < probability

  def _pick(self, options: Sequence[_T]) -> _T:
    return options[self._rng.integers(len(options))]

  def _take_type(self) -> ObjectType:
    if not self._unused:
      raise _NoGameError
    return self._unused.pop()

  def _draw_goal(self) -> Literal:
    config = self._config
    for _ in range(_TRIES):
      predicate = self._pick(config.goal_predicates)
      negated = self._chance(config.negation_probability)
      a: Argument = self._unused[-2]
      if predicate == "hold" or self._chance(config.player_in_goal_probability):
        a = _PLAYER
      goal = Literal(predicate, a, self._unused[-1], negated)
      if _makes_sense(goal, self._num_chain):
        for kind in goal.object_types:
          self._unused.remove(kind)
        return goal
    raise _NoGameError

  def _draw_condition(self, fires_first: bool) -> Literal:
    """Draws a condition over types that nothing else uses.

    Args:
      fires_first: True if its objects exist from the start. Otherwise they
        appear in front of the player, a few steps away at most.
    """
    config = self._config
    for _ in range(_TRIES):
      predicate = self._pick(config.rule_predicates)
      with_player = predicate == "hold" or self._chance(
        config.player_in_rule_probability
      )
      if predicate == "see":
        # Looking must not be all that it takes to reach the goal.
        if not with_player or not fires_first or self.goal.predicate == "see":
          continue
      elif predicate == "near" and with_player and not fires_first:
        continue
      a = _PLAYER if with_player else self._take_type()
      return Literal(predicate, a, self._take_type())
    raise _NoGameError

  def _draw_destroyer(self) -> Literal:
    """Draws a condition that consumes an object of a negated goal."""
    config = self._config
    victim = self._pick(list(self.goal.object_types))
    for _ in range(_TRIES):
      predicate = self._pick(config.rule_predicates)
      if predicate == "see":
        continue
      if predicate == "hold":
        if self._num_chain == 1:
          return Literal("hold", _PLAYER, victim)
        continue
      if self._chance(config.player_in_rule_probability):
        # With a goal to be away from it, the player starts beside it.
        if self._num_chain > 1 or self.goal.a == _PLAYER:
          continue
        return Literal(predicate, _PLAYER, victim)
      return Literal(predicate, victim, self._take_type())
    raise _NoGameError

  def _draw_chain(self) -> None:
    """Draws the chain backwards from the goal; the first rule comes last."""
    consumer, missing = self.goal, list(self.goal.object_types)
    remaining = self._num_chain
    if self.goal.negated:
      self.objects += missing
      missing = []
      if remaining:
        consumer = self._draw_destroyer()
        remains = (self._take_type(),) if self._chance(0.5) else ()
        self.chain.append(Rule(consumer, remains))
        missing = [x for x in consumer.object_types if x not in self.objects]
        remaining -= 1
    while remaining:
      if not missing:
        raise _NoGameError
      remaining -= 1
      supplied = self._pick(missing)
      missing.remove(supplied)
      spawns = [supplied]
      # Spawned side by side, they would satisfy a rule's `near` at once.
      at_once = consumer is not self.goal and consumer.predicate != "touching"
      if missing and not at_once and self._chance(_SUPPLY_BOTH):
        spawns += missing
      else:
        self.objects += missing
      consumer = self._draw_condition(fires_first=remaining == 0)
      self.chain.append(Rule(consumer, tuple(spawns)))
      missing = list(consumer.object_types)
    self.objects += missing

  def _draw_distractors(self) -> list[ObjectType]:
    """Adds distractors; returns their types."""
    config = self._config
    room = config.max_objects - len(self.objects)
    count = min(_between(self._rng, config.distractors), room)
    if count < config.distractors[0] or (count and not self._unused):
      raise _NoGameError
    # Each type once, as far as they last: two objects of one type that the
    # solution never has would give away that they are distractors.
    once = self._unused[:count]
    more = [self._pick(self._unused) for _ in range(count - len(once))]
    drawn = once + more
    self.objects += drawn
    return list(dict.fromkeys(drawn))

  def _draw_dead_ends(self, distractors: list[ObjectType]) -> None:
    literals = [rule.condition for rule in self.chain]
    # Pairs that the solution brings together or spawns together.
    together = [set(literal.object_types) for literal in [self.goal, *literals]]
    together += [set(rule.spawns) for rule in self.chain]
    if not self.goal.negated:
      literals.append(self.goal)
    needed = list(dict.fromkeys(x for y in literals for x in y.object_types))
    if self.goal.negated:
      # Consuming them would reach the goal.
      needed = [x for x in needed if x not in self.goal.object_types]
    # Objects that the solution only walks up to; lifting one may spoil it.
    untouched = [
      x
      for y in literals
      if y.a == _PLAYER and y.predicate in ("near", "touching")
      for x in y.object_types
      if x in needed
    ]
    conditions: list[Literal] = []
    for _ in range(_between(self._rng, self._config.dead_ends)):
      conditions.append(
        self._draw_dead_end(
          distractors, needed, untouched, together, conditions
        )
      )
    # Types that no dead end consumes, so that dead ends can't form a cycle.
    used = {x for condition in conditions for x in condition.object_types}
    waste = [kind for kind in self._unused if kind not in used]
    for condition in conditions:
      count = int(self._rng.integers(3)) if waste else 0
      self.dead_ends.append(
        Rule(condition, tuple(self._pick(waste) for _ in range(count)))
      )

  def _draw_dead_end(
    self,
    distractors: list[ObjectType],
    needed: list[ObjectType],
    untouched: list[ObjectType],
    together: list[set[ObjectType]],
    taken: list[Literal],
  ) -> Literal:
    config = self._config
    for _ in range(_TRIES):
      predicate = self._pick(config.rule_predicates)
      if predicate == "hold" or self._chance(config.player_in_rule_probability):
        options = distractors
        if predicate == "hold":
          options = distractors + untouched
        if not options:
          continue
        condition = Literal(predicate, _PLAYER, self._pick(options))
      else:
        options = distractors + needed
        if predicate == "see" or len(options) < 2:
          continue
        i, j = self._rng.permutation(len(options))[:2]
        if any({options[i], options[j]} <= pair for pair in together):
          continue
        condition = Literal(predicate, options[i], options[j])
      objects = set(condition.object_types)
      if all(objects != set(other.object_types) for other in taken):
        return condition
    raise _NoGameError


def _in_any_order(
  objects: list[ObjectType], rng: np.random.Generator
) -> tuple[ObjectType, ...]:
  """Draws the order of types, which agents see, so that it tells no roles."""
  kinds = list(dict.fromkeys(objects))
  return tuple(
    kinds[i]
    for i in rng.permutation(len(kinds))
    for _ in range(objects.count(kinds[i]))
  )


def draw_game(
  config: SamplerConfig, rng: np.random.Generator
) -> SampledGame | None:
  """Draws a game of either split; returns None if the attempt fails."""
  try:
    draft = _Draft(config, rng)
  except _NoGameError:
    return None
  rules = draft.chain + draft.dead_ends
  rules = tuple(rules[i] for i in rng.permutation(len(rules)))
  return SampledGame(
    goal=draft.goal,
    rules=rules,
    objects=_in_any_order(draft.objects, rng),
    hiding=draw_hiding(config.hide, rules, rng),
    trials=_between(rng, config.trials),
    trial_seconds=float(rng.uniform(*config.trial_seconds)),
  )
