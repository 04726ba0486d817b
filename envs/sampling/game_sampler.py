"""The draw of a task's game (AdA, arXiv 2301.07608).

A single-player game is built backwards from its goal, so that it can be solved
(`chains`), then surrounded by distractors and dead ends (`dead_ends`), and
perhaps shared by two players (`two_players`). Beyond the paper, every goal
takes work:

- no goal holds at the start, and every goal can be reached (except with
  `SamplerConfig.free_goals`);
- no rule of the solution fires without the player's action: objects of one
  condition are not spawned side by side, conditions of `see` and `near` don't
  name objects that appear in front of the player, and the objects of a negated
  condition start or appear together;
- every dead end can be avoided, and dead ends don't supply each other.

A negated goal does not hold at the start, since `worlds.scene.build_scene` puts
its arguments together: its objects must be separated, or the chain's last rule
consumes one.
"""

import dataclasses

import numpy as np

from adaland.envs.sampling import choices, freezing, two_players
from adaland.envs.sampling.chains import Chain
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.sampling.dead_ends import DeadEnds
from adaland.envs.sampling.hiding import draw_hiding
from adaland.envs.tasks.literals import Literal, ObjectType, Rule
from adaland.envs.tasks.task import Hiding


@dataclasses.dataclass(frozen=True)
class SampledGame:
  """A game and the task attributes drawn with it.

  There is one player for each entry of `hiding`; all have the same goal.

  Attributes:
    goal: The rewarded literal.
    rules: Chain and dead ends, in random order.
    objects: Types of the initial objects, one entry for each object; the order
      of types is drawn.
    frozen: Types whose initial objects never move.
    hiding: Parts of the rules that each player is not shown.
    trials: Number of trials in an episode.
    trial_seconds: Length of a trial.
  """

  goal: Literal
  rules: tuple[Rule, ...]
  objects: tuple[ObjectType, ...]
  frozen: frozenset[ObjectType]
  hiding: tuple[Hiding, ...]
  trials: int
  trial_seconds: float


def draw_game(
  config: SamplerConfig, rng: np.random.Generator
) -> SampledGame | None:
  """Draws a game, from either split; returns None if the attempt fails."""
  source = choices.Choices(config, rng)
  try:
    chain = Chain(source)
    dead_ends = DeadEnds(source, chain)
  except choices.NoGameError:
    return None
  objects = chain.objects + dead_ends.objects
  if len(objects) > config.max_objects:
    return None
  rules = chain.rules + chain.others + dead_ends.rules
  rules = tuple(rules[i] for i in rng.permutation(len(rules)))
  goal, num_players = chain.goal, 1
  if source.chance(config.two_player_probability):
    goal, num_players = two_players.share(source, goal), 2
    rules = tuple(two_players.share_rule(source, rule) for rule in rules)
  return SampledGame(
    goal=goal,
    rules=rules,
    objects=_in_any_order(objects, rng),
    frozen=freezing.draw_frozen(
      source, chain.goal, chain.rules, chain.others, objects
    ),
    hiding=tuple(
      draw_hiding(config.hide, rules, rng) for _ in range(num_players)
    ),
    trials=source.between(config.trials),
    trial_seconds=float(rng.uniform(*config.trial_seconds)),
  )


def _in_any_order(
  objects: list[ObjectType], rng: np.random.Generator
) -> tuple[ObjectType, ...]:
  """Shuffles the types, whose order agents see, so as not to reveal roles."""
  kinds = list(dict.fromkeys(objects))
  return tuple(
    kinds[i]
    for i in rng.permutation(len(kinds))
    for _ in range(objects.count(kinds[i]))
  )
