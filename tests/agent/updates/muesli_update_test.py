"""Tests of adaland.agent.updates.muesli_update."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import learner_config
from adaland.agent.learner import make_learner
from adaland.agent.muesli import categorical, muesli
from adaland.agent.updates import muesli_update
from tests.agent import fakes, learners


class TargetsTest(absltest.TestCase):
  def test_a_privileged_critic_is_the_baseline_and_nothing_else(self):
    batch = learners.batch()
    batch = batch._replace(
      observation={**batch.observation, "goal": np.zeros((4, 6))},
      privileged={"rules": np.zeros((4, 1, 14))},
    )
    rng = np.random.default_rng(1)
    logits = jnp.asarray(rng.normal(size=(*batch.mask.shape, fakes.NUM_BINS)))
    network = fakes.make_network(3)._replace(
      truth=lambda goal, rules: jnp.ones(2),
      critic=lambda params, output, truth: logits * truth[0],
    )
    params = network.init(jax.random.PRNGKey(0))

    def targets(weight):
      config = dataclasses.replace(
        learners.CONFIG,
        privileged=learner_config.PrivilegedConfig(critic_weight=weight),
      )
      made = muesli_update.targets(
        network,
        config,
        fakes.SIZES,
        params,
        batch,
        muesli.experience_of(batch, fakes.SIZES),
        jax.random.PRNGKey(1),
        jax.random.PRNGKey(2),
      )
      return made._asdict()

    without, told = targets(0.0), targets(1.0)
    np.testing.assert_allclose(
      told["value"],
      categorical.decode(logits, learners.CONFIG.muesli.value_range),
    )
    self.assertGreater(np.abs(told["value"] - without["value"]).min(), 0)
    for name in set(without) - {"value"}:
      np.testing.assert_array_equal(told[name], without[name], err_msg=name)


class ModelOffsetTest(absltest.TestCase):
  def test_every_offset_is_drawn(self):
    config = learner_config.MuesliConfig(model_every=4)
    keys = jax.random.split(jax.random.PRNGKey(0), 30)
    drawn = [int(muesli_update.model_offset(key, config)) for key in keys]
    self.assertEqual(set(drawn), set(range(4)))


class UpdateTest(absltest.TestCase):
  def test_both_networks_leave_out_the_same(self):
    config = dataclasses.replace(
      learners.CONFIG,
      muesli=dataclasses.replace(
        learners.CONFIG.muesli, behaviour_prior=0.0, uniform_prior=0.0
      ),
    )
    network = fakes.with_noise(fakes.make_network(3))
    learner = make_learner(network, config, fakes.SIZES)
    state = learner.init(jax.random.PRNGKey(0))
    # At first the networks are equal, and so are their policies.
    _, metrics = learner.update(state, learners.batch())
    np.testing.assert_allclose(metrics["kl_prior"], 0, atol=1e-6)


if __name__ == "__main__":
  absltest.main()
