"""The draw of a goal and of the rules that lead to it.

The rules are drawn backwards from the goal: each supplies an object that the
goal or a later rule needs, and objects that no rule supplies exist from the
start. So there is a solution; see `game_sampler` for why it takes work.
"""

from typing import Final

from adaland.envs.sampling.choices import PLAYER, TRIES, Choices, NoGameError
from adaland.envs.tasks.literals import Literal, ObjectType, Rule

# Probability that one rule supplies both objects that the next step needs.
_SUPPLY_BOTH: Final = 0.5
# Probability that a rule after the first is another way to get what an earlier
# rule supplies, instead of the preceding step; and that this way is a lure: it
# consumes an object that the solution needs. With these values, solutions are
# about as long as in AdA's test tasks (arXiv 2301.07608, figure of complexity
# metrics).
_OTHER_WAY: Final = 0.55
_LURE: Final = 0.9
_JOINING: Final = ("near", "touching")


class Chain:
  """A goal, the rules that lead to it, and the initial objects.

  Attributes:
    goal: The rewarded literal.
    rules: The rules of the solution, the last to fire first.
    others: Other ways to objects that a rule of the solution supplies.
    objects: Types of the initial objects, one entry for each object.
  """

  def __init__(self, choices: Choices):
    """Draws the goal and the rules.

    Raises:
      NoGameError: If the attempt fails.
    """
    self._choices = choices
    count = choices.between(choices.config.chain_rules)
    ways = sum(choices.chance(_OTHER_WAY) for _ in range(count - 1))
    ways *= bool(set(_JOINING) & set(choices.config.rule_predicates))
    self.goal = self._draw_goal(count)
    # The last rule of a negated goal supplies nothing that is needed.
    self._first_supplier = int(self.goal.negated)
    if count - ways <= self._first_supplier:
      ways = 0
    self.rules: list[Rule] = []
    self.others: list[Rule] = []
    self.objects: list[ObjectType] = []
    self._draw_rules(count - ways)
    for _ in range(ways):
      self.others.append(self._draw_other_way())

  @property
  def needed(self) -> list[ObjectType]:
    """Types that the goal or a rule of the solution needs, each once."""
    literals = [self.goal, *(rule.condition for rule in self.rules)]
    return list(dict.fromkeys(x for y in literals for x in y.object_types))

  def _draw_goal(self, num_rules: int) -> Literal:
    choices, config = self._choices, self._choices.config
    for _ in range(TRIES):
      predicate = choices.pick_predicate(config.goal_predicates)
      negated = choices.chance(config.negation_probability)
      with_player = choices.with_player(
        predicate, config.player_in_goal_probability
      )
      free = negated and config.free_goals
      means = choices.means(predicate)
      if free or _takes_work(means, with_player, negated, num_rules):
        goal = choices.relate(predicate, with_player, negated)
        if goal is not None:
          return goal
    raise NoGameError

  def _draw_condition(self, at_start: bool) -> Literal:
    """Draws a condition over types that nothing else uses.

    Args:
      at_start: True if its objects exist from the start. Otherwise they appear
        in front of the player, a few steps away at most.
    """
    choices, config = self._choices, self._choices.config
    for _ in range(TRIES):
      predicate = choices.pick_predicate(config.rule_predicates)
      negated = choices.chance(config.rule_negation_probability)
      with_player = choices.with_player(
        predicate, config.player_in_rule_probability
      )
      means = choices.means(predicate)
      if negated:
        # Only objects that start or appear together can be separated.
        if with_player or means not in _JOINING:
          continue
        if not at_start and means == "touching":
          continue
      elif means == "see":
        # It must take more than looking to reach the goal.
        if not with_player or not at_start or self.goal.means == "see":
          continue
      elif means == "near" and with_player and not at_start:
        continue
      condition = choices.relate(predicate, with_player, negated)
      if condition is not None:
        return condition
    raise NoGameError

  def _draw_destroyer(self, last: bool) -> Literal:
    """Draws a condition that consumes an object of a negated goal.

    Args:
      last: True if no rule fires before it.
    """
    choices, config = self._choices, self._choices.config
    victim = choices.pick(list(self.goal.object_types))
    for _ in range(TRIES):
      predicate = choices.pick_predicate(config.rule_predicates)
      means = choices.means(predicate)
      if means == "see":
        continue
      if means == "hold":
        if last:
          return Literal(predicate, PLAYER, victim)
        continue
      if choices.with_player(predicate, config.player_in_rule_probability):
        # If the goal is to be away from it, the player starts next to it.
        if not last or self.goal.a == PLAYER:
          continue
        return Literal(predicate, PLAYER, victim)
      return Literal(predicate, victim, choices.take_type())
    raise NoGameError

  def _draw_rules(self, remaining: int) -> None:
    """Draws the rules of the solution; the first to fire comes last."""
    choices = self._choices
    consumer, missing = self.goal, list(self.goal.object_types)
    if self.goal.negated:
      self.objects += missing
      missing = []
      if remaining > 0:
        consumer = self._draw_destroyer(remaining == 1)
        remains = (choices.take_type(),) if choices.chance(0.5) else ()
        self.rules.append(Rule(consumer, remains))
        missing = [x for x in consumer.object_types if x not in self.objects]
        remaining -= 1
    while remaining > 0:
      if not missing:
        raise NoGameError
      remaining -= 1
      spawns = self._draw_spawns(consumer, missing)
      consumer = self._draw_condition(at_start=remaining == 0)
      self.rules.append(Rule(consumer, spawns))
      missing = list(consumer.object_types)
    self.objects += missing

  def _draw_spawns(
    self, consumer: Literal, missing: list[ObjectType]
  ) -> tuple[ObjectType, ...]:
    """Draws which of a step's objects a rule supplies; the rest exist."""
    choices = self._choices
    if consumer.negated and consumer is not self.goal:
      return tuple(missing)  # They appear together, to be separated.
    supplied = choices.pick(missing)
    rest = list(missing)
    rest.remove(supplied)
    # Spawned side by side, they would satisfy a rule's `near` at once.
    at_once = consumer is not self.goal and consumer.means != "touching"
    if rest and not at_once and choices.chance(_SUPPLY_BOTH):
      return supplied, *rest
    self.objects += rest
    return (supplied,)

  def _draw_other_way(self) -> Rule:
    """Draws another way to supply what a rule of the solution supplies.

    A lure consumes an object that is needed after the rule has fired.
    """
    choices = self._choices
    suppliers = range(self._first_supplier, len(self.rules))
    lures = [(i, kind) for i in suppliers for kind in self._needed_after(i)]
    if lures and choices.chance(_LURE):
      index, victim = choices.pick(lures)
    else:
      index = choices.pick(suppliers)
      victim = choices.pick(self.rules[index].condition.object_types)
    predicates = choices.config.rule_predicates
    predicate = choices.pick([x for x in predicates if x in _JOINING])
    fresh = choices.take_type()
    self.objects.append(fresh)
    return Rule(Literal(predicate, victim, fresh), self.rules[index].spawns)

  def _needed_after(self, index: int) -> list[ObjectType]:
    """Returns initial types that are needed after a rule has fired."""
    rule = self.rules[index]
    later = [self.goal, *(x.condition for x in self.rules[:index])]
    found = [
      kind
      for literal in later
      for kind in literal.object_types
      if kind in self.objects
      and kind not in (*rule.condition.object_types, *rule.spawns)
    ]
    if self.goal.negated:  # Consuming one of its objects reaches the goal.
      found = [x for x in found if x not in self.goal.object_types]
    return found


def _takes_work(
  means: str, with_player: bool, negated: bool, num_rules: int
) -> bool:
  """Returns True if a goal need not hold initially and acting can reach it."""
  if not negated:
    # Most initial objects are seen from the start.
    return means != "see" or num_rules > 0
  if means in _JOINING:
    return True
  # Two objects reliably stop seeing each other only by a rule; nothing is held
  # at the start, and looking away is no work.
  return means == "see" and not with_player and num_rules > 0
