"""Tests that no step on the gpu back end waits for the device."""

import dataclasses
import unittest

import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from tests.envs import fixtures, gpu_worlds
from tests.envs.physics import backends

# One process compiles Warp's kernels, and lends its worlds to all these tests.
pytestmark = pytest.mark.xdist_group("warp")


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class WaitingTest(parameterized.TestCase):
  """Tests that no step waits for the device."""

  def _play(self, config, spoil=None) -> int:
    """Plays two episodes under `tracing`; returns the number of trials."""
    from tests.envs.physics import tracing

    env = gpu_worlds.make_land(
      self,
      fixtures.busy_task(trials=1),
      fixtures.busy_task(trials=2),
      config=config,
    )
    shape = (fixtures.NUM_ENVS, config.num_players, 6)
    ends = []

    def work() -> None:
      env.reset()
      for _ in range(48):
        # Like the actions of a network: not computed yet.
        step = env.step(jnp.zeros(shape, jnp.int32) + 1)
        ends.append(step.trial_last.sum())
        if spoil:
          spoil(env, step)

    tracing.trace(work)
    return sum(ends)

  # The second of two players is absent.
  @parameterized.parameters(("entities", 1), ("pixels", 1), ("entities", 2))
  def test_steps_do_not_wait(self, observation, num_players):
    config = dataclasses.replace(
      fixtures.CONFIG,
      num_players=num_players,
      observation=observation,
      pixels=(4, 3),
    )
    self.assertEqual(self._play(config), 6)

  @parameterized.named_parameters(
    ("array", lambda env, step: np.asarray(step.reward)),
    ("truth", lambda env, step: bool(step.reward.any())),
    ("number", lambda env, step: float(step.reward[0])),
    ("item", lambda env, step: step.reward[0].item()),
    ("index", lambda env, step: np.zeros(9)[step.observation["goal"][0]]),
    ("totals", lambda env, step: env.dropped_spawns),
    ("view", lambda env, step: env.state_view(0)),
    ("physics", lambda env, step: env.physics.data.qpos.numpy()),
    ("wait", lambda env, step: env.physics.wait()),
  )
  def test_waits_are_detected(self, spoil):
    from tests.envs.physics import tracing

    spoiled = []

    def spoil_once(env, step):
      spoiled.append(step)
      spoil(env, step)

    with self.assertRaises(tracing.Waited):
      self._play(fixtures.CONFIG, spoil_once)
    self.assertLen(spoiled, 1)


if __name__ == "__main__":
  absltest.main()
