"""Tests of how actors play the tasks that they are assigned."""

import dataclasses

import jax
import numpy as np
from absl.testing import absltest

from adaland.curriculum import base, coplayers
from adaland.envs import constants
from adaland.envs.tasks import literals
from adaland.envs.tasks.arrays import rule_row
from tests.launch.acting import actor_case, fakes
from tests.launch.fakes import make_task


class AssignmentTest(actor_case.ActorCase):
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
    self.assertGreater(len(self.unrolls), 2 * 2 * actor_case.NUM_ENVS)
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


if __name__ == "__main__":
  absltest.main()
