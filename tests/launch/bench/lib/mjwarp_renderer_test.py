"""MJWarp's renderer sees what our rays see: so the two may be compared."""

import unittest
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import absltest

from adaland.envs.game import avatar
from adaland.envs.observations import vision
from tests.envs.observations import pictured
from tests.envs.physics import backends

# One process compiles Warp's kernels, and lends its worlds to all of these.
pytestmark = pytest.mark.xdist_group("warp")

_SIZE = (48, 36)


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class RendererTest(absltest.TestCase):
  def test_sees_what_rays_see(self):
    from adaland.envs.physics.gpu import model
    from adaland.launch.bench.lib import mjwarp_renderer

    physics: Any = backends.lend(self, 2, pictured.NUM_SLOTS, 2)
    physics.load(np.arange(2), [pictured.scene()] * 2)
    state = physics.state()
    yaw = jnp.asarray([[0.0, 0.0], [2.5, 0.0]])
    axes = avatar.view_axes(yaw, jnp.full_like(yaw, -0.3))[:, :1]
    eyes = avatar.eye(state.player_pos)[:, :1]
    origins, directions = (
      np.asarray(x).reshape(2, -1, 3)
      for x in vision.pixel_rays(
        jnp.asarray(vision.pixel_directions(*_SIZE)), eyes, axes
      )
    )
    # The first player's own body is in nobody's picture of its own.
    exclude = np.zeros(origins.shape[:2], np.int32)
    hits = physics.rays(origins, directions, exclude)

    renderer = mjwarp_renderer.Renderer(physics, _SIZE, colours=False)
    renderer.look(np.asarray(eyes)[:, 0], np.asarray(axes)[:, 0])
    renderer.draw()
    seen, depth = (
      x.reshape(2, -1) for x in mjwarp_renderer.hits(renderer, _SIZE)
    )
    nodes = model.build(mjwarp_renderer.capacity(physics)).geom_nodes
    node = np.where(seen >= 0, nodes[seen], -1)
    self.assertGreater(len(np.unique(hits.node)), 8)
    # On an edge, rounding decides.
    self.assertGreaterEqual(np.mean(node == hits.node), 0.995)
    along = np.einsum("nrx,nx->nr", directions, np.asarray(axes)[:, 0, 0])
    same = (node == hits.node) & (hits.distance >= 0)
    np.testing.assert_allclose(
      (hits.distance * along)[same], depth[same], atol=2e-3
    )

    colours = mjwarp_renderer.Renderer(physics, _SIZE, colours=True)
    colours.look(np.asarray(eyes)[:, 0], np.asarray(axes)[:, 0])
    colours.draw()
    drawn = colours.context.rgb_data.numpy()
    self.assertGreater(len(np.unique(drawn)), 20)


if __name__ == "__main__":
  absltest.main()
