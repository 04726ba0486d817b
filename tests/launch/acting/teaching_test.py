"""Tests of adaland.launch.acting.teaching, with players that count."""

import types
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch.acting import actor, cutting, teaching
from adaland.launch.config.teaching import TeachingConfig
from tests.launch.acting import fakes
from tests.launch.fakes import make_task

_NUM_ENVS, _LENGTH = 3, 70
# Probabilities of a teaching agent's actions.
_POLICY = np.array([0.1, 0.9, 0.2, 0.5, 0.3])


def _step(first, last) -> Any:
  return types.SimpleNamespace(first=first, last=last)


class FakePlayer:
  """A player whose action tells its name and its number of observations."""

  def __init__(self, name):
    self.name = name
    self.looks = 0

  def observe(self, world):
    del world
    self.looks += 1

  def act(self, world, rows):
    del world
    first = {"explorer": 0, "expert": 1, "guide": 2}[self.name]
    return np.full((len(rows), 2), (first, self.looks % 3), np.int32)


class TeachingTest(parameterized.TestCase):
  def play(self, rules=None, times=140, agent=None, **settings):
    """Returns an actor's unrolls and records with other players."""
    unrolls, records = [], []
    config = TeachingConfig(**settings)
    made = actor.Actor(
      make_environment=lambda row_task: fakes.CountingEnvironment(
        _NUM_ENVS, row_task
      ),
      functions=fakes.FUNCTIONS,
      observation_spec=fakes.SPEC,
      action_sizes=fakes.SIZES,
      num_envs=_NUM_ENVS,
      length=_LENGTH,
      gamma=fakes.GAMMA,
      store_memory=False,
      next_task=fakes.Assignments().next_task,
      report=records.append,
      emit=lambda batch, num: unrolls.extend(cutting.to_host(batch, num)),
      seed=0,
      device=jax.local_devices()[0],
      guide=teaching.Teaching(
        config, FakePlayer, _NUM_ENVS, len(fakes.SIZES), 0, agent
      ),
      rules=rules,
    )
    for _ in range(times):
      made.step(fakes.PARAMS, 0)
    self.assertGreater(len(unrolls), 4)
    return unrolls, records

  def test_a_teacher_labels_the_agents_own_steps(self):
    unrolls, records = self.play(teacher="explorer")
    for unroll in unrolls:
      steps = int(unroll.mask.sum())
      at = unroll.observation["at"][:steps, 1].astype(int)
      np.testing.assert_array_equal(unroll.action[:steps, 0], at % 2)
      label = unroll.privileged["label"]
      np.testing.assert_array_equal(label[:steps, 0], 0)
      # It observes once more at each step.
      np.testing.assert_array_equal(np.diff(label[:steps, 1]) % 3, 1)
    self.assertFalse(any(record.guided for record in records))

  def test_a_teacher_that_plays_takes_all_actions(self):
    unrolls, records = self.play(teacher="explorer", taught=1.0)
    for unroll in unrolls:
      steps = int(unroll.mask.sum())
      np.testing.assert_array_equal(
        unroll.action[:steps], unroll.privileged["label"][:steps]
      )
      # It is certain of its actions: in each head, one logit is not zero.
      logits = unroll.behaviour_logits[:steps]
      np.testing.assert_array_equal(logits[:, 0] > 0, True)
      np.testing.assert_array_equal(logits.argmax(axis=1), 0)
      np.testing.assert_array_equal((logits != 0).sum(axis=1), 2)
    self.assertTrue(all(record.guided for record in records))

  @parameterized.parameters(("expert", 1), ("guide", 2))
  def test_the_demonstrator_plays_the_first_trial_only(self, name, its_action):
    unrolls, records = self.play(demonstrated=1.0, demonstrator=name)
    several = 0
    for unroll in unrolls:
      self.assertEqual(unroll.privileged, {})
      steps = int(unroll.mask.sum())
      key = int(unroll.observation["goal"][0])
      trial_steps = 15 if key % 2 else 22
      at = unroll.observation["at"][:steps, 1].astype(int)
      shown = unroll.action[:steps, 0] == its_action
      mine = at >= trial_steps
      np.testing.assert_array_equal(shown[~mine], True)
      # It observes once more at each step.
      looks = unroll.action[:steps, 1][~mine]
      np.testing.assert_array_equal(np.diff(looks) % 3, 1)
      np.testing.assert_array_equal(
        unroll.action[:steps, 0][mine], at[mine] % 2
      )
      several += mine.any()
    self.assertGreater(several, 1)
    self.assertTrue(all(record.guided for record in records))

  def teaching_agent(self):
    """Returns an agent whose policy is the student's, three steps ahead."""
    params = {"logits": np.log(_POLICY, dtype=np.float32)[None]}
    return teaching.TeachingAgent(
      fakes.FUNCTIONS, params, _NUM_ENVS, fakes.SIZES, seed=0
    )

  def test_an_agent_remembers_the_episode_that_it_follows(self):
    def act(params, state, observation, first, key):
      output, state = fakes.FUNCTIONS.act(
        params, state, observation, first, key
      )
      logits = jnp.zeros((_NUM_ENVS, 5)).at[:, :1].set(state.memory["m"])
      return output._replace(behaviour_logits=logits), state

    agent = teaching.TeachingAgent(
      fakes.FUNCTIONS._replace(act=act),
      fakes.PARAMS,
      _NUM_ENVS,
      fakes.SIZES,
      seed=0,
    )
    environment = fakes.CountingEnvironment(
      _NUM_ENVS, lambda row: make_task(trials=1)
    )
    remembered = []
    step = environment.reset()
    for _ in range(18):  # An episode has 15 steps.
      policy, _ = agent.follow(step)
      remembered.append(policy[1, 0] - policy[1, 1])
      step = environment.step(np.zeros((_NUM_ENVS, 2)))
    # Sums of the row's number, 1, and the step, from 0, in two episodes.
    expected = np.cumsum(1 + np.arange(16))
    np.testing.assert_allclose(
      remembered, [*expected, *expected[:2]], rtol=1e-5
    )

  def test_an_agent_labels_the_students_steps_with_its_policy(self):
    unrolls, _ = self.play(teacher="agent:any", agent=self.teaching_agent())
    for unroll in unrolls:
      self.assertEqual(list(unroll.privileged), ["teacher"])
      steps = int(unroll.mask.sum())
      at = unroll.observation["at"][:steps, 1].astype(int)
      np.testing.assert_array_equal(unroll.action[:steps, 0], at % 2)
      # The fake adds its step to all logits, which leaves the policy the same.
      np.testing.assert_allclose(
        unroll.privileged["teacher"][:steps],
        np.tile(np.log(_POLICY), (steps, 1)),
        atol=1e-4,
      )

  def test_an_agent_that_plays_draws_the_actions(self):
    unrolls, records = self.play(
      teacher="agent:any", taught=1.0, agent=self.teaching_agent()
    )
    for unroll in unrolls:
      steps = int(unroll.mask.sum())
      at = unroll.observation["at"][:steps, 1].astype(int)
      # The fake agent takes these actions deterministically.
      np.testing.assert_array_equal(unroll.action[:steps, 1], at % 3)
      np.testing.assert_allclose(
        unroll.behaviour_logits[:steps],
        np.tile(np.log(_POLICY), (steps, 1)),
        atol=1e-4,
      )
    self.assertTrue(all(record.guided for record in records))

  def test_the_expert_is_sure_where_an_agent_teaches(self):
    unrolls, _ = self.play(
      teacher="agent:any", demonstrated=1.0, agent=self.teaching_agent()
    )
    for unroll in unrolls:
      steps = int(unroll.mask.sum())
      key = int(unroll.observation["goal"][0])
      at = unroll.observation["at"][:steps, 1].astype(int)
      logits = unroll.behaviour_logits[:steps]
      shown = at < (15 if key % 2 else 22)
      np.testing.assert_array_equal((logits[shown] != 0).sum(axis=1), 2)
      # The student's logits rise by one.
      np.testing.assert_array_equal(np.diff(logits[~shown], axis=1), 1)

  def test_an_idle_avatar_draws_nothing(self):
    both = np.ones(2, bool)
    guidance = teaching.no_guidance(2)._replace(given=both, drawn=both)
    idle = teaching.with_idle(guidance, np.array([True, False]))
    np.testing.assert_array_equal(idle.given, [True, True])
    np.testing.assert_array_equal(idle.drawn, [False, True])

  def test_shares_of_episodes(self):
    config = TeachingConfig(teacher="explorer", taught=0.2, demonstrated=0.3)
    made = teaching.Teaching(config, FakePlayer, 2000, 2, seed=1)
    everyone, none = np.ones(2000, bool), np.zeros(2000, bool)
    trial = np.zeros(2000, int)
    guidance = made.guide(None, _step(everyone, none), trial)
    taught = (guidance.action[:, 0] == 0) & guidance.given
    shown = (guidance.action[:, 0] == 1) & guidance.given
    self.assertAlmostEqual(taught.mean(), 0.2, delta=0.03)
    self.assertAlmostEqual(shown.mean(), 0.3, delta=0.03)
    np.testing.assert_array_equal(made.guided, guidance.given)
    # An episode keeps its players; after its end there is nothing to do.
    again = made.guide(None, _step(none, none), trial)
    np.testing.assert_array_equal(again.given, guidance.given)
    over = made.guide(None, _step(none, everyone), trial)
    self.assertFalse(over.given.any())
    np.testing.assert_array_equal(over.label, -1)

  def test_unrolls_carry_the_true_rules_of_their_task(self):
    unrolls, _ = self.play(rules=(2, 14), demonstrated=0.5)
    for unroll in unrolls:
      self.assertEqual(list(unroll.privileged), ["rules"])
      self.assertEqual(unroll.privileged["rules"].shape, (2, 14))


if __name__ == "__main__":
  absltest.main()
