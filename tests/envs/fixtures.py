"""Small tasks and random actions for tests of `Land` and its views."""

import dataclasses

import numpy as np

from adaland.envs import constants, land
from adaland.envs.tasks.literals import Literal, ObjectType, Player, Rule
from adaland.envs.tasks.task import Hiding, ObjectSpec, PlayerSpec, Task, World

CUBE = ObjectType.from_name("black cube")
SPHERE = ObjectType.from_name("yellow sphere")
PYRAMID = ObjectType.from_name("purple pyramid")
PLAYER = Player(1)
# Tests share these sizes so that few programs are compiled.
NUM_ENVS = 2
NUM_PLAYED = 10  # Environments of scripted players.
CONFIG = land.LandConfig(num_slots=6, max_rules=6, num_threads=1)
PIXELS = dataclasses.replace(CONFIG, observation="pixels", pixels=(24, 18))
TWO_PLAYERS = dataclasses.replace(CONFIG, num_players=2)


def make_task(
  objects,
  goal,
  rules=(),
  player_at=(0.0, 0.0),
  hiding=(),
  trials=2,
  trial_seconds=2.0,
  tiles=(6, 6),
  frozen=False,
) -> Task:
  """Returns a task with objects [(type, (x, y)), ...] on flat ground."""
  return Task(
    world=World(seed=3, tiles=tiles),
    objects=tuple(
      ObjectSpec(kind, at=(at,), frozen=frozen) for kind, at in objects
    ),
    players=(PlayerSpec(goal, player_at),),
    rules=tuple(rules),
    hiding=hiding,
    trials=trials,
    trial_seconds=trial_seconds,
  )


def busy_task(trials=2, trial_seconds=2.0) -> Task:
  """Returns a task with two rules, one hidden, and a goal satisfied early."""
  return make_task(
    [(CUBE, (1.2, 0.0)), (SPHERE, (0.0, 1.2)), (PYRAMID, (-1.2, 0.0))],
    Literal("near", PLAYER, CUBE),
    [
      Rule(Literal("near", CUBE, SPHERE), (PYRAMID, CUBE)),
      Rule(Literal("see", PLAYER, PYRAMID), (SPHERE,)),
    ],
    hiding=(Hiding(rules=(1,)),),
    trials=trials,
    trial_seconds=trial_seconds,
  )


def crowded_task() -> Task:
  """Returns a task that pays at once, and lacks slots for three spawns."""
  far = [(CUBE, (2.5, y)) for y in (-2.5, -1.0, 1.0, 2.5)]
  return make_task(
    [(SPHERE, (0.8, 0.0)), (PYRAMID, (0.0, 0.8)), *far],
    Literal("near", PLAYER, PYRAMID),
    [Rule(Literal("near", PLAYER, SPHERE), (CUBE,) * 4)],
  )


def make_land(*tasks: Task, config=CONFIG, seed=0) -> land.Land:
  """Makes NUM_ENVS environments; environment i plays tasks i, i + 1, ..."""
  turn = [0] * NUM_ENVS

  def next_task(i: int) -> Task:
    turn[i] += 1
    return tasks[(i + turn[i] - 1) % len(tasks)]

  return land.Land(NUM_ENVS, config, next_task, seed)


def noop(num_envs=NUM_ENVS) -> np.ndarray:
  """Returns no-op actions of all environments."""
  return np.tile(np.asarray(constants.NOOP_ACTION), (num_envs, 1))


def random_actions(rng: np.random.Generator, num_envs=NUM_ENVS) -> np.ndarray:
  """Draws actions of all environments."""
  return rng.integers(
    0, constants.ACTION_SIZES, (num_envs, len(constants.ACTION_SIZES))
  )
