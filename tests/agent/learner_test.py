import dataclasses
import functools
import os
import pathlib
import pickle
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from adaland.agent import distributions, learner_config
from adaland.agent.learner import make_learner
from adaland.agent.muesli import model, muesli
from tests.agent import fakes

_CONFIG = learner_config.LearnerConfig(
  learning_rate=1e-3,
  muesli=muesli.MuesliConfig(
    num_samples=4, model_steps=2, model_every=2, value_range=10.0
  ),
)


@functools.cache
def _learner(
  config: learner_config.LearnerConfig = _CONFIG,
  devices: tuple[jax.Device, ...] | None = None,
):
  """Returns a learner, which all tests share: to trace one takes seconds."""
  return make_learner(fakes.make_network(3), config, fakes.SIZES, devices)


def _batch(rows: int = 4, seed: int = 0):
  return fakes.make_batch(np.random.default_rng(seed), rows, 6, 3)


class ModelTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.network = fakes.make_network(3)
    self.params = self.network.init(jax.random.PRNGKey(0))
    self.batch = _batch(2)
    self.output, _ = self.network.unroll(
      self.params, {}, self.batch.observation, self.batch.first
    )
    self.actions = distributions.one_hot(self.batch.action, fakes.SIZES)

  def _model(self, b, t, actions):
    """Follows actions from one state; the last step's reward and value."""
    reward = policy = value = np.zeros([])
    h, c = self.output.model_hidden[b, t], self.output.model_cell[b, t]
    for action in actions:
      h, c, reward, policy, value = self.network.model_step(
        self.params, h, c, action
      )
    return reward, policy, value

  def _unroll(self, model_steps, model_every, offset):
    config = muesli.MuesliConfig(
      model_steps=model_steps, model_every=model_every
    )
    return model.unroll_model(
      self.network,
      self.params,
      self.output,
      self.actions,
      config,
      jnp.asarray(offset),
    )

  def test_unrolled_along_the_actions_taken(self):
    predictions = self._unroll(model_steps=3, model_every=2, offset=1)
    np.testing.assert_array_equal(
      predictions.value_logits, self.output.value_logits
    )
    assert predictions.near is not None
    assert predictions.far is not None
    np.testing.assert_array_equal(predictions.near.starts[0], range(6))
    np.testing.assert_array_equal(predictions.far.starts, [[1, 3, 5]] * 2)
    for b, t in ((0, 1), (1, 3)):
      for i in (1, 2, 3):
        part, at = (
          (predictions.near, (b, t, 0))
          if i == 1
          else (predictions.far, (b, t // 2, i - 2))
        )
        got = (
          part.reward_logits[at],
          part.policy_logits[at],
          part.value_logits[at],
        )
        wanted = self._model(b, t, self.actions[b, t : t + i])
        for x, y in zip(got, wanted, strict=True):
          np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)

  def test_model_longer_than_the_unroll(self):
    predictions = self._unroll(model_steps=9, model_every=4, offset=3)
    assert predictions.far is not None
    self.assertEqual(
      predictions.far.reward_logits.shape, (2, 2, 8, fakes.NUM_BINS)
    )

  def test_a_model_of_one_step_looks_no_further(self):
    self.assertIsNone(self._unroll(1, 1, 0).far)

  def test_without_a_model_nothing_is_predicted_ahead(self):
    config = muesli.MuesliConfig(model=False, returns="vtrace", cmpo="none")
    predictions = model.unroll_model(
      self.network,
      self.params,
      self.output,
      self.actions,
      config,
      jnp.asarray(0),
    )
    self.assertIsNone(predictions.near)
    self.assertIsNone(predictions.far)

  def test_all_actions_are_asked_about_in_order(self):
    config = muesli.MuesliConfig(gamma=0.9, value_range=10.0)
    q = model.look_at_all(
      self.network, self.params, self.output, fakes.SIZES, config
    )
    self.assertEqual(q.shape, (2, 6, 6))
    asked = distributions.one_hot(np.array([[2, 1]]), fakes.SIZES)
    asked = jnp.broadcast_to(asked, (2, 6, 1, 5))
    one = model.look_ahead(
      self.network, self.params, self.output, asked, config
    )
    # Of heads of 3 and 2, (2, 1) is the last.
    np.testing.assert_allclose(q[:, :, 5], one[:, :, 0], rtol=1e-5)

  def test_q_is_reward_plus_discounted_value(self):
    config = muesli.MuesliConfig(gamma=0.9, value_range=10.0)
    asked = jnp.stack([self.actions, self.actions[:, ::-1]], axis=2)
    q = model.look_ahead(self.network, self.params, self.output, asked, config)
    bins = np.linspace(-10, 10, fakes.NUM_BINS)

    def scalar(logits):
      h = np.dot(np.asarray(jax.nn.softmax(logits), np.float64), bins)
      # Solved from h = √(x + 1) - 1 + 0.001 x by a quadratic in √(x + 1).
      u = (np.sqrt(1 + 0.004 * (1.001 + abs(h))) - 1) / 0.002
      return np.sign(h) * (u * u - 1)

    for b, t, k in ((0, 0, 0), (0, 3, 1), (1, 5, 1)):
      reward, _, value = self._model(b, t, asked[b, t, k : k + 1])
      np.testing.assert_allclose(
        q[b, t, k], scalar(reward) + 0.9 * scalar(value), rtol=1e-4
      )


class ImitationTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    config = dataclasses.replace(
      _CONFIG,
      final_rate=0.5,
      privileged=learner_config.PrivilegedConfig(
        distillation_weight=2.0,
        distillation_alone=0.25,
        distillation_share=0.75,
      ),
    )
    self.learner = _learner(config)
    batch = _batch()
    label = np.zeros_like(batch.action)
    label[:, 0] = -1  # There is none at the first step.
    self.batch = batch._replace(privileged={"label": label})

  def update(self, progress):
    """Returns how far each parameter moved, and the metrics."""
    state = self.learner.init(jax.random.PRNGKey(0))
    before = jax.tree_util.tree_map(np.array, state.params)
    state, metrics = self.learner.update(state, self.batch, progress)
    moved = {
      name: float(np.abs(state.params[name] - old).max())
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
    learner = _learner(dataclasses.replace(_CONFIG, privileged=privileged))
    state = jax.eval_shape(learner.init, jax.random.PRNGKey(0))
    _, metrics = jax.eval_shape(
      lambda state, batch: learner.update(state, batch, 1.0), state, self.batch
    )
    self.assertIn("loss/distillation", metrics)
    self.assertNotIn("loss/value", metrics)

  def test_then_it_gives_way_to_muesli(self):
    parts = ("policy_gradient", "cmpo", "model_policy")
    config = _CONFIG.muesli
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

  def test_the_rate_falls_with_the_run(self):
    # The first step of Adam is the learning rate, whatever the gradient.
    for progress, rate in ((0.0, 1e-3), (0.5, 0.75e-3), (1.0, 0.5e-3)):
      moved, _ = self.update(progress)
      np.testing.assert_allclose(moved["policy"], rate, rtol=1e-2)


class LearnerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.learner = _learner()

  def test_update_follows_the_loss_and_the_target_follows_it(self):
    state = self.learner.init(jax.random.PRNGKey(0))
    before = jax.tree_util.tree_map(np.array, state.params)
    state, metrics = self.learner.update(state, _batch())
    for name, old in before.items():
      # The first step of Adam is the learning rate, whatever the gradient.
      step = np.abs(state.params[name] - old).max()
      np.testing.assert_allclose(step, 1e-3, rtol=1e-2, err_msg=name)
      np.testing.assert_allclose(
        state.target_params[name],
        0.9 * old + 0.1 * state.params[name],
        atol=1e-6,
      )
    self.assertEqual(state.updates, 1)
    self.assertEqual(state.scale.count, 1)
    for name, value in metrics.items():
      self.assertEqual(value.shape, (), name)
      self.assertTrue(np.isfinite(value), name)

  def test_the_same_state_and_batch_give_the_same_update(self):
    results = []
    for _ in range(2):
      state = self.learner.init(jax.random.PRNGKey(0))
      for seed in range(3):
        state, metrics = self.learner.update(state, _batch(seed=seed))
      results.append(jax.device_get((state, metrics)))
    jax.tree_util.tree_map(np.testing.assert_array_equal, *results)

  def test_padding_has_no_say(self):
    def run(garbage: float):
      batch = _batch()
      padding = batch.mask == 0
      self.assertTrue(padding.any())
      batch.observation["x"][padding] += garbage
      batch.reward[padding] += garbage
      batch.behaviour_logits[padding] *= 3.0
      batch.action[padding] = 1
      state = self.learner.init(jax.random.PRNGKey(0))
      return jax.device_get(self.learner.update(state, batch))

    jax.tree_util.tree_map(np.testing.assert_array_equal, run(0.0), run(100.0))

  def test_means_are_over_real_steps(self):
    batch = _batch()
    state = self.learner.init(jax.random.PRNGKey(0))
    _, metrics = self.learner.update(state, batch)
    real = batch.mask == 1
    np.testing.assert_allclose(
      metrics["reward"], batch.reward[real].mean(), rtol=1e-5
    )

  def test_fits_one_batch(self):
    """Rewards and, at the episodes' last steps, values are learned."""
    learner = _learner(dataclasses.replace(_CONFIG, learning_rate=1e-2))
    state = learner.init(jax.random.PRNGKey(0))
    state, metrics = learner.update(state, _batch(2))
    first = jax.device_get(metrics)
    for _ in range(150):
      state, metrics = learner.update(state, _batch(2))
    self.assertLess(metrics["loss/reward"], 0.5 * first["loss/reward"])
    # Its targets move, and two-hot targets have entropy of their own.
    self.assertLess(metrics["loss/value"], 0.65 * first["loss/value"])

  def test_two_devices_do_what_one_does(self):
    root = pathlib.Path(__file__).resolve().parents[2]
    path = self.create_tempfile().full_path
    program = f"import tests.agent.learner_test as t; t.use_two({path!r})"
    subprocess.run(
      [sys.executable, "-c", program],
      cwd=root,
      env=os.environ
      | {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "PYTHONPATH": str(root),
      },
      check=True,
    )
    state, metrics = _two_updates(self.learner)
    jax.tree_util.tree_map(
      lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-5),
      pickle.loads(pathlib.Path(path).read_bytes()),
      jax.device_get((state.params, metrics)),
    )


def _two_updates(learner):
  """Returns the state and the metrics after two updates."""
  state, metrics = learner.init(jax.random.PRNGKey(0)), {}
  for seed in range(2):
    state, metrics = learner.update(state, _batch(seed=seed))
  return state, metrics


def use_two(path: str) -> None:
  """Runs in a process that has two CPU devices; writes what they learned."""
  learner = _learner(devices=tuple(jax.local_devices()))
  state, metrics = _two_updates(learner)
  assert len(state.updates.devices()) == 2
  pathlib.Path(path).write_bytes(
    pickle.dumps(jax.device_get((state.params, metrics)))
  )
  with pytest.raises(ValueError, match=r"batch size 3: .* of the 2 devices"):
    learner.update(state, _batch(3))


class AlgorithmsTest(parameterized.TestCase):
  @parameterized.parameters(
    ("muesli", {"cmpo": "exact"}, {"cmpo", "model_policy", "reward"}),
    ("muesli", {"cmpo": "none", "returns": "vtrace"}, {"reward"}),
    (
      "muesli",
      {"model": False, "cmpo": "none", "returns": "vtrace"},
      set(),
    ),
    ("ppo", {}, {"policy", "entropy"}),
    ("vtrace", {}, {"policy", "entropy"}),
  )
  def test_what_is_learned(self, algorithm, switches, parts):
    config = dataclasses.replace(
      _CONFIG,
      algorithm=algorithm,
      muesli=dataclasses.replace(_CONFIG.muesli, **switches),
    )
    learner = make_learner(fakes.make_network(3), config, fakes.SIZES)
    state = learner.init(jax.random.PRNGKey(0))
    before = jax.tree.map(np.array, state.params)
    state, metrics = learner.update(state, _batch())
    for name, value in metrics.items():
      self.assertTrue(np.isfinite(value), name)
    names = {x.removeprefix("loss/") for x in metrics if x.startswith("loss/")}
    if algorithm == "muesli":
      parts = parts | {"policy_gradient"}
    self.assertEqual(names, parts | {"value", "total"})
    moved = {n for n, old in before.items() if np.any(state.params[n] != old)}
    learned = {"torso", "policy", "value"}
    if "reward" in parts:
      learned |= {"model", "action", "reward"}
    self.assertEqual(moved, learned)
    for name, new in state.params.items():
      target = np.asarray(state.target_params[name])
      if algorithm == "muesli":
        old = before[name]
        np.testing.assert_allclose(target, 0.9 * old + 0.1 * new, atol=1e-6)
      else:
        # The network that learns is the one that acts.
        np.testing.assert_array_equal(target, new)


class StateTest(absltest.TestCase):
  def test_is_a_pytree_of_arrays(self):
    learner = _learner()
    state = learner.init(jax.random.PRNGKey(0))
    self.assertTrue(
      all(isinstance(x, jax.Array) for x in jax.tree_util.tree_leaves(state))
    )


if __name__ == "__main__":
  absltest.main()
