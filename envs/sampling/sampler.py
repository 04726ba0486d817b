"""Single-player tasks as functions of an index (§1.6).

A pool of num_worlds x num_games tasks costs neither memory nor time to start:
world and game of a task are drawn when they are asked for, from random streams
that their indices alone select.
"""

import collections

import numpy as np

from adaland.envs.sampling import games
from adaland.envs.sampling.config import FIRST_TEST_SEED, SamplerConfig
from adaland.envs.sampling.games import Game
from adaland.envs.sampling.heldout import is_heldout, is_heldout_game
from adaland.envs.tasks.task import ObjectSpec, PlayerSpec, Task, World

__all__ = ["Game", "SamplerConfig", "TaskSampler", "is_heldout_game"]

# Random streams; every pair of (stream, index) is its own.
_STREAMS = {"world": 1, "train": 2, "test": 3}
_MAX_DRAWS = 2000


def _stream(name: str, index: int) -> np.random.Generator:
  # Counter-based, so that neighbouring keys give independent streams and
  # starting one is cheap.
  key = np.array([_STREAMS[name], index], np.uint64)
  return np.random.Generator(np.random.Philox(key=key))


class TaskSampler:
  """The tasks of a configuration, by index."""

  def __init__(self, config: SamplerConfig):
    self.config = config
    self.num_tasks = config.num_worlds * config.num_games

  def world(self, index: int) -> World:
    """The world of an index, taken modulo num_worlds."""
    config = self.config
    seed = index % config.num_worlds
    if config.split == "test":
      seed += FIRST_TEST_SEED
    rng = _stream("world", seed)
    x, y = (
      int(rng.integers(config.tiles[0], config.tiles[1] + 1)) for _ in range(2)
    )
    levels = int(rng.integers(config.levels[0], config.levels[1] + 1))
    return World(seed=seed, tiles=(x, y), levels=levels)

  def game(self, index: int) -> Game:
    """The game of an index, taken modulo num_games.

    Raises:
      ValueError: If the configuration allows no game on this split's side.
    """
    rng = _stream(self.config.split, index % self.config.num_games)
    wants_heldout = self.config.split == "test"
    for _ in range(_MAX_DRAWS):
      game = games.draw_game(self.config, rng)
      if game is None:
        continue
      if is_heldout([game.goal], game.rules) == wants_heldout:
        return game
    raise ValueError(
      f"the sampler found no game in {_MAX_DRAWS} draws, allowed: wider ranges "
      "of chain_rules, dead_ends, distractors, goal_predicates or "
      "rule_predicates"
    )

  def task(self, index: int) -> Task:
    """The task of an index, a pure function of it and the configuration.

    Indices below num_tasks give every pair of world and game once, and
    neighbours differ in both.

    Args:
      index: Not negative, taken modulo num_tasks.

    Returns:
      A task whose game and world are of the configuration's split.
    """
    if index < 0:
      raise ValueError(f"task index is {index}, allowed: 0 and up")
    index = int(index) % self.num_tasks
    turn, game_index = divmod(index, self.config.num_games)
    game = self.game(game_index)
    counts = collections.Counter(game.objects)
    return Task(
      world=self.world(game_index + turn),
      objects=tuple(ObjectSpec(kind, n) for kind, n in counts.items()),
      players=(PlayerSpec(game.goal),),
      rules=game.rules,
      hiding=(game.hiding,),
      trials=game.trials,
      trial_seconds=game.trial_seconds,
      name=f"{self.config.split} {index}",
    )
