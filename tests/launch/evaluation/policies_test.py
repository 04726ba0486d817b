"""Tests of adaland.launch.evaluation.policies."""

import types
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.launch.evaluation import policies

# No policy but the expert looks at it.
_LAND: Any = None
_NOW = types.SimpleNamespace(observation={"x": np.zeros(2)}, first=[True, True])


class PoliciesTest(absltest.TestCase):
  def test_noop(self):
    actions = policies.Noop(3).act(_LAND, _NOW)
    np.testing.assert_array_equal(actions, [constants.NOOP_ACTION] * 3)

  def test_random_draws_every_head_uniformly(self):
    policy = policies.Random(200, seed=1)
    drawn = np.concatenate([policy.act(_LAND, _NOW) for _ in range(10)])
    self.assertEqual(drawn.shape, (2000, len(constants.ACTION_SIZES)))
    for head, size in enumerate(constants.ACTION_SIZES):
      counts = np.bincount(drawn[:, head], minlength=size)
      self.assertLen(counts, size)
      # Five standard deviations of a binomial count.
      spread = 5 * np.sqrt(2000 * (1 / size) * (1 - 1 / size))
      np.testing.assert_allclose(counts, 2000 / size, atol=spread)

  def test_random_follows_its_seed(self):
    one, same, other = (policies.Random(9, seed) for seed in (1, 1, 2))
    first = one.act(_LAND, _NOW)
    np.testing.assert_array_equal(first, same.act(_LAND, _NOW))
    self.assertFalse(np.array_equal(first, other.act(_LAND, _NOW)))
    self.assertFalse(np.array_equal(first, one.act(_LAND, _NOW)))

  def test_the_agent_carries_its_memory_and_never_reuses_a_key(self):
    asked = []

    def act(params, state, observation, first, key):
      asked.append((params, state, tuple(key)))
      self.assertIs(observation, _NOW.observation)
      self.assertIs(first, _NOW.first)
      return types.SimpleNamespace(action=np.full((2, 6), state)), state + 1

    actor: Any = types.SimpleNamespace(init=lambda n: 10 * n, act=act)
    agent = policies.Agent(actor, "params", num_envs=2, seed=0)
    done = [agent.act(_LAND, _NOW)[0, 0] for _ in range(3)]
    self.assertEqual(done, [20, 21, 22])
    self.assertEqual([state for _, state, _ in asked], [20, 21, 22])
    self.assertEqual({params for params, _, _ in asked}, {"params"})
    self.assertLen({key for *_, key in asked}, 3)

  def test_the_expert_asks_only_the_land(self):
    with absltest.mock.patch.object(policies.expert, "Expert") as made:
      policy = policies.Expert(3)
      environments = absltest.mock.create_autospec(land.Land, instance=True)
      result = policy.act(environments, _NOW)
    made.assert_called_once_with(3)
    made.return_value.act.assert_called_once_with(environments)
    self.assertIs(result, made.return_value.act.return_value)


if __name__ == "__main__":
  absltest.main()
