"""Two-player games made from single-player ones (AdA, arXiv 2301.07608).

Random mentions of player 1 become player 2, both players get the goal, and the
hidden parts are drawn for each player.
"""

import dataclasses

from adaland.envs.sampling.choices import PLAYER, Choices
from adaland.envs.tasks.literals import Literal, Player, Rule

_OTHER = Player(2)


def share(choices: Choices, literal: Literal) -> Literal:
  """Draws which player a literal names, if it names one."""
  if literal.a != PLAYER or not choices.chance(0.5):
    return literal
  return dataclasses.replace(literal, a=_OTHER)


def share_rule(choices: Choices, rule: Rule) -> Rule:
  """Draws which player a rule names, if it names one."""
  return dataclasses.replace(rule, condition=share(choices, rule.condition))
