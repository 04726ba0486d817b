"""The draw of distractors, and of rules that lead nowhere or spoil the task."""

from typing import Final

from adaland.envs.sampling.chains import Chain
from adaland.envs.sampling.choices import PLAYER, TRIES, Choices, NoGameError
from adaland.envs.tasks.literals import Literal, ObjectType, Rule

# Probability that a dead end consumes an object that the solution needs, where
# it can; with this value as many rules are dangerous as in AdA's test tasks.
_DANGEROUS: Final = 0.97
# Probability that it consumes two of them, which may never exist at once.
_BOTH_NEEDED: Final = 0.1


class DeadEnds:
  """Distractors and dead ends around a chain.

  Attributes:
    rules: The dead ends. None supplies another, and each can be avoided.
    objects: Types of the distractors, one entry for each object.
  """

  def __init__(self, choices: Choices, chain: Chain):
    """Draws distractors, then rules.

    Raises:
      NoGameError: If the attempt fails.
    """
    self._choices = choices
    self.objects = self._draw_distractors(len(chain.objects))
    self._distractors = list(dict.fromkeys(self.objects))
    conditions = [rule.condition for rule in (*chain.rules, *chain.others)]
    # Pairs that the solution brings together or spawns together.
    self._together = [
      set(literal.object_types) for literal in (chain.goal, *conditions)
    ] + [set(rule.spawns) for rule in chain.rules]
    self._needed = chain.needed
    if chain.goal.negated:
      # Consuming them would reach the goal.
      mine = chain.goal.object_types
      self._needed = [x for x in self._needed if x not in mine]
    # Objects that the solution only walks up to; lifting one may spoil it.
    self._untouched = [
      x
      for literal in (chain.goal, *(rule.condition for rule in chain.rules))
      if literal.a == PLAYER and literal.means in ("near", "touching")
      for x in literal.object_types
      if x in self._needed
    ]
    self.rules = self._draw_rules()

  def _draw_distractors(self, num_objects: int) -> list[ObjectType]:
    choices, config = self._choices, self._choices.config
    room = config.max_objects - num_objects
    count = min(choices.between(config.distractors), room)
    if count < config.distractors[0] or (count and not choices.unused):
      raise NoGameError
    # Each type once, if there are enough: two objects of one type, which the
    # solution never has, would reveal that they are distractors.
    once = choices.unused[:count]
    return once + [choices.pick(once) for _ in range(count - len(once))]

  def _draw_rules(self) -> list[Rule]:
    choices = self._choices
    conditions: list[Literal] = []
    for _ in range(choices.between(choices.config.dead_ends)):
      conditions.append(self._draw_condition(conditions))
    # Types that no dead end consumes, so that dead ends can't form a cycle.
    used = {x for condition in conditions for x in condition.object_types}
    waste = [kind for kind in choices.unused if kind not in used]
    return [
      Rule(
        condition,
        tuple(
          choices.pick(waste)
          for _ in range(int(choices.rng.integers(3)) if waste else 0)
        ),
      )
      for condition in conditions
    ]

  def _draw_condition(self, taken: list[Literal]) -> Literal:
    choices, config = self._choices, self._choices.config
    dangerous = choices.chance(_DANGEROUS)
    for _ in range(TRIES):
      predicate = choices.pick_predicate(config.rule_predicates)
      if choices.with_player(predicate, config.player_in_rule_probability):
        condition = self._draw_with_player(predicate, dangerous)
      else:
        condition = self._draw_pair(predicate, dangerous)
      if condition is None:
        continue
      objects = set(condition.object_types)
      if all(objects != set(other.object_types) for other in taken):
        return condition
    raise NoGameError

  def _draw_with_player(
    self, predicate: str, dangerous: bool
  ) -> Literal | None:
    options = self._distractors
    if dangerous:
      held = self._choices.means(predicate) == "hold"
      options = self._untouched if held else []
    if not options:
      return None
    return Literal(predicate, PLAYER, self._choices.pick(options))

  def _draw_pair(self, predicate: str, dangerous: bool) -> Literal | None:
    """Draws a pair of objects that the solution never brings together."""
    choices = self._choices
    firsts = self._needed if dangerous else self._distractors
    others = self._distractors
    if dangerous and (not others or choices.chance(_BOTH_NEEDED)):
      others = self._needed
    if choices.means(predicate) == "see" or not firsts or not others:
      return None
    first, second = choices.pick(firsts), choices.pick(others)
    if first == second:
      return None
    if any({first, second} <= pair for pair in self._together):
      return None
    negated = not dangerous and choices.chance(
      choices.config.rule_negation_probability
    )
    if negated and choices.means(predicate) != "near":
      return None
    return Literal(predicate, first, second, negated)
