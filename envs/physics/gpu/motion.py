"""Steps of the gpu back end's worlds, with their contacts and poses.

W: worlds, P: players, S: slots.
"""

from typing import Any

import mujoco_warp as mjw
import warp as wp

from adaland.envs.physics import driving, parts
from adaland.envs.physics.gpu import batch, steps


class GpuMotion:
  """Steps of a batch of worlds.

  Call its methods in the device's scope.

  Attributes:
    controls: The fields of `base.AvatarControl`, for W worlds.
    poses: Positions and orientations of objects, and players' feet, as of the
      last `find_poses`.
  """

  def __init__(self, worlds: batch.GpuBatch, num_players: int, num_slots: int):
    """Initializes the controls of players that stand still.

    Args:
      worlds: The worlds.
      num_players: P.
      num_slots: S.
    """
    W, P, S = worlds.num_worlds, num_players, num_slots
    self._worlds = worlds
    self._num_players = P
    self._num_nodes = P + S
    self._anchor = wp.zeros((W, P), dtype=wp.vec2)
    self.controls = (
      wp.zeros((W, P, 2), dtype=float),
      wp.zeros((W, P), dtype=float),
      wp.full((W, P), -1, dtype=int),
      wp.zeros((W, P, 3), dtype=float),
    )
    self.poses = (
      wp.zeros((W, S, 3), dtype=float),
      wp.zeros((W, S, 4), dtype=float),
      wp.zeros((W, P, 3), dtype=float),
    )
    self.invalidate_graph()
    self.invalidate_results()

  def invalidate_graph(self) -> None:
    """Makes the next step record its graph again, for a new model and data."""
    self._graph: Any = None

  def invalidate_results(self) -> None:
    """Makes poses and contacts be found again, after changes of worlds."""
    self._poses_stale = self._contacts_stale = True

  def step(self) -> None:
    """Simulates a step, finds its contacts and the poses at its end."""
    if self._graph is None:
      with wp.ScopedCapture() as capture:
        self._advance()
      self._graph = capture.graph
    wp.capture_launch(self._graph)
    self._poses_stale = self._contacts_stale = False

  def _advance(self) -> None:
    """Launches the kernels of a step."""
    worlds = self._worlds
    wp.launch(
      steps.apply_controls,
      dim=(worlds.num_worlds, self._num_players),
      inputs=[
        *self.controls,
        driving.MAX_SLIP_METRES,
        driving.MAX_HAND_SPEED,
        worlds.layout,
        worlds.bodies,
        worlds.slots,
        worlds.yaw,
        worlds.stood,
        self._anchor,
      ],
    )
    self._clear_contacts()
    for _ in range(parts.SUBSTEPS):
      mjw.step(worlds.model, worlds.data)
      self._record_contacts()  # Found by MJWarp at the substep's start.
    self._poses_stale = True
    self.find_poses()

  def find_poses(self) -> None:
    """Finds the current poses, unless they are known."""
    if not self._poses_stale:
      return
    self._poses_stale = False
    worlds = self._worlds
    mjw.kinematics(worlds.model, worlds.data)
    wp.launch(
      steps.read_poses,
      dim=(worlds.num_worlds, self._num_nodes),
      inputs=[
        worlds.layout,
        worlds.bodies,
        worlds.slots,
        wp.vec3(*parts.PARKING),
      ],
      outputs=list(self.poses),
    )

  def find_contacts(self) -> None:
    """Finds the current contacts, unless known, after `find_poses`."""
    if not self._contacts_stale:
      return
    self._contacts_stale = False
    mjw.collision(self._worlds.model, self._worlds.data)
    self._clear_contacts()
    self._record_contacts()

  def _clear_contacts(self) -> None:
    """Clears contacts except those of objects at rest."""
    worlds = self._worlds
    wp.launch(
      steps.clear_contacts,
      dim=(worlds.num_worlds, self._num_nodes, self._num_nodes),
      inputs=[worlds.layout, worlds.bodies, worlds.slots],
    )

  def _record_contacts(self) -> None:
    """Adds the contacts that MJWarp found last."""
    worlds, d = self._worlds, self._worlds.data
    wp.launch(
      steps.record_contacts,
      dim=d.naconmax,
      inputs=[
        d.nacon,
        d.contact.worldid,
        d.contact.geom,
        worlds.nodes,
        worlds.starts,
        worlds.layout,
        worlds.slots,
      ],
    )
