"""The draw of the parts of a game's rules that are hidden from the player."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from adaland.envs import constants
from adaland.envs.tasks.literals import Rule
from adaland.envs.tasks.task import Hiding

_T = TypeVar("_T")


def draw_hiding(
  hide: str, rules: tuple[Rule, ...], rng: np.random.Generator
) -> Hiding:
  """Draws a mechanism of hiding and the parts that it hides, uniformly.

  Args:
    hide: As in `SamplerConfig.hide`.
    rules: The game's rules.
    rng: Source of randomness.
  """
  every_rule = tuple(range(1, len(rules) + 1))
  if hide == "none":
    return Hiding()
  if hide == "rules":
    return Hiding(rules=every_rule)

  def some(options: Sequence[_T], most: int) -> tuple[_T, ...]:
    count = rng.integers(min(len(options), most) + 1)
    return tuple(options[i] for i in rng.permutation(len(options))[:count])

  mechanism = rng.integers(3)
  if mechanism == 0:
    return Hiding(rules=some(every_rule, len(every_rule)))
  if mechanism == 1:
    kinds = [
      kind
      for rule in rules
      for kind in (*rule.condition.object_types, *rule.spawns)
    ]
    return Hiding(
      objects=some(list(dict.fromkeys(kinds)), constants.MAX_HIDDEN_OBJECTS)
    )
  predicates = dict.fromkeys(rule.condition.predicate for rule in rules)
  most = constants.MAX_HIDDEN_PREDICATES
  return Hiding(predicates=some(list(predicates), most))
