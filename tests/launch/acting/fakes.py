"""An environment and acting functions whose numbers all encode their step."""

import dataclasses
import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np

from adaland.agent import acting
from adaland.curriculum import base
from adaland.envs import land
from adaland.envs.tasks import literals
from tests.launch import fakes

SIZES = (2, 3)
# Reward that player 2 earns in a step on top of player 1's.
MORE = 1000.0
# `goal` is a row's task, `at` its number and step.
SPEC: Any = {"at": ((2,), np.float32), "goal": ((1,), np.int32)}
GAMMA = 0.5
PARAMS = {"logits": np.arange(5, dtype=np.float32)[None]}
FIRST_MEMORY = -1.0


def _act(params, state, observation, first, key):
  """Returns outputs that tell the step; memory sums the episode's numbers."""
  del key
  at = observation["at"][:, 1]
  memory = jnp.where(first, 0.0, state.memory["m"][:, 0])
  memory = memory + observation["at"].sum(-1)
  output = acting.ActorOutput(
    action=jnp.stack([at % 2, at % 3], -1).astype(jnp.int32),
    behaviour_logits=params["logits"] + at[:, None],
    value=10 * at,
    value_error=at,
    policy_error=100 * at,
  )
  return output, state._replace(memory={"m": memory[:, None]})


FUNCTIONS = acting.ActorCore(
  init=lambda n: acting.ActorState(
    # Of the type that `_act` returns, or the first step is compiled alone.
    {"m": jnp.full((n, 1), FIRST_MEMORY, jnp.float32)},
    jnp.zeros(n),
    jnp.zeros((n, sum(SIZES))),
  ),
  act=_act,
)


class CountingEnvironment:
  """An environment that shows its number and step; step t pays t + 1.

  Episodes are as long as their tasks. Observation and reward are on the device
  if asked. With two players the number is that of the player, and `actions` are
  the last ones taken.
  """

  tasks: list[Any]

  def __init__(self, num_envs, next_task, on_device=False, num_players=1):
    self._num_envs = num_envs
    self._num_players = num_players
    self.actions: Any = None
    self._next_task = next_task
    self._put: Any = jnp.asarray if on_device else np.asarray
    self._at = np.zeros(num_envs, np.int64)
    self._ended = np.ones(num_envs, bool)
    self.tasks = [None] * num_envs

  def reset(self):
    return self.step(None)

  def step(self, actions):
    self.actions = None if actions is None else np.asarray(actions)
    first = self._ended
    for row in np.flatnonzero(first):
      self.tasks[row] = self._next_task(int(row))
    self._at = np.where(first, 0, self._at + 1)
    lengths = np.array([task.trial_steps for task in self.tasks])
    trials = np.array([task.trials for task in self.tasks])
    last = ~first & (self._at == lengths * trials)
    self._ended = last
    shape = (self._num_envs, self._num_players)
    if self._num_players == 1:
      shape = shape[:1]
    at = self._at if len(shape) == 1 else np.stack([self._at] * 2, 1)
    shown = np.stack([np.arange(np.prod(shape)).reshape(shape), at], -1)
    names = np.array([int(task.name) for task in self.tasks], np.int32)
    goals = np.broadcast_to(names.reshape(-1, *[1] * len(shape)), (*shape, 1))
    reward = at.astype(np.float32)
    if self._num_players == 2:
      reward[:, 1] += MORE
    return land.Step(
      {"at": self._put(shown.astype(np.float32)), "goal": self._put(goals)},
      self._put(reward),
      first,
      last,
      ~first & (self._at % lengths == 0),
      1.0 - last.astype(np.float32),
    )

  def load(self, now, tasks):
    """Continues from a step of an equal environment."""
    at = np.asarray(now.observation["at"])[..., 1].astype(np.int64)
    self._at = at.reshape(self._num_envs, -1)[:, 0]
    self._ended = np.asarray(now.last)
    self.tasks = list(tasks)


class Assignments:
  """Tasks of 15 or 22 steps per trial; every fourth is not learned from.

  If there are co-players, two of three tasks have two players, and one of
  these has the co-player that is next in turn.
  """

  def __init__(self, coplayers=()):
    self._keys = itertools.count()
    self._coplayers = tuple(coplayers)

  def next_task(self):
    """Returns the next assignment."""
    key = next(self._keys)
    task = fakes.make_task(
      str(key),
      trials=1 + key % 3,
      seconds=2.0 if key % 2 else 3.0,
      rules=(literals.parse_rule("near(black cube, player1) -> nothing"),),
    )
    assignment = base.Assignment(key, task, key % 4 != 3)
    if not self._coplayers or key % 3 == 0:
      return assignment
    pair = dataclasses.replace(task, players=task.players * 2, hiding=())
    coplayer = self._coplayers[key // 3 % len(self._coplayers)]
    return assignment._replace(task=pair, coplayer=coplayer)
