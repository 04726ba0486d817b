"""Tasks as functions of an index.

A pool of num_worlds x num_games tasks costs neither memory nor start-up time:
the world and the game of a task are drawn at each call, from random streams
selected by their indices.
"""

import collections

import numpy as np

from adaland.envs.sampling import game_sampler, heldout
from adaland.envs.sampling.config import (
  FIRST_TEST_SEED,
  MAX_WORLDS,
  SamplerConfig,
)
from adaland.envs.tasks.task import ObjectSpec, PlayerSpec, Task, World
from adaland.envs.worlds import generation

__all__ = ["SamplerConfig", "TaskSampler"]

# Random streams; each pair (stream, index) has its own generator.
_STREAMS = {"world": 1, "train": 2, "test": 3}
_MAX_WORLD_DRAWS = FIRST_TEST_SEED // MAX_WORLDS
_MAX_DRAWS = 2000


def _stream(name: str, index: int) -> np.random.Generator:
  # A counter-based generator: neighbouring keys give independent streams, and
  # it is cheap to start.
  key = np.array([_STREAMS[name], index], np.uint64)
  return np.random.Generator(np.random.Philox(key=key))


class TaskSampler:
  """The tasks of a configuration, by index.

  Attributes:
    config: The distribution of tasks.
    num_tasks: Number of pairs of world and game.
  """

  def __init__(self, config: SamplerConfig):
    """Initializes the sampler, which draws nothing yet."""
    self.config = config
    self.num_tasks = config.num_worlds * config.num_games

  def world(self, index: int) -> World:
    """Returns the world of an index, taken modulo num_worlds.

    Raises:
      ValueError: If no world of this split is found.
    """
    config = self.config
    wants_heldout = config.split == "test"
    index %= config.num_worlds
    for attempt in range(_MAX_WORLD_DRAWS):
      # No two worlds share seeds, whatever the attempt.
      seed = (index + attempt * config.num_worlds) % FIRST_TEST_SEED
      world = self._draw_world(seed + FIRST_TEST_SEED * wants_heldout)
      side = heldout.is_heldout_terrain(generation.make_terrain(world))
      if side is None or side == wants_heldout:
        return world
    raise ValueError(
      f"the sampler found no world in {_MAX_WORLD_DRAWS} draws, allowed: wider "
      "ranges of tiles, levels, walls or diagonals"
    )

  def _draw_world(self, seed: int) -> World:
    rng, config = _stream("world", seed), self.config
    x, y, levels, walls, diagonals = (
      int(rng.integers(first, last + 1))
      for first, last in (
        config.tiles,
        config.tiles,
        config.levels,
        config.walls,
        config.diagonals,
      )
    )
    return World(
      seed=seed,
      tiles=(x, y),
      levels=levels,
      walls=walls,
      diagonals=diagonals,
    )

  def game(self, index: int) -> game_sampler.SampledGame:
    """Returns the game of an index, taken modulo num_games.

    Raises:
      ValueError: If no game of this split is found.
    """
    rng = _stream(self.config.split, index % self.config.num_games)
    wants_heldout = self.config.split == "test"
    for _ in range(_MAX_DRAWS):
      game = game_sampler.draw_game(self.config, rng)
      if game is None:
        continue
      goals = [game.goal] * len(game.hiding)
      if heldout.is_heldout(goals, game.rules) == wants_heldout:
        return game
    raise ValueError(
      f"the sampler found no game in {_MAX_DRAWS} draws, allowed: wider ranges "
      "of chain_rules, dead_ends, distractors, goal_predicates or "
      "rule_predicates"
    )

  def task(self, index: int) -> Task:
    """Returns the task of an index, a pure function of index and config.

    Indices below num_tasks give every pair of world and game once, and
    neighbouring indices differ in both.

    Args:
      index: Not negative, taken modulo num_tasks.

    Returns:
      A task whose game and world belong to the config's split.
    """
    if index < 0:
      raise ValueError(f"task index is {index}, allowed: 0 and up")
    index = int(index) % self.num_tasks
    turn, game_index = divmod(index, self.config.num_games)
    game = self.game(game_index)
    counts = collections.Counter(game.objects)
    return Task(
      world=self.world(game_index + turn),
      objects=tuple(
        ObjectSpec(kind, n, frozen=kind in game.frozen)
        for kind, n in counts.items()
      ),
      players=(PlayerSpec(game.goal),) * len(game.hiding),
      rules=game.rules,
      hiding=game.hiding,
      trials=game.trials,
      trial_seconds=game.trial_seconds,
      name=f"{self.config.split} {index}",
    )
