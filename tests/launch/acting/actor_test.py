"""Tests of adaland.launch.acting.actor, on a counting environment."""

import copy
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import base, coplayers
from adaland.envs import constants
from adaland.envs.tasks import literals
from adaland.envs.tasks.arrays import rule_row
from adaland.launch.acting import (
  actor,
  coplaying,
  cutting,
  episode_records,
)
from tests.launch.acting import fakes, reference
from tests.launch.fakes import make_task

_NUM_ENVS = 3
_VERSION = 6


class _Case(parameterized.TestCase):
  def make(
    self,
    length,
    store_memory=False,
    on_device=False,
    num_envs=_NUM_ENVS,
    next_task=None,
    make_environment=None,
    pool=(),
    rules=None,
    functions=fakes.FUNCTIONS,
    seed=0,
  ):
    """Makes an actor; `self.unrolls` and `self.records` get its output."""
    self.unrolls, self.records = [], []
    num_players, device = (2 if pool else 1), jax.local_devices()[0]
    seats = None
    if pool:
      seats = coplaying.CoplayerSeats(
        fakes.FUNCTIONS,
        lambda number: fakes.PARAMS,
        num_envs,
        pool_size=1,
        action_sizes=fakes.SIZES,
        seed=0,
        device=device,
      )
    return actor.Actor(
      make_environment=make_environment
      or (
        lambda row_task: fakes.CountingEnvironment(
          num_envs, row_task, on_device, num_players
        )
      ),
      functions=functions,
      observation_spec=fakes.SPEC,
      action_sizes=fakes.SIZES,
      num_envs=num_envs,
      length=length,
      gamma=fakes.GAMMA,
      store_memory=store_memory,
      next_task=next_task or fakes.Assignments(pool).next_task,
      report=self.records.append,
      emit=lambda unrolls, num: self.unrolls.extend(
        cutting.to_host(unrolls, num)
      ),
      seed=seed,
      device=device,
      num_players=num_players,
      seats=seats,
      rules=rules,
    )

  def assert_equal(self, unrolls, expected):
    self.assertLen(unrolls, len(expected))
    for mine, wanted in zip(unrolls, expected, strict=True):
      leaves = jax.tree_util.tree_leaves_with_path(wanted)
      for (path, x), y in zip(leaves, jax.tree.leaves(mine), strict=True):
        name = jax.tree_util.keystr(path)
        np.testing.assert_array_equal(y, x, err_msg=name)
        self.assertEqual(y.dtype, x.dtype, name)


class ReferenceTest(_Case):
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
      _NUM_ENVS, times, length, store_memory, _VERSION, pool
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


class AssignmentTest(_Case):
  def play(self):
    keys = iter(range(100))

    def next_task():
      key = next(keys)
      task = make_task(str(key), trials=3, seconds=2.0)
      return base.Assignment(key, task, True, trials=key % 2, idle=key % 3 == 0)

    made = self.make(18, num_envs=1, next_task=next_task)
    for _ in range(200):
      made.step(fakes.PARAMS, 0)
    return made

  def test_trials_and_player_are_the_assignment_s(self):
    noop = (1, 2)
    with absltest.mock.patch.object(constants, "NOOP_ACTION", noop):
      made = self.play()
    self.assertGreater(len(self.records), 4)
    for record in self.records:
      self.assertLen(record.rewards, 1 if record.key % 2 else 3)
      self.assertEqual(record.guided, record.key % 3 == 0)
      self.assertEqual(record.trial_seconds, 2.0)
    for unroll in self.unrolls:
      steps = int(unroll.mask.sum())
      idle = bool(unroll.observation["goal"][0] % 3 == 0)
      is_noop = (unroll.action[:steps] == noop).all(axis=1)
      self.assertEqual(is_noop.all(), idle)
    state, environment = made.state_dict(), made.environment
    assert isinstance(environment, fakes.CountingEnvironment)
    other = self.make(18, num_envs=1)
    other.load_state_dict(jax.device_get(made.arrays), state, environment.tasks)
    self.assertEqual(other.state_dict()["idle"], state["idle"])

  def test_unrolls_carry_the_rules_of_their_own_task(self):
    rules = [
      literals.parse_rule(f"near({colour} cube, player1) -> nothing")
      for colour in constants.COLOURS
    ]
    keys = iter(range(100))

    def next_task():
      key = next(keys)
      one = make_task(str(key), rules=(rules[key % len(rules)],))
      two = dataclasses.replace(one, players=one.players * 2, hiding=())
      return base.Assignment(key, two, True)

    with absltest.mock.patch.object(constants, "NOOP_ACTION", (1, 2)):
      made = self.make(
        18,
        next_task=next_task,
        pool=(coplayers.SELF,),
        rules=(2, constants.RULE_WIDTH),
      )
      for _ in range(80):
        made.step(fakes.PARAMS, 0)
    self.assertGreater(len(self.unrolls), 2 * 2 * _NUM_ENVS)
    for unroll in self.unrolls:
      key = int(unroll.observation["goal"][0])
      own, none = unroll.privileged["rules"]
      np.testing.assert_array_equal(own, rule_row(rules[key % len(rules)]))
      self.assertFalse(none.any())

  def test_no_co_player_sits_in_a_task_of_one_player(self):
    one = make_task()
    two = dataclasses.replace(one, players=one.players * 2, hiding=())
    for task, playing in ((one, set()), (two, {coplayers.FIRST_SNAPSHOT})):
      assignment = base.Assignment(
        0, task, True, coplayer=coplayers.FIRST_SNAPSHOT
      )
      made = self.make(
        18,
        next_task=lambda assignment=assignment: assignment,
        pool=(coplayers.FIRST_SNAPSHOT,),
      )
      made.environment.reset()
      self.assertEqual(made.playing, playing)

  def test_a_state_of_an_earlier_version_has_nobody_idle(self):
    made = self.make(18, num_envs=1)
    made.step(fakes.PARAMS, 0)
    state, environment = made.state_dict(), made.environment
    assert isinstance(environment, fakes.CountingEnvironment)
    del state["idle"]
    made.load_state_dict(jax.device_get(made.arrays), state, environment.tasks)
    self.assertEqual(made.state_dict()["idle"], [False])


class UnrollTest(_Case):
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

  @parameterized.parameters(2, 3, 5, 20)
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


class StepTest(_Case):
  def test_counts_the_environments_that_took_an_action(self):
    made = self.make(length=40)
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
      environments.append(fakes.CountingEnvironment(_NUM_ENVS, next_task))
      return environments[-1]

    for seed in (0, 0, 1):
      made.append(
        self.make(
          length=9,
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
          _NUM_ENVS, next_task, num_players=2 if pool else 1
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
