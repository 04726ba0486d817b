"""Tests of the gpu back end, on Warp's CPU device."""

import types
import unittest
from unittest import mock

import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import absltest

from adaland.envs.physics import base
from adaland.envs.physics.gpu import preparation
from tests.envs.physics import (
  avatar_suite,
  backends,
  fakes,
  sensing_suite,
  world_suite,
)

# One process compiles Warp's kernels, and lends its worlds to all these tests.
pytestmark = pytest.mark.xdist_group("warp")


# The first one to run may have to compile all kernels.
@pytest.mark.timeout(1200)
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class _OnGpu(backends.BackendTest):
  """A test case with six slots, as each number of slots needs new kernels."""

  backend = "gpu"
  many_slots = 6
  many_steps = 200


class AvatarTest(_OnGpu, avatar_suite.AvatarSuite):
  pass


class GripTest(_OnGpu, avatar_suite.GripSuite):
  pass


class ObjectTest(_OnGpu, world_suite.ObjectSuite):
  pass


class TouchingTest(_OnGpu, sensing_suite.TouchingSuite):
  pass


class RaysTest(_OnGpu, sensing_suite.RaysSuite):
  def test_unwanted_rays_are_not_cast(self):
    physics = self.world(fakes.scene((fakes.CUBE, 2.0, 0.0)))
    rng = np.random.default_rng(0)
    origins = jnp.asarray(rng.uniform((-1, -1, 0.5), (1, 1, 2.5), (1, 40, 3)))
    directions = rng.normal(size=(1, 40, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    exclude = jnp.full((1, 40), -1, jnp.int32)
    wanted = jnp.asarray(rng.random((1, 40)) < 0.5)
    rays = (origins, jnp.asarray(directions), exclude)
    hits = physics.rays(*rays)
    distance, node = physics.rays_where(*rays, wanted)
    self.assertGreater(np.count_nonzero(hits.distance >= 0), 20)
    np.testing.assert_array_equal(distance, np.where(wanted, hits.distance, -1))
    np.testing.assert_array_equal(
      node, np.where(wanted, hits.node, base.NODE_NONE)
    )


class StateTest(_OnGpu):
  def test_state_is_current_after_every_change(self):
    """Poses are read on their own first, then contacts."""
    physics = self.make(2, 6)
    apart = fakes.scene((fakes.CUBE, 2.0, 0.0), (fakes.SPHERE, 2.0, 1.0))
    physics.load(np.arange(2), [apart, preparation.prepare(apart)])
    physics.step(fakes.control(2))
    changed = np.zeros((2, 6), bool)
    changed[1, 1] = True
    types = np.where(changed, fakes.CUBE, 0).astype(np.int32)
    at = np.zeros((2, 6, 3), np.float32)
    at[1, 1] = 2.0, 0.4, 0.2
    physics.set_slots_where(*map(jnp.asarray, (changed, types, at)))
    for touching in (True, False):
      pos, feet, yaw = physics.poses()
      state = physics.state()
      np.testing.assert_array_equal(pos, state.object_pos)
      np.testing.assert_array_equal(feet, state.player_pos)
      np.testing.assert_array_equal(yaw, state.player_yaw)
      self.assertFalse(state.touching[0, 1, 2])
      self.assertEqual(state.touching[1, 1, 2], touching)
      physics.restore(np.array([1]), np.zeros((1, 1)))
    np.testing.assert_allclose(state.object_pos[1, 1, :2], [2.0, 1.0])


class RepeatabilityTest(_OnGpu, world_suite.RepeatabilitySuite):
  pass


@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class MemoryTest(absltest.TestCase):
  def test_error_names_the_settings_to_lower(self):
    from adaland.envs.physics import mjcf
    from adaland.envs.physics.gpu import memory, model

    compiled = model.build(mjcf.Capacity(6, 1, 32, 20)).model
    need = memory.needed(compiled, 1000, nconmax=70, njmax=283)
    self.assertGreater(need, 50e6)
    self.assertLess(need, 5e9)
    memory.check(1000, need, need)
    with self.assertRaisesRegex(ValueError, "1000 worlds need .* lower actor"):
      memory.check(1000, need, need - 1)

  def test_grows_with_worlds_and_slots(self):
    from adaland.envs.physics.gpu import memory

    need = memory.needed_initially
    self.assertEqual(need(1, 6, 1), need(2, 6, 1))
    self.assertAlmostEqual(need(2000, 6, 1) / need(1000, 6, 1), 2, places=3)
    self.assertGreater(need(1000, 12, 1), 1.5 * need(1000, 6, 1))

  def test_memory_is_checked_before_worlds_are_made(self):
    import warp

    from adaland.envs.physics.backends import check_memory

    card = types.SimpleNamespace(free_memory=10**9)
    real = warp.get_device
    with mock.patch.object(
      warp, "get_device", lambda name: card if name == "cuda" else real(name)
    ):
      check_memory("gpu", "cuda", 10, 6, 1)
      check_memory("gpu", "cpu", 10**6, 6, 1)
      check_memory("cpu", "cuda", 10**6, 6, 1)
      with self.assertRaisesRegex(
        ValueError, "1000000 worlds need about .* 1.0 GB are free: lower actor"
      ):
        check_memory("gpu", "cuda", 10**6, 6, 1)

  def test_a_terrain_without_room_is_refused_every_time(self):
    import warp

    from adaland.envs.physics.gpu import arrays, batch

    card = types.SimpleNamespace(is_cuda=True, free_memory=10**12)
    exchange = arrays.Exchange(warp.get_device("cpu"))
    worlds = batch.GpuBatch(2, 6, 1, card, exchange)
    card.free_memory = 0
    bumps = np.indices((8, 8)).sum(axis=0) % 2  # More than 32 boxes.
    tall = preparation.prepare(fakes.scene(heights=bumps))
    for _ in range(2):
      with self.assertRaisesRegex(ValueError, "2 worlds need about"):
        worlds.load(np.array([1]), [tall])


if __name__ == "__main__":
  absltest.main()
