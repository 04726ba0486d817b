"""Tests of actor against the actor of the other launchers."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import acting
from adaland.curriculum import base
from adaland.envs import land
from adaland.launch.acting import (
  actor,
  actor_loop,
  channel,
  inference,
  unrolls,
)
from tests.launch import fakes

_SIZES = (2, 3)
_SPEC = {"at": ((2,), np.float32)}
_NUM_ENVS = 3
_GAMMA = 0.5
_VERSION = 6


class _Counting:
  """Shows environment and step, and rewards step t (from 0) with t + 1.

  Episodes are as long as their tasks; on the device if asked.
  """

  tasks: list[Any]

  def __init__(self, next_task, on_device):
    self._next_task = next_task
    self._put: Any = jnp.asarray if on_device else np.asarray
    self._at = np.zeros(_NUM_ENVS, np.int64)
    self._ended = np.ones(_NUM_ENVS, bool)
    self.tasks = [None] * _NUM_ENVS

  def reset(self):
    return self.step(None)

  def step(self, actions):
    del actions
    first = self._ended
    for row in np.flatnonzero(first):
      self.tasks[row] = self._next_task(int(row))
    self._at = np.where(first, 0, self._at + 1)
    lengths = np.array([task.trial_steps for task in self.tasks])
    trials = np.array([task.trials for task in self.tasks])
    last = ~first & (self._at == lengths * trials)
    self._ended = last
    shown = np.stack([np.arange(_NUM_ENVS), self._at], -1)
    return land.Step(
      {"at": self._put(shown.astype(np.float32))},
      self._put(self._at.astype(np.float32)),
      first,
      last,
      ~first & (self._at % lengths == 0),
      1.0 - last.astype(np.float32),
    )


def _act(params, state, observation, first, key):
  """What it says tells the step; memory is the sum of steps and memory."""
  at = observation["at"][:, 1]
  memory = jnp.where(first, 0.0, state.memory["m"][:, 0]) + at
  output = acting.ActorOutput(
    action=jnp.stack([at % 2, at % 3], -1).astype(jnp.int32),
    behaviour_logits=params["logits"] + at[:, None],
    value=10 * at,
    value_error=at,
    policy_error=100 * at,
  )
  return output, state._replace(memory={"m": memory[:, None]})


_ACTOR = acting.Actor(
  init=lambda n: acting.ActorState(
    {"m": jnp.full((n, 1), -1.0)}, jnp.zeros(n), jnp.zeros((n, sum(_SIZES)))
  ),
  act=_act,
)
_PARAMS = {"logits": np.arange(5, dtype=np.float32)[None]}


class _Office:
  """Both ends of what a player is given; every fourth episode isn't learned."""

  def __init__(self):
    self._keys = itertools.count()
    self.records, self.unrolls, self.steps = [], [], 0

  def next_task(self):
    key = next(self._keys)
    task = fakes.make_task(
      str(key), trials=1 + key % 3, seconds=2.0 if key % 2 else 3.0
    )
    return base.Assignment(key, task, key % 4 != 3)

  def next_tasks(self, n):
    return [self.next_task() for _ in range(n)]

  def report(self, record):
    self.records.append(record)

  def count_steps(self, steps):
    self.steps += steps

  def new_params(self):
    return channel.Versioned(_VERSION, _PARAMS)

  def insert(self, unroll, priority=1.0):
    self.unrolls.append(unroll)

  def close(self):
    pass

  def emit(self, batch, num):
    batch = jax.device_get(batch)
    for i in range(num):
      self.unrolls.append(jax.tree.map(lambda x, i=i: x[i], batch))


def _player(office, length, store_memory, on_device=False):
  return actor.Player(
    make_environment=lambda next_task: _Counting(next_task, on_device),
    actor=_ACTOR,
    observation_spec=_SPEC,
    action_sizes=_SIZES,
    num_envs=_NUM_ENVS,
    length=length,
    gamma=_GAMMA,
    store_memory=store_memory,
    desk=office,
    emit=office.emit,
    seed=0,
    device=jax.local_devices()[0],
  )


def _reference(steps, length, store_memory):
  office = _Office()
  batch = inference.Batch(_ACTOR, office, 1, _NUM_ENVS, inference.host())
  loop = actor_loop.ActorLoop(
    make_environment=lambda next_task: _Counting(next_task, False),
    inference=batch.seats[0],
    cutter=unrolls.UnrollCutter(
      _NUM_ENVS, length, _SPEC, len(_SIZES), sum(_SIZES), store_memory
    ),
    num_envs=_NUM_ENVS,
    gamma=_GAMMA,
    channel=office,
    writer=office,
    seed=np.random.SeedSequence(0),
  )
  for _ in range(steps):
    loop.step()
  return office


class PlayerTest(parameterized.TestCase):
  @parameterized.parameters(
    (7, True, False), (7, True, True), (3, True, False), (69, False, False)
  )
  def test_does_what_the_actors_of_other_launchers_do(
    self, length, store_memory, on_device
  ):
    steps = 200
    office = _Office()
    player = _player(office, length, store_memory, on_device)
    for _ in range(steps + 1):
      player.step(_PARAMS, _VERSION)
    wanted = _reference(steps, length, store_memory)
    self.assertGreater(len(wanted.unrolls), 5)
    self.assertLen(office.unrolls, len(wanted.unrolls))
    for mine, theirs in zip(office.unrolls, wanted.unrolls, strict=True):
      leaves = jax.tree_util.tree_leaves_with_path(theirs)
      for (path, x), y in zip(leaves, jax.tree.leaves(mine), strict=True):
        np.testing.assert_array_equal(y, x, err_msg=jax.tree_util.keystr(path))
    # Records come some steps later.
    self.assertGreater(len(office.records), 5)
    for mine, theirs in zip(office.records, wanted.records, strict=False):
      np.testing.assert_array_equal(mine.rewards, theirs.rewards)
      self.assertEqual((mine.key, mine.learn), (theirs.key, theirs.learn))
      for name in ("td_error", "value_error", "policy_error"):
        self.assertAlmostEqual(
          getattr(mine, name), getattr(theirs, name), places=3
        )

  def test_a_record_comes_a_fixed_number_of_steps_later(self):
    office = _Office()
    player = _player(office, 7, False)
    when = []
    for step in range(60):
      player.step(_PARAMS, _VERSION)
      if len(office.records) > len(when):
        when.append((step, office.records[-1].key))
    # Task 0 has 22 steps; step 22 sees its end and 8 later it is told.
    self.assertEqual(when[0], (30, 0))


if __name__ == "__main__":
  absltest.main()
