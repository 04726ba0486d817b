"""Tests of adaland.agent.learner."""

import dataclasses
import os
import pathlib
import pickle
import subprocess
import sys

import jax
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from adaland.agent.learner import make_learner
from tests.agent import fakes, learners


class LearnerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.learner = learners.learner()

  def test_update_follows_the_loss_and_the_target_follows_it(self):
    state = self.learner.init(jax.random.PRNGKey(0))
    before = jax.tree_util.tree_map(np.array, state.params)
    state, metrics = self.learner.update(state, learners.batch())
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
        state, metrics = self.learner.update(state, learners.batch(seed=seed))
      results.append(jax.device_get((state, metrics)))
    jax.tree_util.tree_map(np.testing.assert_array_equal, *results)

  def test_padding_has_no_say(self):
    def run(garbage: float):
      batch = learners.batch()
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
    batch = learners.batch()
    state = self.learner.init(jax.random.PRNGKey(0))
    _, metrics = self.learner.update(state, batch)
    real = batch.mask == 1
    np.testing.assert_allclose(
      metrics["reward"], batch.reward[real].mean(), rtol=1e-5
    )

  def test_the_target_network_makes_the_targets(self):
    def targets(*doubled):
      state = self.learner.init(jax.random.PRNGKey(0))
      state = state._replace(
        **{
          name: jax.tree.map(np.add, *2 * [getattr(state, name)])
          for name in doubled
        }
      )
      _, metrics = self.learner.update(state, learners.batch())
      return np.array([metrics["value"], metrics["return"]])

    now = targets()
    np.testing.assert_array_equal(targets("params"), now)
    self.assertTrue(np.all(np.abs(targets("target_params") - now) > 1e-3))

  def test_fits_one_batch(self):
    """Learns rewards and, at the episodes' last steps, values."""
    learner = learners.learner(
      dataclasses.replace(learners.CONFIG, learning_rate=1e-2)
    )
    state = learner.init(jax.random.PRNGKey(0))
    state, metrics = learner.update(state, learners.batch(2))
    first = jax.device_get(metrics)
    for _ in range(150):
      state, metrics = learner.update(state, learners.batch(2))
    self.assertLess(metrics["loss/reward"], 0.5 * first["loss/reward"])
    # Its targets move, and two-hot targets have entropy themselves.
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
    state, metrics = learner.update(state, learners.batch(seed=seed))
  return state, metrics


def use_two(path: str) -> None:
  """Runs in a process that has two CPU devices; writes what they learned."""
  learner = learners.learner(devices=tuple(jax.local_devices()))
  state, metrics = _two_updates(learner)
  assert len(state.updates.devices()) == 2
  pathlib.Path(path).write_bytes(
    pickle.dumps(jax.device_get((state.params, metrics)))
  )
  with pytest.raises(
    ValueError, match="batch size is 3, allowed: multiples of 2"
  ):
    learner.update(state, learners.batch(3))


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
      learners.CONFIG,
      algorithm=algorithm,
      muesli=dataclasses.replace(learners.CONFIG.muesli, **switches),
    )
    learner = make_learner(fakes.make_network(3), config, fakes.SIZES)
    state = learner.init(jax.random.PRNGKey(0))
    before = jax.tree.map(np.array, state.params)
    state, metrics = learner.update(state, learners.batch())
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
        # The network that is trained is also the one that acts.
        np.testing.assert_array_equal(target, new)


class StateTest(absltest.TestCase):
  def test_is_a_pytree_of_arrays(self):
    learner = learners.learner()
    state = learner.init(jax.random.PRNGKey(0))
    self.assertTrue(
      all(isinstance(x, jax.Array) for x in jax.tree_util.tree_leaves(state))
    )


if __name__ == "__main__":
  absltest.main()
