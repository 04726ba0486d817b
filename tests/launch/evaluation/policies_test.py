"""Tests of adaland.launch.evaluation.policies."""

import types
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.launch import errors
from adaland.launch.evaluation import policies


def _step(num_envs: int) -> Any:
  """Returns a step with the parts that policies use."""
  return types.SimpleNamespace(
    observation={"x": np.zeros(num_envs)}, first=[True] * num_envs
  )


_STEP = _step(2)
_LAND: Any = types.SimpleNamespace(num_envs=2)


class PoliciesTest(absltest.TestCase):
  def test_noop(self):
    actions = policies.Noop().act(_step(3))
    np.testing.assert_array_equal(actions, [constants.NOOP_ACTION] * 3)

  def test_random_draws_every_head_uniformly(self):
    policy = policies.Random(seed=1)
    drawn = np.concatenate([policy.act(_step(200)) for _ in range(10)])
    self.assertEqual(drawn.shape, (2000, len(constants.ACTION_SIZES)))
    for head, size in enumerate(constants.ACTION_SIZES):
      counts = np.bincount(drawn[:, head], minlength=size)
      self.assertLen(counts, size)
      # Five standard deviations of a binomial count.
      spread = 5 * np.sqrt(2000 * (1 / size) * (1 - 1 / size))
      np.testing.assert_allclose(counts, 2000 / size, atol=spread)

  def test_random_follows_its_seed(self):
    one, same, other = (policies.Random(seed) for seed in (1, 1, 2))
    first = one.act(_STEP)
    np.testing.assert_array_equal(first, same.act(_STEP))
    self.assertFalse(np.array_equal(first, other.act(_STEP)))
    self.assertFalse(np.array_equal(first, one.act(_STEP)))

  def test_random_refuses_a_negative_seed(self):
    with self.assertRaisesRegex(errors.UserError, "^seed is -1, allowed: "):
      policies.Random(-1)

  def test_the_agent_carries_its_memory_and_never_reuses_a_key(self):
    asked = []

    def act(params, state, observation, first, key):
      asked.append((params, state, tuple(key)))
      self.assertIs(observation, _STEP.observation)
      self.assertIs(first, _STEP.first)
      return types.SimpleNamespace(action=np.full((2, 6), state)), state + 1

    actor: Any = types.SimpleNamespace(init=lambda n: 10 * n, act=act)
    agent = policies.Agent(actor, "params", num_envs=2, seed=0)
    done = [agent.act(_STEP)[0, 0] for _ in range(3)]
    self.assertEqual(done, [20, 21, 22])
    self.assertEqual([state for _, state, _ in asked], [20, 21, 22])
    self.assertEqual({params for params, _, _ in asked}, {"params"})
    self.assertLen({key for *_, key in asked}, 3)

  def test_a_temperature_is_given_on_where_it_is_not_1(self):
    given = []

    def act(*args):
      given.append(args[5:])
      return types.SimpleNamespace(action=np.zeros((2, 6))), 0

    actor: Any = types.SimpleNamespace(init=lambda n: 0, act=act)
    for temperature in (1.0, 0.5):
      policies.Agent(actor, {}, 2, seed=0, temperature=temperature).act(_STEP)
    self.assertEqual(given, [(), (0.5,)])

  def test_scripted_players_ask_only_the_land(self):
    for name in ("expert", "explorer", "forgetful"):
      with absltest.mock.patch.object(policies.players, "make") as make:
        environments = absltest.mock.create_autospec(land.Land, instance=True)
        environments.num_envs = 3
        result = policies.baseline(name, 0)(environments).act(_STEP)
      make.assert_called_once_with(name, 3)
      make.return_value.observe.assert_called_once_with(environments)
      make.return_value.act.assert_called_once_with(environments)
      self.assertIs(result, make.return_value.act.return_value)

  def test_a_scripted_player_watches_the_environments_that_are_played(self):
    first, second = (
      absltest.mock.create_autospec(land.Land, instance=True) for _ in range(2)
    )
    first.num_envs, second.num_envs = 3, 2
    with absltest.mock.patch.object(policies.players, "make") as make:
      given = policies.Explorer(first)
      policies.maker(given)(second).act(_STEP)
    make.assert_called_with("explorer", 2)
    make.return_value.observe.assert_called_once_with(second)
    make.return_value.act.assert_called_once_with(second)

  def test_a_task_that_a_player_can_t_play_is_a_user_s_error(self):
    with absltest.mock.patch.object(policies.players, "make") as make:
      make.return_value.observe.side_effect = ValueError("goal is odd")
      with self.assertRaisesRegex(errors.UserError, "^goal is odd"):
        policies.Explorer(_LAND).act(_STEP)

  def test_baselines_by_name(self):
    noop = policies.baseline("noop", 0)(_LAND)
    self.assertIsInstance(noop, policies.Noop)
    random = policies.baseline("random", 5)(_LAND)
    np.testing.assert_array_equal(
      random.act(_STEP), policies.Random(5).act(_STEP)
    )
    with self.assertRaises(KeyError):
      policies.baseline("agent", 0)

  def test_a_function_is_a_policy(self):
    made = policies.maker(lambda step: len(step.first))(_LAND)
    self.assertEqual(made.act(_STEP), 2)

  def test_an_object_is_told_the_number_of_environments(self):
    class Counting:
      def reset(self, num_envs):
        self.num_envs = num_envs

      def act(self, step):
        return self.num_envs * len(step.first)

    self.assertEqual(policies.maker(Counting())(_LAND).act(_STEP), 4)

  def test_what_is_no_policy_is_refused(self):
    for wrong, message in (
      (3, "policy is 3, allowed: an object with act"),
      (policies.Noop, "Noop.*, allowed: an object with act"),
      ("expret", "'expret' is not one of .* did you mean 'expert'"),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        policies.maker(wrong)


if __name__ == "__main__":
  absltest.main()
