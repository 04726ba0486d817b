"""Tests of adaland.agent.updates.proxy_update."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import learner_config, optimizers, types
from adaland.agent.learner import make_learner
from adaland.agent.muesli import muesli
from adaland.agent.updates import muesli_update, proxy_update
from tests.agent import fakes

_CONFIG = learner_config.LearnerConfig(
  learning_rate=1e-2,
  muesli=muesli.MuesliConfig(num_samples=4, model_steps=1, value_range=10.0),
  proxy=learner_config.ProxyConfig(share=0.5, noise=0.0),
)


def _batch(seed: int = 0) -> types.Unroll:
  rng = np.random.default_rng(seed)
  batch = fakes.make_batch(rng, 4, 6, 3)
  rules = np.zeros([4, 3, 14], np.int32)
  for row in range(4):
    rules[row, :row] = 1
  observation = batch.observation | {"rules": rules[:, :3]}
  return batch._replace(observation=observation)


def _recording(
  network: types.Network, memories: list[tuple[str, ...]]
) -> types.Network:
  """Returns the network; its unrolls add their memory's names to a list."""

  def unroll(params, memory, *args):
    memories.append(tuple(memory))
    return network.unroll(params, memory, *args)

  return network._replace(unroll=unroll)


def _keys(state):
  """Returns the keys that score and choose the next batch."""
  return jax.random.split(jax.random.fold_in(state.proxy.rng_key, 1))


class ChooseTest(absltest.TestCase):
  def test_without_noise_the_best_are_chosen(self):
    scores = jnp.array([0.3, -1.0, 5.0, 0.2])
    rows = proxy_update.choose(jax.random.PRNGKey(0), scores, 2, 0.0)
    self.assertEqual(set(np.asarray(rows).tolist()), {0, 2})

  def test_with_noise_the_best_are_likelier(self):
    scores = jnp.array([0.0, 0.0, 0.0, 1.0])
    keys = jax.random.split(jax.random.PRNGKey(0), 2000)
    # Standardised, the scores are -0.577 and 1.732.
    z = np.array([-0.577, -0.577, -0.577, 1.732])
    for noise in (1.0, 3.0):
      rows = jax.vmap(
        lambda key, noise=noise: proxy_update.choose(key, scores, 1, noise)
      )(keys)
      share = np.bincount(np.asarray(rows).ravel(), minlength=4) / 2000
      odds = np.exp(z / noise)
      np.testing.assert_allclose(share, odds / odds.sum(), atol=0.03)

  def test_at_least_one_is_chosen(self):
    config = learner_config.ProxyConfig(share=0.1)
    self.assertEqual(proxy_update.num_chosen(config, 4), 1)
    self.assertEqual(proxy_update.num_chosen(config, 32), 3)

  def test_a_share_is_no_row_short(self):
    for share, rows, chosen in ((0.29, 100, 29), (0.58, 50, 29)):
      config = learner_config.ProxyConfig(share=share)
      self.assertEqual(proxy_update.num_chosen(config, rows), chosen)


class LearnabilityTest(absltest.TestCase):
  def test_is_the_loss_of_values_and_rewards_that_was_saved(self):
    config = dataclasses.replace(
      _CONFIG,
      muesli=dataclasses.replace(
        _CONFIG.muesli, value_weight=2.0, reward_weight=5.0
      ),
    )
    proxy, batch = fakes.make_network(3), _batch()
    optimizer = optimizers.make_optimizer(config)
    state = proxy_update.initial_state(
      proxy, proxy, optimizer, jax.random.PRNGKey(0)
    ).proxy
    state = state._replace(params=jax.tree.map(lambda x: 1.5 * x, state.params))
    rng_key = jax.random.PRNGKey(1)
    experience = muesli.experience_of(batch, fakes.SIZES)
    target = jax.jit(
      lambda params: muesli_update.targets(
        proxy,
        config,
        fakes.SIZES,
        params,
        batch,
        experience,
        *jax.random.split(rng_key),
      )
    )(state.target_params)

    @jax.jit
    def loss(params, unrolls, steps, goals):
      """Returns the weighted loss of one unroll, a mean over real steps."""
      _, (parts, _) = muesli_update.loss(
        params,
        proxy,
        config,
        fakes.SIZES,
        unrolls,
        steps,
        goals,
        jnp.ones([]),
        jnp.zeros([], jnp.int32),
        jnp.zeros([]),
        rng_key,
      )
      return 2.0 * parts["value"] + 5.0 * parts["reward"]

    scores = jax.jit(
      lambda state: proxy_update.learnability(
        proxy, config, fakes.SIZES, state, batch, rng_key
      )
    )(state)
    rows = jax.device_get((batch, experience, target))
    for row, score in enumerate(np.asarray(scores)):
      one = jax.tree.map(lambda x, row=row: x[row : row + 1], rows)
      saved = loss(state.target_params, *one) - loss(state.params, *one)
      np.testing.assert_allclose(score, saved, rtol=1e-3, atol=1e-4)


class UpdateTest(absltest.TestCase):
  def test_the_large_agent_learns_from_what_the_small_one_chose(self):
    proxy = fakes.make_network(3)
    network = fakes.make_network(3)
    learner = make_learner(network, _CONFIG, fakes.SIZES, proxy=proxy)
    state = learner.init(jax.random.PRNGKey(0))
    # Nothing has been learned yet: all unrolls score the same.
    score = jax.jit(
      lambda s, batch: proxy_update.learnability(
        proxy, _CONFIG, fakes.SIZES, s.proxy, batch, _keys(s)[0]
      )
    )
    np.testing.assert_allclose(score(state, _batch()), 0, atol=1e-6)
    for seed in range(3):
      state, _ = learner.update(state, _batch(seed))
    scores = np.asarray(score(state, _batch()))
    # By now the small agent is ahead of its moving average.
    self.assertGreater(scores.mean(), 0)
    self.assertGreater(scores.std(), 0)

    # Copies: the update reuses the state's buffers.
    before = jax.tree.map(np.array, state)
    rows = np.asarray(
      proxy_update.choose(_keys(before)[1], jnp.asarray(scores), 2, 0.0)
    )
    state, metrics = learner.update(state, _batch())
    self.assertGreaterEqual(
      metrics["proxy/learnability_chosen"], metrics["proxy/learnability_of_all"]
    )
    self.assertEqual(metrics["proxy/rules_of_all"], 1.5)
    self.assertEqual(metrics["proxy/rules_chosen"], rows.mean())
    whole = dataclasses.replace(
      _CONFIG, proxy=learner_config.ProxyConfig(share=1.0)
    )
    plain = make_learner(network, whole, fakes.SIZES)
    alone = plain.load(before._replace(proxy=None))
    part = jax.tree.map(lambda x: x[rows], _batch())
    alone, _ = plain.update(alone, part)
    for name, value in alone.params.items():
      np.testing.assert_allclose(state.params[name], value, atol=1e-5)
    # The small agent learns from the same unrolls.
    small, _ = plain.update(plain.load(before.proxy), part)
    for name, value in small.params.items():
      np.testing.assert_allclose(state.proxy.params[name], value, atol=1e-5)

  def test_the_small_agent_gets_neither_memory_nor_privileges(self):
    small, large = [], []
    # Calls of the small network's truth or critic raise.
    proxy = _recording(fakes.make_network(3), small)
    network = _recording(fakes.make_network(3), large)._replace(
      truth=lambda goal, rules: jnp.ones([4, 2]),
      critic=lambda params, output, truth: jnp.asarray(output.value_logits),
    )
    config = dataclasses.replace(
      _CONFIG, privileged=learner_config.PrivilegedConfig(critic_weight=1.0)
    )
    batch = _batch()
    batch = batch._replace(
      observation=batch.observation | {"goal": np.zeros([4, 6], np.int32)},
      initial_memory={"steps": np.zeros([4, 2], np.float32)},
      privileged={"rules": np.zeros([4, 1, 14], np.int32)},
    )
    optimizer = optimizers.make_optimizer(config)

    def update(rng_key):
      state = proxy_update.initial_state(network, proxy, optimizer, rng_key)
      return proxy_update.update(
        network,
        optimizer,
        config,
        fakes.SIZES,
        state,
        batch,
        jnp.zeros([]),
        proxy=proxy,
      )

    _, metrics = jax.eval_shape(update, jax.random.PRNGKey(0))
    self.assertIn("loss/critic", metrics)
    self.assertEqual(set(small), {()})
    self.assertEqual(set(large), {("steps",)})


if __name__ == "__main__":
  absltest.main()
