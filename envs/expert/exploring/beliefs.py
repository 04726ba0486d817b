"""Beliefs about rules with hidden parts.

The belief about a rule is a set of candidates: all readings that agree with
what the player is shown. A condition that held while nothing happened rules out
the candidates with that condition; an event settles a rule, and with it what a
hidden object or predicate stands for in the other rules.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from adaland.envs import constants
from adaland.envs.tasks.literals import Argument, ObjectType, Rule
from adaland.envs.tasks.symbolic import Condition, is_player
from adaland.envs.tasks.task import Hiding, Task

PLAYER = constants.PLAYER_TYPE_IDS[0]
_KINDS = range(1, constants.NUM_OBJECT_TYPES + 1)
# Relative frequency of predicates in the conditions of hidden rules, after
# AdA's sampler (arXiv 2301.07608): with a player it is mostly `hold`, and
# hardly ever `see`.
_WEIGHTS = {"touching": 1.0, "near": 1.0, "hold": 1.0, "see": 0.02}
_PLAYER_WEIGHT = 0.1
_NEGATED_WEIGHT = 0.2
# A less common condition is not taken for that of a wholly hidden rule.
_LEAST_PRIOR = 0.05

# What a placeholder stands for: "object" or "predicate", and its number.
Placeholder = tuple[str, int]
# A placeholder with the type id or the predicate that it stands for.
Binding = tuple[Placeholder, int | str]


class Candidate(NamedTuple):
  """A reading of a rule.

  Attributes:
    condition: Its condition, in canonical order (see `canonical`).
    binding: What its placeholders stand for.
  """

  condition: Condition
  binding: tuple[Binding, ...] = ()


class Belief:
  """The belief about one rule.

  Attributes:
    candidates: The remaining readings; None for any condition.
    spawns: Types that it spawns, with placeholders for hidden ones; None if
      unknown.
  """

  def __init__(
    self,
    candidates: list[Candidate] | None,
    spawns: tuple[int | Placeholder, ...] | None,
  ):
    """Initializes a belief."""
    self.candidates = candidates
    self.spawns = spawns

  @property
  def settled(self) -> bool:
    """True if nothing is left to find out about the condition."""
    return self.candidates is not None and len(self.candidates) < 2

  @property
  def is_known(self) -> bool:
    """True if its condition is known."""
    return self.candidates is not None and len(self.candidates) == 1

  @property
  def condition(self) -> Condition:
    """The rule's condition, which must be known."""
    assert self.candidates
    return self.candidates[0].condition

  @property
  def known_spawns(self) -> tuple[int, ...]:
    """The types that are known to be spawned."""
    return tuple(x for x in self.spawns or () if isinstance(x, int))


class Beliefs:
  """The beliefs of a player about the rules of a task.

  Attributes:
    rules: The belief about each rule.
    inert: Conditions that held while nothing happened, in canonical order.
  """

  def __init__(self, task: Task):
    """Initializes player 1's beliefs from what it is shown of a task."""
    hiding = task.hiding[0]
    shown = [
      rule for n, rule in enumerate(task.rules) if n + 1 not in hiding.rules
    ]
    kinds, predicates = _hidden_values(shown, hiding)
    self.inert: set[Condition] = set()
    self.rules: list[Belief] = []
    for n, rule in enumerate(task.rules):
      if n + 1 in hiding.rules:
        self.rules.append(Belief(None, None))
        continue
      spawns = tuple(_value(kind, hiding) for kind in rule.spawns)
      candidates = list(_readings(rule, hiding, kinds, predicates))
      self.rules.append(Belief(candidates, spawns))

  def weight(self, index: int, condition: Condition) -> float:
    """Returns the relative likelihood that a rule has a condition.

    Args:
      index: The rule, from 0.
      condition: The condition, in canonical order.
    """
    belief = self.rules[index]
    if condition in self.inert or belief.settled:
      return 0.0
    # A known rule consumes the objects before another can.
    known = [x.condition for x in self.rules if x.is_known]
    if any(condition.implies(x) for x in known):
      return 0.0
    if belief.candidates is None:
      return prior(condition)
    share = 1 / len(belief.candidates)
    return share * sum(x.condition == condition for x in belief.candidates)

  def note_inert(self, conditions: Iterable[Condition]) -> None:
    """Records that conditions held while nothing happened."""
    new = {canonical(x) for x in conditions} - self.inert
    # A rule known to have the condition did not fire for some other reason.
    new -= {belief.condition for belief in self.rules if belief.is_known}
    if not new:
      return
    self.inert |= new
    for belief in self.rules:
      if belief.candidates is not None and not belief.settled:
        belief.candidates = [
          x for x in belief.candidates if x.condition not in new
        ]
        if len(belief.candidates) == 1:
          self._bind(belief.candidates[0].binding)

  def note_fired(
    self, causes: Sequence[Condition], spawned: tuple[int, ...]
  ) -> Belief | None:
    """Records an event, in which some rule fired.

    Args:
      causes: The conditions that may be the cause, the likeliest first.
      spawned: Types that appeared, as far as they were seen.

    Returns:
      The new belief about the rule that fired; None if none can have fired.
    """
    for cause in map(canonical, causes):
      known = [x for x in self.rules if x.is_known and x.condition == cause]
      if known:
        self._see_spawns(known[0], spawned)
        return known[0]
    for cause in map(canonical, causes):
      for belief in self.rules:
        if cause in self.inert or belief.settled:
          continue
        if self._may_spawn(belief, spawned) and self._settle(belief, cause):
          if belief.spawns is None:
            belief.spawns = spawned
          self._see_spawns(belief, spawned)
          return belief
    return None

  def _settle(self, belief: Belief, cause: Condition) -> bool:
    """Takes a condition for a rule's; returns False if it can't be."""
    if belief.candidates is None:
      if prior(cause) < _LEAST_PRIOR:
        return False  # Something else must be the cause.
      belief.candidates = [Candidate(cause)]
      return True
    matching = [x for x in belief.candidates if x.condition == cause]
    if matching:
      belief.candidates = matching[:1]
      self._bind(matching[0].binding)
    return bool(matching)

  def _may_spawn(self, belief: Belief, spawned: tuple[int, ...]) -> bool:
    """Returns True if a rule may have spawned the types that appeared."""
    if belief.spawns is None:
      return True
    free = len(belief.spawns) - len(belief.known_spawns)
    odd = [kind for kind in spawned if kind not in belief.known_spawns]
    return len(odd) <= free

  def _see_spawns(self, belief: Belief, spawned: tuple[int, ...]) -> None:
    """Records what a hidden object among the spawns stands for."""
    hidden = [x for x in belief.spawns or () if not isinstance(x, int)]
    odd = [kind for kind in spawned if kind not in belief.known_spawns]
    if len(set(hidden)) == 1 and odd:
      self._bind(((hidden[0], odd[0]),))

  def _bind(self, binding: Iterable[Binding]) -> None:
    """Applies what placeholders stand for to all rules."""
    bound = dict(binding)
    values = set(bound.values())
    if not bound:
      return
    for belief in self.rules:
      if belief.spawns is not None:
        spawns = [
          x if isinstance(x, int) else bound.get(x, x) for x in belief.spawns
        ]
        # A placeholder of a type is bound to a type, not to a predicate (str).
        belief.spawns = tuple(spawns)  # pyrefly: ignore[bad-assignment]
      if belief.candidates is None or belief.settled:
        continue
      belief.candidates = [
        x
        for x in belief.candidates
        if all(
          bound.get(name, value) == value
          and (name in bound or value not in values)
          for name, value in x.binding
        )
      ]


def canonical(condition: Condition) -> Condition:
  """Returns a condition in canonical order, shared by all equal ones."""
  a, b = condition.a, condition.b
  symmetric = condition.predicate in ("near", "touching") or (
    condition.predicate == "see" and not is_player(a) and not is_player(b)
  )
  # Players come first.
  if symmetric and (is_player(b) or (a > b and not is_player(a))):
    return condition._replace(a=b, b=a)
  return condition


def prior(condition: Condition) -> float:
  """Returns how common a condition is among hidden rules."""
  weight = _WEIGHTS[condition.predicate]
  if is_player(condition.a) and condition.predicate != "hold":
    weight *= _PLAYER_WEIGHT
  return weight * (_NEGATED_WEIGHT if condition.negated else 1.0)


def _hidden_values(
  shown: Sequence[Rule], hiding: Hiding
) -> tuple[list[int], list[str]]:
  """Returns the types and predicates that placeholders may stand for.

  A type or predicate that is shown in any rule is not hidden in another.
  """
  kinds, predicates = set(_KINDS), set(_WEIGHTS)
  for rule in shown:
    for part in (*rule.condition.object_types, *rule.spawns):
      if part not in hiding.objects:
        kinds.discard(part.type_id)
    if rule.condition.predicate not in hiding.predicates:
      predicates.discard(rule.condition.means)
  return sorted(kinds), sorted(predicates)


def _value(part: Argument, hiding: Hiding) -> int | Placeholder:
  """Returns the type id of a part of a rule, or its placeholder."""
  if isinstance(part, ObjectType) and part in hiding.objects:
    return ("object", hiding.objects.index(part))
  return part.type_id


def _readings(
  rule: Rule, hiding: Hiding, kinds: list[int], predicates: list[str]
) -> Iterator[Candidate]:
  """Yields the readings of a rule that agree with what is shown."""
  literal = rule.condition
  parts: list[int | Placeholder] = [
    _value(x, hiding) for x in literal.arguments
  ]
  hides = literal.predicate in hiding.predicates
  name = (
    ("predicate", hiding.predicates.index(literal.predicate)) if hides else None
  )
  unknown = list(dict.fromkeys(x for x in parts if not isinstance(x, int)))
  for predicate in predicates if hides else [literal.means]:
    for values in itertools.permutations(kinds, len(unknown)):
      bound: dict[Placeholder, int | str] = dict(
        zip(unknown, values, strict=True)
      )
      a, b = (x if isinstance(x, int) else int(bound[x]) for x in parts)
      if predicate == "hold" and (not is_player(a) or is_player(b)):
        continue
      if name is not None:
        bound[name] = predicate
      condition = Condition(predicate, a, b, literal.negated)
      yield Candidate(canonical(condition), tuple(bound.items()))
