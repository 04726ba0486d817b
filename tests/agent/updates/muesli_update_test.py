"""Tests of adaland.agent.updates.muesli_update."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import distributions, learner_config
from adaland.agent.learner import make_learner
from adaland.agent.muesli import categorical, model, muesli
from adaland.agent.updates import muesli_update
from tests.agent import fakes, learners


def _targets(network, config, params, batch):
  return muesli_update.targets(
    network,
    config,
    fakes.SIZES,
    params,
    batch,
    muesli.experience_of(batch, fakes.SIZES),
    jax.random.PRNGKey(1),
    jax.random.PRNGKey(2),
  )


class TargetsTest(parameterized.TestCase):
  def test_a_privileged_critic_is_the_baseline_and_nothing_else(self):
    batch = learners.batch()
    batch = batch._replace(
      observation={**batch.observation, "goal": np.zeros((4, 6))},
      privileged={"rules": np.zeros((4, 1, 14))},
    )
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(*batch.mask.shape, fakes.NUM_BINS))

    # In one program, what is computed twice is equal to the last bit.
    @jax.jit
    def run(batch, logits):
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
        return _targets(network, config, params, batch)._asdict()

      value = categorical.decode(logits, learners.CONFIG.muesli.value_range)
      return targets(0.0), targets(1.0), value

    without, told, value = jax.tree.map(np.asarray, run(batch, logits))
    np.testing.assert_allclose(told["value"], value)
    self.assertGreater(np.abs(told["value"] - without["value"]).min(), 0)
    for name in set(without) - {"value"}:
      np.testing.assert_array_equal(told[name], without[name], err_msg=name)

  @parameterized.parameters("sampled", "exact")
  def test_each_action_gets_its_own_q_value(self, cmpo):
    constants = dataclasses.replace(learners.CONFIG.muesli, cmpo=cmpo)
    config = dataclasses.replace(learners.CONFIG, muesli=constants)

    @jax.jit
    def run(batch):
      network = fakes.make_network(3)
      params = network.init(jax.random.PRNGKey(0))
      experience = muesli.experience_of(batch, fakes.SIZES)
      made = _targets(network, config, params, batch)
      output, _ = network.unroll(params, {}, batch.observation, batch.first)

      def q(actions):
        return model.look_ahead(network, params, output, actions, constants)

      actions = made.samples
      if cmpo == "exact":
        self.assertIsNone(actions)
        actions = distributions.all_actions(fakes.SIZES)
        actions = jnp.broadcast_to(actions, (*batch.mask.shape, *actions.shape))
      look = muesli.LookAhead(
        q(experience.action[:, :, None])[:, :, 0], made.samples, q(actions)
      )
      expected = jax.vmap(
        lambda e, prior, value, q: muesli.targets(
          e, prior, value, q, fakes.SIZES, constants
        )
      )(experience, made.prior, made.value, look)
      return made, expected

    made, expected = run(learners.batch())
    for name in ("returns", "advantages"):
      np.testing.assert_allclose(
        getattr(made, name), getattr(expected, name), rtol=1e-4, atol=1e-5
      )


class ModelOffsetTest(absltest.TestCase):
  def test_every_offset_is_drawn(self):
    config = learner_config.MuesliConfig(model_every=4)
    draw = functools.partial(muesli_update.model_offset, config=config)

    @jax.jit
    def draws():
      keys = jax.random.split(jax.random.PRNGKey(0), 30)
      return jax.vmap(draw)(keys)

    self.assertEqual(set(np.asarray(draws()).tolist()), set(range(4)))


class UpdateTest(absltest.TestCase):
  def test_means_and_scale_are_of_the_steps_that_count(self):
    # Nothing but the model's offset is drawn.
    constants = dataclasses.replace(
      learners.CONFIG.muesli, cmpo="none", returns="vtrace"
    )
    config = dataclasses.replace(learners.CONFIG, muesli=constants)
    learner, batch = learners.learner(config), learners.batch()
    network = fakes.make_network(3)

    @jax.jit
    def expected(state, offset):
      """Returns the targets, and metrics by the formulas."""
      experience = muesli.experience_of(batch, fakes.SIZES)
      target = muesli_update.targets(
        network,
        config,
        fakes.SIZES,
        state.target_params,
        batch,
        experience,
        jax.random.PRNGKey(0),
        jax.random.PRNGKey(0),
      )
      complete = target.complete.astype(jnp.float32)
      error = target.action_returns - target.value
      moment = jnp.sum(complete * jnp.square(error)) / complete.sum()
      sigma = jnp.sqrt(moment + constants.variance_epsilon)
      output, _ = network.unroll(
        state.params, {}, batch.observation, batch.first
      )
      predictions = model.unroll_model(
        network, state.params, output, experience.action, constants, offset
      )
      parts = jax.vmap(
        lambda p, t, e: muesli.losses(p, t, e, sigma, fakes.SIZES, constants)
      )(predictions, target, experience)
      kl = distributions.kl(
        target.prior, distributions.log_probs(output.policy_logits, fakes.SIZES)
      )
      num_steps = batch.mask.sum()
      return (
        complete,
        moment,
        {
          "advantage_std": sigma,
          "return": jnp.sum(complete * target.returns) / complete.sum(),
          "kl_prior": jnp.sum(kl * batch.mask) / num_steps,
        }
        | {f"loss/{k}": jnp.sum(x) / num_steps for k, x in parts.items()},
      )

    @jax.jit
    def drawn_offset(rng_key):
      _, _, offset_key = jax.random.split(rng_key, 3)
      return muesli_update.model_offset(offset_key, constants)

    offsets = set()
    for seed in range(6):
      state = learner.init(jax.random.PRNGKey(seed))
      state = state._replace(
        params=jax.tree.map(lambda x: 1.5 * np.asarray(x), state.target_params)
      )
      before = jax.tree.map(np.array, state)
      offset = drawn_offset(before.rng_key)
      state, metrics = learner.update(state, batch)
      self.assertFalse(np.array_equal(state.rng_key, before.rng_key))
      if int(offset) in offsets:
        continue
      offsets.add(int(offset))
      complete, moment, wanted = jax.tree.map(
        np.asarray, expected(before, offset)
      )
      self.assertLess(complete.sum(), batch.mask.sum())
      for name, value in wanted.items():
        np.testing.assert_allclose(
          metrics[name], value, rtol=1e-4, err_msg=name
        )
      np.testing.assert_allclose(
        state.scale.moment, (1 - constants.variance_decay) * moment, rtol=1e-4
      )
    self.assertEqual(offsets, {0, 1})

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
