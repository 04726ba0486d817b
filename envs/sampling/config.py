"""What the task sampler draws from; the defaults are the paper's (§1.6)."""

import dataclasses

from adaland.envs import constants
from adaland.envs.tasks.task import MIN_TILES

# World seeds of the training split lie below, of the test split above.
FIRST_TEST_SEED = 2**30

Range = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class SamplerConfig:
  """A distribution over single-player tasks.

  Ranges are (first, last), both included, drawn from uniformly.

  Attributes:
    split: 'train' or 'test': which half of games and worlds.
    tiles: Size of the arena along each side.
    levels: Number of ground heights, 1 is flat.
    num_worlds: Different worlds.
    num_games: Different game indices; some give the same game.
    chain_rules: Rules that must be triggered one after another (§1.6, 2).
    dead_ends: Rules that lead nowhere or spoil the task (§1.6, 4).
    distractors: Initial objects of types absent from chain and goal.
    goal_predicates: Predicates of goals.
    rule_predicates: Predicates of rules' conditions.
    negation_probability: Of a goal's being negated.
    player_in_goal_probability: Of a goal that may have only objects naming
      the player instead of one.
    player_in_rule_probability: The same of rules' conditions.
    hide: 'uniform' draws mechanism and parts (§1.6, 5), 'rules' hides all
      rules, 'none' hides nothing.
    trials: Tries in an episode.
    trial_seconds: Length of a trial.
    max_objects: Initial objects at most.
  """

  split: str = "train"
  tiles: Range = (8, 15)
  levels: Range = (1, 4)
  num_worlds: int = 50_000
  num_games: int = 500_000
  chain_rules: Range = (1, 4)
  dead_ends: Range = (0, 2)
  distractors: Range = (0, 10)
  goal_predicates: tuple[str, ...] = constants.PREDICATES
  rule_predicates: tuple[str, ...] = constants.PREDICATES
  negation_probability: float = 0.5
  player_in_goal_probability: float = 0.25
  player_in_rule_probability: float = 0.25
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
      ("tiles", max(4, MIN_TILES), constants.MAX_TILES),
      ("levels", 1, constants.MAX_LEVELS),
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
      given = getattr(self, field)
      if len(given) != 2 or not first <= given[0] <= given[1] <= last:
        raise ValueError(
          f"{field} is {given}, allowed: (first, last) from {first:g} to "
          f"{last:g}"
        )
    for field, last in (
      ("num_worlds", FIRST_TEST_SEED),
      ("num_games", 2**62),
      ("max_objects", constants.MAX_OBJECTS),
    ):
      if not 1 <= getattr(self, field) <= last:
        raise ValueError(
          f"{field} is {getattr(self, field)}, allowed: 1 to {last}"
        )
    for field in ("goal_predicates", "rule_predicates"):
      given = getattr(self, field)
      if not given or not set(given) <= set(constants.PREDICATES):
        raise ValueError(
          f"{field} is {given}, allowed: some of "
          f"{', '.join(constants.PREDICATES)}"
        )
    for field in (
      "negation_probability",
      "player_in_goal_probability",
      "player_in_rule_probability",
    ):
      if not 0 <= getattr(self, field) <= 1:
        raise ValueError(f"{field} is {getattr(self, field)}, allowed: 0 to 1")
    # A crowded room may have no place left for the last object.
    room = self.tiles[0] ** 2 // 2
    if self.max_objects > room:
      raise ValueError(
        f"max_objects is {self.max_objects}, allowed: at most {room}, half "
        f"the tiles of the smallest arena"
      )
