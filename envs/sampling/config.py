"""Configuration of the task sampler; the defaults follow AdA's tasks.

AdA (arXiv 2301.07608) draws up to 10 distractors and goals that hold from the
start, and freezes objects only in a version for two players. How often a
goal's first argument is a player is not said. With these defaults the measures
of complexity are near those of its test tasks (`adaland tasks complexity`).
"""

import dataclasses

from adaland.envs import constants, tables
from adaland.envs.tasks import checks, parts

# The first world seed of the test split; training seeds are below it.
FIRST_TEST_SEED = 2**30
# Leaves some hundred seeds to draw each world with.
MAX_WORLDS = FIRST_TEST_SEED // 256
# Players and objects for which 16 tiles have room, whatever the terrain.
_MOST_BODIES = 9
_DRAWN = tuple(row.name for row in tables.PREDICATES if row.weight)

Range = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class SamplerConfig:
  """A distribution over tasks.

  Ranges are (first, last), both included, with uniform draws.

  Attributes:
    split: The half of games and worlds, 'train' or 'test'.
    tiles: Size of the arena along each side, in tiles.
    levels: Number of ground heights, 1 is flat.
    walls: Number of inner walls.
    diagonals: Number of diagonal cliffs.
    num_worlds: Number of worlds.
    num_games: Number of game indices; some may give the same game.
    chain_rules: Number of rules that must be triggered one after another.
    dead_ends: Number of rules that lead nowhere or spoil the task.
    distractors: Number of initial objects of types absent from chain and goal.
    goal_predicates: Predicates of goals.
    rule_predicates: Predicates of rules' conditions.
    negation_probability: Probability that a goal is negated, where it can be.
    rule_negation_probability: The same for rules' conditions.
    player_in_goal_probability: Probability that the first argument of a goal
      is the player, where it may also be an object.
    player_in_rule_probability: The same probability for rules' conditions.
    free_goals: If true, negated goals that hold from the start are drawn too,
      as in the paper: that nothing is held, or nothing is looked at.
    two_player_probability: Probability that a task has two players.
    freezing_probability: Probability that some objects may be frozen.
    frozen_probability: Probability that a type, with all its objects, is then
      frozen.
    hide: 'uniform' draws a mechanism of hiding and the hidden parts, 'rules'
      hides all rules, 'none' hides nothing.
    trials: Number of trials in an episode.
    trial_seconds: Length of a trial.
    max_objects: Maximum number of initial objects.
  """

  split: str = "train"
  tiles: Range = (8, 15)
  levels: Range = (1, 4)
  walls: Range = (1, 5)
  diagonals: Range = (0, 6)
  num_worlds: int = 50_000
  num_games: int = 500_000
  chain_rules: Range = (1, 4)
  dead_ends: Range = (0, 2)
  distractors: Range = (0, 6)
  goal_predicates: tuple[str, ...] = _DRAWN
  rule_predicates: tuple[str, ...] = _DRAWN
  negation_probability: float = 0.5
  rule_negation_probability: float = 0.5
  player_in_goal_probability: float = 0.1
  player_in_rule_probability: float = 0.1
  free_goals: bool = False
  two_player_probability: float = 0.0
  freezing_probability: float = 0.5
  frozen_probability: float = 0.2
  hide: str = "uniform"
  trials: Range = (1, 6)
  trial_seconds: Range = (10, 40)
  max_objects: int = 20

  def __post_init__(self):
    if self.split not in ("train", "test"):
      raise ValueError(f"split is {self.split!r}, allowed: train, test")
    if self.hide not in ("uniform", "rules", "none"):
      raise ValueError(f"hide is {self.hide!r}, allowed: uniform, rules, none")
    for field, first, last in (
      ("tiles", max(4, parts.MIN_TILES), constants.MAX_TILES),
      ("levels", 1, constants.MAX_LEVELS),
      ("walls", 0, parts.MAX_WALLS),
      ("diagonals", 0, parts.MAX_DIAGONALS),
      ("chain_rules", 0, 5),
      ("dead_ends", 0, constants.MAX_RULES - 5),
      ("distractors", 0, constants.MAX_OBJECTS),
      ("trials", 1, constants.MAX_TRIALS),
      (
        "trial_seconds",
        constants.MIN_TRIAL_SECONDS,
        constants.MAX_TRIAL_SECONDS,
      ),
    ):
      whole = field != "trial_seconds"
      pair = checks.check_pair(field, getattr(self, field), first, last, whole)
      object.__setattr__(self, field, pair)
    for field, last in (
      ("num_worlds", MAX_WORLDS),
      ("num_games", 2**62),
      ("max_objects", constants.MAX_OBJECTS),
    ):
      checks.check_range(field, getattr(self, field), 1, last)
    for field in ("goal_predicates", "rule_predicates"):
      given = getattr(self, field)
      if (
        not isinstance(given, (list, tuple))
        or not given
        or not all(name in constants.PREDICATES for name in given)
      ):
        raise ValueError(
          f"{field} is {given!r}, allowed: some of "
          f"{', '.join(constants.PREDICATES)}"
        )
      object.__setattr__(self, field, tuple(given))
    for field in (
      "negation_probability",
      "rule_negation_probability",
      "two_player_probability",
      "freezing_probability",
      "frozen_probability",
      "player_in_goal_probability",
      "player_in_rule_probability",
    ):
      checks.check_number(field, getattr(self, field), 0, 1)
    checks.check_flag("free_goals", self.free_goals)
    # A crowded room may have no space for the last body.
    side = self.tiles[0]
    players = 1 + (self.two_player_probability > 0)
    room = min(side**2 // 2, _MOST_BODIES * side**2 // 16 - players)
    if self.max_objects > room:
      raise ValueError(
        f"max_objects is {self.max_objects}, allowed: at most {room} with the "
        f"smallest arena, {side} x {side} tiles, and {players} player"
        f"{'s' * (players > 1)}"
      )
