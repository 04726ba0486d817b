"""Tests of adaland.launch.acting.loop: made-up actors, then real ones."""

import threading
from typing import Any

import jax
import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.envs.sampling import sampler
from adaland.launch import builder
from adaland.launch.acting import actor, channel, loop
from adaland.launch.config import overrides, preset_configs
from tests.launch.acting import fakes, unroll_checks

_NUM_ENVS = 2


class _Channel:
  """A channel that hands out its parameters and sets `stop` after some steps.

  Attributes:
    pending: Parameters to hand out.
    steps: Environment steps counted.
    idle: Calls in which no step was counted.
    stop: The event that ends the loop.
    gone: Whether the learner is gone.
  """

  def __init__(self, most_steps=1000):
    self._assignments = fakes.Assignments()
    self._most_steps = most_steps
    self.pending: list[channel.Versioned | None] = [
      channel.Versioned(7, fakes.PARAMS)
    ]
    self.steps = self.idle = 0
    self.records: list[base.EpisodeRecord] = []
    self.stop = threading.Event()
    self.gone = False

  def next_task(self):
    return self._assignments.next_task()

  def report(self, record):
    self.records.append(record)

  def count_steps(self, steps):
    if self.gone:
      raise ConnectionError("the learner is gone")
    self.steps += steps
    self.idle += not steps
    if self.steps >= self._most_steps:
      self.stop.set()

  def new_params(self):
    return self.pending.pop(0) if self.pending else None

  def snapshot(self, number):
    raise AssertionError(f"there is no snapshot {number}")


class _Writer:
  """A writer that refuses some calls, as a full replay does.

  Attributes:
    refusals: Calls left to refuse.
    on_refusal: Called at each.
  """

  def __init__(self):
    self.unrolls: list[Any] = []
    self.refusals = 0
    self.on_refusal = lambda: None
    self.closed = False

  def insert(self, unroll):
    if self.refusals:
      self.refusals -= 1
      self.on_refusal()
      raise TimeoutError("full")
    self.unrolls.append(unroll)

  def close(self):
    self.closed = True


class ActingLoopTest(absltest.TestCase):
  def make(self, most_steps=1000):
    self.channel, self.writer = _Channel(most_steps), _Writer()
    device = jax.local_devices()[0]

    def make_actor(emit):
      return actor.Actor(
        make_environment=lambda next_task: fakes.CountingEnvironment(
          _NUM_ENVS, next_task
        ),
        functions=fakes.FUNCTIONS,
        observation_spec=fakes.SPEC,
        action_sizes=fakes.SIZES,
        num_envs=_NUM_ENVS,
        length=8,
        gamma=fakes.GAMMA,
        store_memory=False,
        next_task=self.channel.next_task,
        report=self.channel.report,
        emit=emit,
        seed=0,
        device=device,
      )

    return loop.ActingLoop(make_actor, self.channel, self.writer, device)

  def test_acts_until_stopped_and_closes_the_writer(self):
    made = self.make(most_steps=200)
    made.run(self.channel.stop)
    self.assertBetween(self.channel.steps, 200, 201)
    self.assertGreater(len(self.channel.records), 4)
    self.assertGreater(len(self.writer.unrolls), 10)
    for unroll in self.writer.unrolls:
      self.assertIsInstance(unroll.reward, np.ndarray)
      self.assertEqual(unroll.params_version, 7)
    self.assertTrue(self.writer.closed)

  def test_waits_for_the_first_parameters(self):
    made = self.make(most_steps=4)
    self.channel.pending[:0] = [None, None]
    made.run(self.channel.stop)
    self.assertEqual(self.channel.steps, 4)

  def test_stopped_without_parameters_it_never_acts(self):
    made = self.make()
    self.channel.pending.clear()
    self.channel.stop.set()
    made.run(self.channel.stop)
    self.assertEqual(self.channel.steps, 0)
    self.assertTrue(self.writer.closed)

  def test_a_step_needs_parameters(self):
    made = self.make()
    self.channel.pending.clear()
    with self.assertRaisesRegex(RuntimeError, "needs parameters"):
      made.step()

  def test_newer_parameters_act_at_once(self):
    made = self.make()
    for step in range(9):
      if step == 5:
        newer = {"logits": fakes.PARAMS["logits"] + 1000}
        self.channel.pending.append(channel.Versioned(9, newer))
      made.step()
    unroll = self.writer.unrolls[0]
    np.testing.assert_array_equal(
      unroll.behaviour_logits[:, 0], [0, 1, 2, 3, 4, 1005, 1006, 1007]
    )
    self.assertEqual(unroll.params_version, 9)

  def test_an_unroll_that_a_full_replay_refuses_is_offered_again(self):
    made = self.make()
    self.writer.refusals = 3
    for _ in range(9):
      made.step()
    self.assertLen(self.writer.unrolls, _NUM_ENVS)
    self.assertEqual(
      [int(u.observation["at"][0, 0]) for u in self.writer.unrolls], [0, 1]
    )
    self.assertEqual(self.channel.idle, 3)

  def test_a_full_replay_does_not_keep_a_stopped_loop(self):
    made = self.make()
    self.writer.refusals = 10**6
    self.writer.on_refusal = self.channel.stop.set
    made.run(self.channel.stop)
    self.assertEmpty(self.writer.unrolls)
    self.assertTrue(self.writer.closed)

  def test_raises_when_the_learner_is_gone(self):
    made = self.make()
    self.channel.gone = True
    with self.assertRaisesRegex(ConnectionError, "gone"):
      made.run(self.channel.stop)

  def test_raises_when_the_learner_goes_while_replay_is_full(self):
    made = self.make()

    def leave():
      self.channel.gone = True

    self.writer.refusals = 10**6
    self.writer.on_refusal = leave
    with self.assertRaisesRegex(ConnectionError, "gone"):
      made.run(self.channel.stop)


class _RealChannel(_Channel):
  """A channel that gives tasks from a config's training half."""

  def __init__(self, config, params):
    super().__init__()
    self._draw = sampler.TaskSampler(config.tasks).task
    self._key = 0
    self.pending = [channel.Versioned(3, params)]

  def next_task(self):
    self._key += 1
    return base.Assignment(self._key, self._draw(self._key), True)


class RealLoopTest(absltest.TestCase):
  """Tests of the smoke preset's actor, as a role makes it, for both players."""

  def setUp(self):
    super().setUp()
    self.config = overrides.apply(
      preset_configs.smoke(),
      [
        "actor.envs_per_actor=2",
        "tasks.trials=[1,1]",
        "network.memory_length=15",
        "env.num_players=2",
        "tasks.two_player_probability=1.0",
      ],
    )
    self.made = builder.agent(self.config)
    params = jax.jit(self.made.network.init)(jax.random.PRNGKey(0))
    self.params = jax.device_get(params)

  def play(self, seed):
    writer = _Writer()
    playing = builder.actor(
      self.config,
      self.made,
      _RealChannel(self.config, self.params),
      lambda: writer,
      np.random.SeedSequence(seed),
    )
    for _ in range(self.config.longest_episode + 2):
      playing.step()
    return writer.unrolls

  def test_unrolls_are_whole_episodes_and_follow_from_the_seed(self):
    once, again, other = (self.play(seed) for seed in (5, 5, 6))
    self.assertLen(once, 4)
    spec = builder.unroll_spec(self.config, self.made)
    for unroll in once + other:
      spec.flatten(unroll)  # Raises for another field, shape or dtype.
      unroll_checks.check_episode(unroll, newest_version=3)
    jax.tree.map(np.testing.assert_array_equal, once, again)
    self.assertFalse(np.array_equal(once[0].action, other[0].action))


if __name__ == "__main__":
  absltest.main()
