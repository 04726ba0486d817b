"""Tests of adaland.agent.updates.actor_critic_update."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import distributions, learner_config
from adaland.agent.actor_critic import actor_critic
from adaland.agent.muesli import muesli
from adaland.agent.updates import actor_critic_update
from tests.agent import fakes, learners

_CONFIG = dataclasses.replace(
  learners.CONFIG,
  algorithm="ppo",
  actor_critic=learner_config.ActorCriticConfig(
    value_weight=0.25, entropy_weight=0.5
  ),
)


class ActorCriticUpdateTest(absltest.TestCase):
  def test_the_total_is_weighted_and_rewards_entropy(self):
    learner = learners.learner(_CONFIG)
    state = learner.init(jax.random.PRNGKey(0))
    rng_key = np.array(state.rng_key)
    state, metrics = learner.update(state, learners.batch())
    self.assertFalse(np.array_equal(state.rng_key, rng_key))
    loss = {name: float(x) for name, x in metrics.items()}
    self.assertGreater(loss["entropy"], 0.1)
    np.testing.assert_allclose(
      loss["loss/entropy"], -loss["entropy"], rtol=1e-5
    )
    np.testing.assert_allclose(
      loss["loss/total"],
      loss["loss/policy"]
      + 0.25 * loss["loss/value"]
      + 0.5 * loss["loss/entropy"],
      rtol=1e-5,
    )

  def test_distillation_takes_weight_from_policy_and_entropy_alone(self):
    privileged = learner_config.PrivilegedConfig(
      distillation_weight=2.0, distillation_share=0.5
    )
    learner = learners.learner(
      dataclasses.replace(_CONFIG, privileged=privileged)
    )
    batch = learners.batch()
    batch = batch._replace(privileged={"label": np.zeros_like(batch.action)})
    state = learner.init(jax.random.PRNGKey(0))
    _, metrics = learner.update(state, batch, 0.25)
    loss = {name: float(x) for name, x in metrics.items()}
    self.assertGreater(loss["loss/distillation"], 0.1)
    np.testing.assert_allclose(
      loss["loss/total"],
      0.5 * loss["loss/policy"]
      + 0.5 * 0.5 * loss["loss/entropy"]
      + 0.25 * loss["loss/value"]
      + 0.5 * 2.0 * loss["loss/distillation"],
      rtol=1e-5,
    )

  def test_observations_are_left_out_at_random(self):
    learners.trace_with_noise(
      actor_critic_update.update, _CONFIG, learners.batch()
    )

  def test_ppo_s_advantages_are_normalised_and_returns_are_not(self):
    experience = muesli.experience_of(learners.batch(), fakes.SIZES)
    rng = np.random.default_rng(1)
    log_pi = distributions.log_probs(
      jnp.asarray(rng.normal(size=experience.behaviour.shape)), fakes.SIZES
    )
    value = jnp.asarray(rng.normal(size=experience.reward.shape))
    target = actor_critic_update.targets(_CONFIG, experience, log_pi, value)
    complete = np.asarray(target.complete, bool)
    self.assertFalse(complete.all())
    advantages = np.asarray(target.advantages)
    self.assertFalse(advantages[~complete].any())
    counted = advantages[complete]
    np.testing.assert_allclose(counted.mean(), 0.0, atol=1e-6)
    np.testing.assert_allclose(np.square(counted).mean(), 1.0, rtol=1e-5)
    for row in range(len(complete)):
      one = jax.tree.map(lambda x, row=row: x[row], experience)
      alone = actor_critic.targets(
        "ppo",
        one,
        log_pi[row],
        value[row],
        _CONFIG.muesli.gamma,
        _CONFIG.actor_critic,
      )
      np.testing.assert_allclose(
        target.returns[row], alone.returns, rtol=1e-5, atol=1e-6
      )


if __name__ == "__main__":
  absltest.main()
