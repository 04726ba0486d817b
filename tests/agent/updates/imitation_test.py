"""Tests of updates that imitate a teacher."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import distributions, learner_config, optimizers
from adaland.agent.muesli import model
from adaland.agent.updates import imitation, train_state
from tests.agent import fakes, learners


class ImitationTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    config = dataclasses.replace(
      learners.CONFIG,
      final_rate=0.2,
      privileged=learner_config.PrivilegedConfig(
        distillation_weight=2.0,
        distillation_alone=0.25,
        distillation_share=0.75,
      ),
    )
    self.learner = learners.learner(config)
    batch = learners.batch()
    label = np.zeros_like(batch.action)
    label[:, 0] = -1  # The first step has no label.
    self.batch = batch._replace(privileged={"label": label})

  def update(self, progress):
    """Returns how far each parameter moved, and the metrics."""
    state = self.learner.init(jax.random.PRNGKey(0))
    before = jax.tree_util.tree_map(np.array, state.params)
    state, metrics = self.learner.update(state, self.batch, progress)
    moved = {
      name: float(np.abs(np.asarray(state.params[name]) - old).max())
      for name, old in before.items()
    }
    return moved, metrics

  def test_alone_the_policy_learns_and_nothing_of_muesli_is_computed(self):
    moved, metrics = self.update(0.0)
    for name in ("torso", "policy"):
      self.assertGreater(moved[name], 0, name)
    for name in ("model", "action", "value", "reward"):
      self.assertEqual(moved[name], 0, name)
    self.assertNotIn("loss/value", metrics)
    loss = float(metrics["loss/distillation"])
    np.testing.assert_allclose(metrics["loss/total"], 2.0 * loss, rtol=1e-5)

  def test_it_may_be_alone_to_the_end(self):
    privileged = learner_config.PrivilegedConfig(
      distillation_weight=1.0, distillation_alone=1.0, distillation_share=1.0
    )
    learner = learners.learner(
      dataclasses.replace(learners.CONFIG, privileged=privileged)
    )
    state = jax.eval_shape(learner.init, jax.random.PRNGKey(0))
    _, metrics = jax.eval_shape(
      lambda state, batch: learner.update(state, batch, 1.0), state, self.batch
    )
    self.assertIn("loss/distillation", metrics)
    self.assertNotIn("loss/value", metrics)

  def test_then_it_gives_way_to_muesli(self):
    parts = ("policy_gradient", "cmpo", "model_policy")
    config = learners.CONFIG.muesli
    for progress, share in ((0.25, 0.0), (0.5, 0.5), (0.9, 1.0)):
      _, metrics = self.update(progress)
      policy = sum(
        getattr(config, f"{name}_weight") * float(metrics[f"loss/{name}"])
        for name in parts
      )
      expected = (
        share * policy
        + config.reward_weight * float(metrics["loss/reward"])
        + config.value_weight * float(metrics["loss/value"])
        + (1 - share) * 2.0 * float(metrics["loss/distillation"])
      )
      np.testing.assert_allclose(
        metrics["loss/total"], expected, rtol=1e-4, err_msg=str(progress)
      )

  def test_an_agent_teaches_the_model_too(self):
    policy = np.zeros_like(self.batch.behaviour_logits)
    policy[:, 1:] = np.log([0.2, 0.3, 0.5, 0.9, 0.1])
    self.batch = self.batch._replace(privileged={"teacher": policy})
    moved, metrics = self.update(0.0)
    for name in ("torso", "policy", "model", "action"):
      self.assertGreater(moved[name], 0, name)
    for name in ("value", "reward"):
      self.assertEqual(moved[name], 0, name)
    self.assertGreater(float(metrics["loss/distillation"]), 0)

  def test_an_agent_teaches_no_model_that_the_algorithm_lacks(self):
    config = dataclasses.replace(
      learners.CONFIG,
      algorithm="ppo",
      privileged=learner_config.PrivilegedConfig(
        distillation_weight=2.0, distillation_alone=0.25
      ),
    )
    self.learner = learners.learner(config)
    policy = np.zeros_like(self.batch.behaviour_logits)
    policy[:, 1:] = np.log([0.2, 0.3, 0.5, 0.9, 0.1])
    self.batch = self.batch._replace(privileged={"teacher": policy})
    moved, _ = self.update(0.0)
    for name in ("torso", "policy"):
      self.assertGreater(moved[name], 0, name)
    for name in ("model", "action", "value", "reward"):
      self.assertEqual(moved[name], 0, name)

  def test_observations_are_left_out_at_random(self):
    config = dataclasses.replace(
      learners.CONFIG,
      privileged=learner_config.PrivilegedConfig(distillation_weight=1.0),
    )
    learners.trace_with_noise(imitation.imitate, config, self.batch)

  def test_each_update_has_its_own_key_and_offset_and_means_of_real_steps(self):
    network = fakes.make_network(3)
    config = dataclasses.replace(
      learners.CONFIG,
      privileged=learner_config.PrivilegedConfig(distillation_weight=1.0),
    )
    optimizer = optimizers.make_optimizer(config)
    policy = np.log(np.full_like(self.batch.behaviour_logits, 0.25))
    batch = self.batch._replace(privileged={"teacher": policy})
    real = batch.mask == 1
    self.assertFalse(real.all())

    @jax.jit
    def update(state, batch):
      """Returns the next state, metrics, entropies, keys and offsets."""
      keys, offsets = [], []

      def unroll(params, memory, observation, first, rng_key):
        keys.append(rng_key)
        return network.unroll(params, memory, observation, first)

      def unroll_model(network, params, output, actions, constants, offset):
        offsets.append(offset)
        return model.without_model(output)

      output, _ = network.unroll(
        state.params, {}, batch.observation, batch.first
      )
      entropy = distributions.entropy(
        distributions.log_probs(output.policy_logits, fakes.SIZES)
      )
      with absltest.mock.patch.object(
        imitation.model, "unroll_model", unroll_model
      ):
        state, metrics = imitation.imitate(
          network._replace(unroll=unroll),
          optimizer,
          config,
          fakes.SIZES,
          state,
          batch,
          jnp.zeros([]),
        )
      return state, metrics, entropy, keys, offsets

    all_keys, all_offsets = [], []
    state = jax.jit(
      functools.partial(train_state.initial_state, network, optimizer)
    )(jax.random.PRNGKey(0))
    for _ in range(3):
      state, metrics, entropy, keys, offsets = update(state, batch)
      all_keys += [tuple(np.asarray(key)) for key in keys]
      all_offsets += map(int, offsets)
      for name, value in (("entropy", entropy), ("reward", batch.reward)):
        np.testing.assert_allclose(
          metrics[name], np.asarray(value)[real].mean(), rtol=1e-4
        )
    self.assertLen(set(all_keys), 3)
    self.assertEqual(all_offsets, [0, 1, 0])

  def test_the_rate_falls_with_the_run(self):
    # The first step of Adam is the learning rate, whatever the gradient.
    for progress, rate in ((0.0, 1e-3), (0.5, 0.6e-3), (1.0, 0.2e-3)):
      moved, _ = self.update(progress)
      np.testing.assert_allclose(moved["policy"], rate, rtol=1e-2)


if __name__ == "__main__":
  absltest.main()
