"""How the worlds of the gpu back end move: a step, and what is so after it.

W: worlds, P: players, S: slots.
"""

from typing import Any

import mujoco_warp as mjw
import warp as wp

from adaland.envs.physics import driving, parts
from adaland.envs.physics.gpu import batch as gpu_batch
from adaland.envs.physics.gpu import steps


class GpuMotion:
  """Steps a batch. Call it under the device's scope.

  Attributes:
    wishes: What players want, arrays as in `base.AvatarControl`, of W worlds.
    poses: Places and orientations of objects, and players' feet, as of the
      last `find_poses`.
  """

  def __init__(
    self, batch: gpu_batch.GpuBatch, num_players: int, num_slots: int
  ):
    W, P, S = batch.num_worlds, num_players, num_slots
    self._batch = batch
    self._num_players = P
    self._num_nodes = P + S
    self._place = wp.zeros((W, P), dtype=wp.vec2)
    self.wishes = (
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
    self.forget()
    self.change()

  def forget(self) -> None:
    """Has the step recorded anew: model and data are others."""
    self._graph: Any = None

  def change(self) -> None:
    """Notes that worlds were changed between steps."""
    # Whether poses, and whether contacts must be found anew.
    self._moved = self._met = True

  def step(self) -> None:
    """Simulates a step, and finds poses and contacts at its end."""
    if self._graph is None:
      with wp.ScopedCapture() as capture:
        self._advance()
      self._graph = capture.graph
    wp.capture_launch(self._graph)
    self._moved = self._met = False

  def _advance(self) -> None:
    batch = self._batch
    wp.launch(
      steps.command,
      dim=(batch.num_worlds, self._num_players),
      inputs=[
        *self.wishes,
        driving.PLACE_METRES,
        driving.MAX_HAND_SPEED,
        batch.places,
        batch.bodies,
        batch.slots,
        batch.yaw,
        batch.stood,
        self._place,
      ],
    )
    for _ in range(parts.SUBSTEPS):
      mjw.step(batch.model, batch.data)
    self.change()
    self.find_poses()
    self.find_contacts()

  def find_poses(self) -> None:
    """Finds where things are, if that is not known."""
    if not self._moved:
      return
    self._moved = False
    batch = self._batch
    mjw.kinematics(batch.model, batch.data)
    wp.launch(
      steps.read_poses,
      dim=(batch.num_worlds, self._num_nodes),
      inputs=[
        batch.places,
        batch.bodies,
        batch.slots,
        wp.vec3(*parts.PARKING),
      ],
      outputs=list(self.poses),
    )

  def find_contacts(self) -> None:
    """Finds what touches, if that is not known; poses are found before."""
    if not self._met:
      return
    self._met = False
    batch, d = self._batch, self._batch.data
    mjw.collision(batch.model, d)
    wp.launch(
      steps.forget_contacts,
      dim=(batch.num_worlds, self._num_nodes, self._num_nodes),
      inputs=[batch.places, batch.bodies, batch.slots],
    )
    wp.launch(
      steps.note_contacts,
      dim=d.naconmax,
      inputs=[
        d.nacon,
        d.contact.worldid,
        d.contact.geom,
        batch.nodes,
        batch.slots,
      ],
    )
