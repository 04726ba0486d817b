"""MJWarp's batch renderer, drawing what players of the gpu back end see.

It stands here to be measured against our own rays. For the picture that
`adaland.envs.observations.vision` colours, it would have to return what each
ray hit and the distance, and it lacks the surface's normal: the whole would
cost more than what is measured here.

W: worlds, N: environments.
"""

import copy
from typing import Any

import mujoco
import mujoco_warp as mjw
import numpy as np
import warp as wp

from adaland.envs import constants
from adaland.envs.physics import mjcf
from adaland.envs.physics.gpu import model
from adaland.envs.physics.gpu import physics as gpu

_BATCHED = ("geom_size", "geom_aabb", "geom_rbound", "geom_dataid")


class Renderer:
  """Draws the view of each world's first player.

  Args:
    physics: The worlds.
    size: Width and height of the pictures.
    colours: Whether to draw them lit by MJWarp, in colours; else for each
      pixel what is seen there, and how far away.

  Attributes:
    context: MJWarp's, with the pictures.
  """

  def __init__(
    self, physics: gpu.GpuPhysics, size: tuple[int, int], colours: bool
  ):
    width, height = size
    self._device = physics.device
    self._graph: Any = None
    half = np.arctan(np.tan(constants.FOV_X / 2) * height / width)
    host = model.make_model(capacity(physics), float(np.degrees(2 * half)))
    # What is out of use is transparent until it is used; here it only waits
    # far below. And nothing in the arena is to be cut off.
    host.geom_rgba[:] = 1.0
    host.vis.map.zfar = 1000.0 / host.stat.extent
    worlds = physics.data.nworld
    with wp.ScopedDevice(self._device):
      self._model = mjw.put_model(host)
      for name in _BATCHED:
        setattr(self._model, name, getattr(physics.model, name))
      # The same worlds; only the cameras are its own.
      self._data = copy.copy(physics.data)
      self._data.cam_xpos = wp.zeros((worlds, 1), dtype=wp.vec3)
      self._data.cam_xmat = wp.zeros((worlds, 1), dtype=wp.mat33)
      self._data.light_xpos = wp.zeros((worlds, 0), dtype=wp.vec3)
      self._data.light_xdir = wp.zeros((worlds, 0), dtype=wp.vec3)
      self.context = mjw.create_render_context(
        host,
        nworld=worlds,
        cam_res=size,
        render_rgb=colours,
        render_depth=not colours,
        render_seg=not colours,
        use_textures=False,
        use_shadows=False,
      )

  def look(self, eyes: np.ndarray, axes: np.ndarray) -> None:
    """Places the cameras.

    Args:
      eyes: Float [N, 3].
      axes: Unit vectors forward, left and up, [N, 3, 3].
    """
    forward, left, up = (axes[:, i] for i in range(3))
    for array, rows in (
      (self._data.cam_xpos, eyes),
      # MuJoCo's cameras look along -z, with x to the right.
      (self._data.cam_xmat, np.stack([-left, up, -forward], axis=-1)),
    ):
      every = array.numpy()
      every[: len(rows), 0] = rows
      array.assign(every)

  def draw(self) -> None:
    """Draws, and waits until it is done."""
    with wp.ScopedDevice(self._device):
      if self._graph is None:
        self._render()  # Compiles what a graph can't.
        with wp.ScopedCapture() as capture:
          self._render()
        self._graph = capture.graph
      wp.capture_launch(self._graph)
      wp.synchronize_device(self._device)

  def _render(self) -> None:
    mjw.refit_bvh(self._model, self._data, self.context)
    mjw.render(self._model, self._data, self.context)


def capacity(physics: gpu.GpuPhysics) -> mjcf.Capacity:
  """What the worlds have room for, as the order of their geoms tells."""
  slots, players = physics.num_slots, physics.num_players
  types = physics.model.geom_type.numpy()
  terrain = len(types) - 2 * model.GEOMS_A_SLOT * slots - players
  boxes = int(np.argmax(types != mujoco.mjtGeom.mjGEOM_BOX))
  return mjcf.Capacity(slots, players, boxes, terrain - boxes)


def hits(
  renderer: Renderer, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
  """What was seen where: geom ids, -1 for none, and depths, [W, height, width].

  Args:
    renderer: One without colours, which has drawn.
    size: Width and height.

  Returns:
    Geom ids, int, and distances along the camera's axis, metres.
  """
  width, height = size
  context = renderer.context
  shape = (-1, height, width)
  seen = context.seg_data.numpy()[..., 0].reshape(shape)
  return seen, context.depth_data.numpy().reshape(shape)
