"""Games of the sampler."""

import collections

import numpy as np

from adaland.envs.sampling import game_sampler
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import task

PAPER = SamplerConfig()


def draw(seed, config=PAPER):
  rng = np.random.default_rng(seed)
  while True:
    game = game_sampler.draw_game(config, rng)
    if game is not None:
      return game


def task_of(game):
  """Returns a task of a game, in a room that doesn't matter."""
  counts = collections.Counter(game.objects)
  return task.Task(
    world=task.World(),
    objects=tuple(
      task.ObjectSpec(kind, n, frozen=kind in game.frozen)
      for kind, n in counts.items()
    ),
    players=(task.PlayerSpec(game.goal),) * len(game.hiding),
    rules=game.rules,
    hiding=game.hiding,
    trials=game.trials,
  )
