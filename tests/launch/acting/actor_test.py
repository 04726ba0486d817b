"""Tests of adaland.launch.acting.actor, on a counting environment."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import base, coplayers
from adaland.envs import constants
from adaland.launch.acting import (
  episode_records,
)
from tests.launch.acting import actor_case, fakes, reference
from tests.launch.fakes import make_task

_VERSION = 6


class ReferenceTest(actor_case.ActorCase):
  @parameterized.parameters(
    (7, True, False),
    (7, True, True),
    (3, True, False),
    (2, True, False),
    (2, False, False),
    (69, False, False),
  )
  def test_unrolls_and_records_are_those_of_a_slow_reference(
    self, length, store_memory, on_device
  ):
    self.check(length, store_memory, on_device)

  @parameterized.parameters((3, True, False), (69, False, True))
  def test_both_sides_are_those_of_a_slow_reference(
    self, length, store_memory, on_device
  ):
    """Two players; in some episodes one, or a co-player in the second seat."""
    pool = (coplayers.SELF, coplayers.NOOP, coplayers.FIRST_SNAPSHOT)
    with absltest.mock.patch.object(constants, "NOOP_ACTION", (1, 2)):
      self.check(length, store_memory, on_device, pool)
    players = {int(u.observation["at"][0, 0]) % 2 for u in self.unrolls}
    self.assertEqual(players, {0, 1})

  def check(self, length, store_memory, on_device, pool=()):
    times = 201
    made = self.make(length, store_memory, on_device, pool=pool)
    for _ in range(times):
      made.step(fakes.PARAMS, _VERSION)
    unrolls, records = reference.play(
      actor_case.NUM_ENVS, times, length, store_memory, _VERSION, pool
    )
    self.assertGreater(len(unrolls), 5)
    self.assert_equal(self.unrolls, unrolls)
    due = [
      record for time, record in records if time + episode_records.DELAY < times
    ]
    self.assertGreater(len(due), 5)
    self.assertLen(self.records, len(due))
    for mine, wanted in zip(self.records, due, strict=True):
      np.testing.assert_array_equal(mine.rewards, wanted.rewards)
      self.assertEqual((mine.key, mine.learn), (wanted.key, wanted.learn))
      for name in ("td_error", "value_error", "policy_error"):
        self.assertAlmostEqual(
          getattr(mine, name), getattr(wanted, name), places=3
        )


class UnrollTest(actor_case.ActorCase):
  """Tests of unrolls of one environment, by hand; its tasks have 15 steps."""

  def play(self, length, times, **more):
    task = make_task(trials=1, seconds=2.0)
    made = self.make(
      length,
      num_envs=1,
      next_task=lambda: base.Assignment(0, task, True),
      **more,
    )
    for version in range(times):
      made.step(fakes.PARAMS, version)
    return self.unrolls

  def test_a_whole_episode_is_padded(self):
    [unroll] = self.play(length=18, times=16)
    steps = [*range(15), 0, 0, 0]
    np.testing.assert_array_equal(unroll.observation["at"][:, 1], steps)
    np.testing.assert_array_equal(unroll.mask, [1] * 15 + [0] * 3)
    np.testing.assert_array_equal(unroll.first, [1] + [0] * 17)
    np.testing.assert_array_equal(unroll.discount, [1] * 14 + [0] * 4)
    np.testing.assert_array_equal(unroll.reward, [*range(1, 16), 0, 0, 0])
    np.testing.assert_array_equal(unroll.action[14], [0, 2])
    self.assertEqual(unroll.initial_memory, {})

  def test_a_long_episode_is_cut_with_one_step_of_overlap(self):
    unrolls = self.play(length=8, times=16, store_memory=True)
    np.testing.assert_array_equal(
      [u.observation["at"][:, 1] for u in unrolls],
      [range(8), [*range(7, 15)]],
    )
    # Memory at step 7 is the sum of the earlier steps.
    self.assertEqual(
      [float(u.initial_memory["m"][0]) for u in unrolls], [-1.0, 21.0]
    )
    np.testing.assert_array_equal(
      [u.first for u in unrolls], [[1] + [0] * 7, [0] * 8]
    )
    np.testing.assert_array_equal(
      [u.discount for u in unrolls], [[1] * 8, [1] * 7 + [0]]
    )

  def test_an_episode_that_fills_an_unroll_needs_no_other(self):
    unrolls = self.play(length=15, times=32)
    np.testing.assert_array_equal(
      [u.observation["at"][:, 1] for u in unrolls], [range(15)] * 2
    )

  @parameterized.parameters(2, 3, 8, 18)
  def test_each_action_is_learned_from_once(self, length):
    learned = []
    for unroll in self.play(length, times=48):
      steps = unroll.observation["at"][unroll.mask > 0, 1].tolist()
      # The learner only bootstraps from the last step of a full unroll.
      ended = unroll.discount[unroll.mask > 0][-1] == 0
      learned += steps if ended else steps[:-1]
    self.assertEqual(learned, [*range(15)] * 3)

  def test_an_unroll_has_the_version_that_acted_last(self):
    # Steps 0 to 7 and 7 to 14; the version at each step is its time.
    unrolls = self.play(length=8, times=16)
    self.assertEqual([int(u.params_version) for u in unrolls], [7, 14])

  def test_newer_parameters_act_at_once(self):
    made = self.make(length=40, num_envs=1)
    newer = {"logits": fakes.PARAMS["logits"] + 1000}
    for step in range(23):
      made.step(newer if step >= 10 else fakes.PARAMS, step)
    [unroll] = self.unrolls
    np.testing.assert_array_equal(
      unroll.behaviour_logits[:22, 0],
      np.arange(22) + np.where(np.arange(22) < 10, 0, 1000),
    )


class StepTest(actor_case.ActorCase):
  def test_counts_the_environments_that_took_an_action(self):
    made = self.make(length=7)
    counts = [made.step(fakes.PARAMS, 0) for _ in range(40)]
    # Tasks 0, 1, 2, 3 have 22, 30, 66 and 15 steps; the last follows task 0.
    self.assertEqual(
      counts, [2 if step in (22, 30, 38) else 3 for step in range(40)]
    )
    self.assertEqual(made.time, 40)

  def test_each_step_and_each_seed_draw_their_own_actions(self):
    def act(params, state, observation, first, key):
      output, state = fakes.FUNCTIONS.act(
        params, state, observation, first, key
      )
      drawn = jax.random.randint(key, output.action.shape, 0, 1 << 30)
      return output._replace(action=jnp.asarray(drawn)), state

    drawing = fakes.FUNCTIONS._replace(act=act)
    made, environments = [], []

    def make_environment(next_task):
      environments.append(
        fakes.CountingEnvironment(actor_case.NUM_ENVS, next_task)
      )
      return environments[-1]

    for seed in (0, 0, 1):
      made.append(
        self.make(
          length=7,
          functions=drawing,
          seed=seed,
          make_environment=make_environment,
        )
      )
    actions = []
    for _ in range(3):
      for each in made:
        each.step(fakes.PARAMS, 0)
      one, same, other = (each.actions for each in environments)
      np.testing.assert_array_equal(one, same)
      actions += [one, other]
    self.assertLen(np.unique(actions), np.size(actions))

  def test_a_record_comes_a_fixed_number_of_steps_later(self):
    made = self.make(length=7)
    when = []
    for step in range(60):
      made.step(fakes.PARAMS, _VERSION)
      if len(self.records) > len(when):
        when.append((step, self.records[-1].key))
    # Task 0 has 22 steps, so step 22 sees its end.
    self.assertEqual(when[0], (22 + episode_records.DELAY, 0))

  @parameterized.parameters(
    ((),),
    ((coplayers.FIRST_SNAPSHOT, coplayers.RANDOM, coplayers.SELF),),
  )
  def test_a_restored_actor_acts_as_the_saved_one(self, pool):
    source, environments = fakes.Assignments(pool), []
    self.enter_context(
      absltest.mock.patch.object(constants, "NOOP_ACTION", (1, 2))
    )

    def make_environment(next_task):
      environments.append(
        fakes.CountingEnvironment(
          actor_case.NUM_ENVS, next_task, num_players=2 if pool else 1
        )
      )
      return environments[-1]

    saved = self.make(
      5,
      store_memory=True,
      next_task=source.next_task,
      make_environment=make_environment,
      pool=pool,
      rules=(1, constants.RULE_WIDTH),
    )
    for _ in range(26):  # Task 0 has ended; its record is not due.
      saved.step(fakes.PARAMS, 1)
    [environment] = environments
    arrays = jax.tree.map(np.copy, saved.arrays)
    state = copy.deepcopy(saved.state_dict())
    tasks, source = list(environment.tasks), copy.deepcopy(source)
    self.unrolls.clear()
    for _ in range(40):
      saved.step(fakes.PARAMS, 2)
    unrolls, records = self.unrolls, self.records
    self.assertGreater(len(records), 1)
    restored = self.make(
      5,
      store_memory=True,
      next_task=source.next_task,
      make_environment=make_environment,
      pool=pool,
      rules=(1, constants.RULE_WIDTH),
    )
    restored.load_state_dict(arrays, state, tasks)
    environments[1].load(arrays["now"], tasks)
    for _ in range(40):
      restored.step(fakes.PARAMS, 2)
    self.assertEqual(restored.time, saved.time)
    np.testing.assert_array_equal(
      environments[1].actions, environments[0].actions
    )
    self.assert_equal(self.unrolls, unrolls)
    self.assertTrue(all(unroll.privileged["rules"].any() for unroll in unrolls))
    self.assertEqual([r.key for r in self.records], [r.key for r in records])
    np.testing.assert_array_equal(
      np.concatenate([r.rewards for r in self.records]),
      np.concatenate([r.rewards for r in records]),
    )


if __name__ == "__main__":
  absltest.main()
