"""Tests of adaland.launch.acting.actor_loop, with a counting environment."""

import threading

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import acting
from adaland.curriculum import base
from adaland.envs import land
from adaland.envs.tasks import literals
from adaland.envs.tasks import task as task_lib
from adaland.launch.acting import actor_loop, inference, unrolls
from adaland.launch.acting import channel as channel_lib

_GAMMA = 0.5
_SIZES = (2, 3)


class _Counting:
  """Observes its step count; rewards it, one environment at a time.

  The reward of step t (from 0) of an episode is t + 1.
  """

  def __init__(self, next_task, num_envs):
    self._next_task = next_task
    self._tasks = [None] * num_envs
    self._at = np.zeros(num_envs, np.int64)
    self._ended = np.ones(num_envs, bool)

  def _load(self):
    for row in np.flatnonzero(self._ended):
      self._tasks[row] = self._next_task(int(row))

  def _make(self, reward, first):
    steps = np.array([task.trial_steps for task in self._tasks])
    trials = np.array([task.trials for task in self._tasks])
    trial_last = ~first & (self._at % steps == 0)
    last = ~first & (self._at == steps * trials)
    self._ended = last
    return land.Step(
      {"at": self._at.astype(np.float32)},
      reward.astype(np.float32),
      first,
      last,
      trial_last,
      1.0 - last.astype(np.float32),
    )

  def reset(self):
    self._load()
    self._at[:] = 0
    return self._make(np.zeros(len(self._at)), np.ones(len(self._at), bool))

  def step(self, actions):
    del actions
    starting = self._ended
    self._load()
    self._at = np.where(starting, 0, self._at + 1)
    return self._make(np.where(starting, 0, self._at), starting)


def _act(params, state, observation, first, key):
  """Values are ten times the step count; errors tell the step they are of."""
  at = observation["at"]
  n = len(at)
  output = acting.ActorOutput(
    action=jnp.stack([at % 2, at % 3], -1).astype(jnp.int32),
    behaviour_logits=jnp.full((n, sum(_SIZES)), params["logit"]),
    value=10 * at,
    value_error=at,
    policy_error=100 * at,
  )
  return output, state._replace(memory={"m": at[:, None] + 0.5})


_ACTOR = acting.Actor(
  init=lambda n: acting.ActorState(
    {"m": np.full((n, 1), -1.0)}, jnp.zeros(n), jnp.zeros((n, sum(_SIZES)))
  ),
  act=_act,
)


class _Channel:
  """Tasks of two trials of 15 steps; keeps what it is told."""

  def __init__(self):
    self.keys = iter(range(1000))
    self.records = []
    self.steps = 0
    self.pending: channel_lib.Versioned | None = channel_lib.Versioned(
      7, {"logit": np.float32(0.25)}
    )

  def next_task(self):
    task = task_lib.Task(
      task_lib.World(),
      (),
      (
        task_lib.PlayerSpec(
          literals.parse_literal("near(player1, black cube)")
        ),
      ),
      trials=2,
      trial_seconds=2.0,
    )
    key = next(self.keys)
    return base.Assignment(key, task, learn=key != 1)

  def report(self, record):
    self.records.append(record)

  def count_steps(self, steps):
    self.steps += steps

  def new_params(self):
    pending, self.pending = self.pending, None
    return pending


class _Writer:
  """Refuses every third unroll once, as a full replay does."""

  def __init__(self):
    self.unrolls = []
    self.calls = 0

  def insert(self, unroll, priority=1.0):
    self.calls += 1
    if self.calls % 3 == 0:
      raise TimeoutError("full")
    self.unrolls.append(unroll)

  def close(self):
    pass


def _loop(length, store_memory=False, num_envs=2):
  channel, writer = _Channel(), _Writer()
  cutter = unrolls.UnrollCutter(
    num_envs, length, {"at": ((), np.float32)}, 2, sum(_SIZES), store_memory
  )
  batch = inference.Batch(_ACTOR, channel, 1, num_envs, inference.host())
  loop = actor_loop.ActorLoop(
    lambda next_task: _Counting(next_task, num_envs),
    batch.seats[0],
    cutter,
    num_envs,
    _GAMMA,
    channel,
    writer,
    np.random.SeedSequence(0),
  )
  return loop, channel, writer


class ActorLoopTest(absltest.TestCase):
  def test_whole_episodes(self):
    loop, channel, writer = _loop(length=40)
    for _ in range(3 * 31):
      loop.step()
    # Episodes of 30 actions take 31 looks; episode 1 is not to be learned.
    self.assertEqual(channel.steps, 3 * 30 * 2)
    self.assertLen(writer.unrolls, 5)
    unroll = writer.unrolls[0]
    np.testing.assert_array_equal(unroll.observation["at"][:30], np.arange(30))
    np.testing.assert_array_equal(unroll.reward[:30], np.arange(1, 31))
    np.testing.assert_array_equal(unroll.mask, [1] * 30 + [0] * 10)
    np.testing.assert_array_equal(unroll.discount[:30], [1] * 29 + [0])
    np.testing.assert_array_equal(unroll.first, [1] + [0] * 39)
    np.testing.assert_array_equal(
      unroll.action[:30], [[t % 2, t % 3] for t in range(30)]
    )
    self.assertEqual(unroll.behaviour_logits[0, 0], 0.25)
    self.assertEqual(unroll.params_version, 7)

  def test_records(self):
    loop, channel, _ = _loop(length=40)
    for _ in range(32):
      loop.step()
    self.assertEqual([r.key for r in channel.records], [0, 1])
    self.assertEqual([r.learn for r in channel.records], [True, False])
    record = channel.records[0]
    np.testing.assert_allclose(
      record.rewards, [sum(range(1, 16)), sum(range(16, 31))]
    )
    # Last trial: steps 15 to 29, reward t + 1, values 10 t; the end has none.
    td = [abs(t + 1 + 0.5 * 10 * (t + 1) - 10 * t) for t in range(15, 29)]
    td.append(abs(30 - 290))
    self.assertAlmostEqual(record.td_error, np.mean(td), places=5)
    # Told at the step after: 16 to 30.
    self.assertAlmostEqual(record.value_error, np.mean(range(16, 31)))
    self.assertAlmostEqual(record.policy_error, 100 * np.mean(range(16, 31)))

  def test_cut_episodes_carry_memory(self):
    loop, _, writer = _loop(length=16, store_memory=True, num_envs=1)
    for _ in range(31):
      loop.step()
    self.assertLen(writer.unrolls, 2)
    one, two = writer.unrolls
    self.assertEqual(one.initial_memory["m"], -1.0)
    # The second starts with step 15; memory then is that after step 14.
    self.assertEqual(two.observation["at"][0], 15)
    self.assertEqual(two.initial_memory["m"], 14.5)
    np.testing.assert_array_equal(two.mask, [1] * 15 + [0])

  def test_a_full_store_does_not_keep_an_actor_that_is_to_end(self):
    loop, _, writer = _loop(length=40)
    writer.calls = 2  # The next is refused.
    loop._inference._batch.abort()
    with self.assertRaises(threading.BrokenBarrierError):
      loop._emit(0, absltest.mock.Mock())
    self.assertEmpty(writer.unrolls)

  def test_newer_parameters_act_at_once(self):
    loop, channel, writer = _loop(length=40)
    for _ in range(10):
      loop.step()
    channel.pending = channel_lib.Versioned(9, {"logit": np.float32(0.5)})
    for _ in range(25):
      loop.step()
    logits = writer.unrolls[0].behaviour_logits[:30, 0]
    np.testing.assert_array_equal(logits, [0.25] * 10 + [0.5] * 20)
    self.assertEqual(writer.unrolls[0].params_version, 9)

  def test_does_not_start_without_parameters(self):
    loop, channel, _ = _loop(length=40)
    channel.pending = None
    with self.assertRaisesRegex(RuntimeError, "needs parameters"):
      loop.step()


if __name__ == "__main__":
  absltest.main()
