"""Tests that the whole agent learns, on tasks of a few seconds."""

import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent import learner_config
from adaland.agent.muesli import muesli
from tests.agent import toys

_ENVS = 32
# As many steps as the other task, so that both have the same programs.
_TRIALS = toys.Delay.num_steps // 2
# The target network follows quickly because these runs have few updates.
_CONFIG = learner_config.LearnerConfig(
  learning_rate=2e-3,
  target_rate=0.3,
  muesli=muesli.MuesliConfig(num_samples=4, model_steps=2, value_range=10.0),
)


def _bandit(memory: str) -> np.ndarray:
  """Returns the mean reward of each trial over the last 20 updates."""
  outcome = toys.train(
    toys.Bandit(_ENVS, _TRIALS, seed=0),
    toys.network_of(memory),
    _CONFIG,
    updates=200,
    seed=0,
  )
  rewards = outcome.rewards[-20:].mean(axis=0)
  return rewards.reshape(_TRIALS, 2).sum(axis=1)


@pytest.mark.once
@pytest.mark.optimized
class LearningTest(absltest.TestCase):
  def test_finds_and_exploits_the_arm_that_pays(self):
    trials = _bandit("transformer_xl")
    # Before the first pull nothing is known about the arm, after it everything.
    self.assertBetween(trials[0], 0.4, 0.6)
    self.assertGreater(trials[1:].mean(), 0.9)

  def test_without_memory_there_is_nothing_to_exploit(self):
    trials = _bandit("none")
    self.assertBetween(trials[1:].mean(), 0.4, 0.6)

  def test_reward_reaches_back_five_steps(self):
    outcome = toys.train(
      toys.Delay(_ENVS, seed=0),
      toys.network_of("transformer_xl"),
      _CONFIG,
      updates=200,
      seed=0,
    )
    rewards = outcome.rewards.sum(axis=1)
    # 1/6 by chance, 1/3 or 1/2 if only one of the two heads was learned.
    self.assertBetween(rewards[:20].mean(), 0.1, 0.25)
    self.assertGreater(rewards[-20:].mean(), 0.8)
    # The value of an episode's start, learned from its end.
    self.assertGreater(outcome.metrics[-1]["value"], 0.5)


if __name__ == "__main__":
  absltest.main()
