"""Rays in a batch of MuJoCo simulations.

N: environments, R: rays.
"""

import numpy as np
from mujoco import batch as mujoco_batch

from adaland.envs.physics import base, models


def cast(
  batch: mujoco_batch.Batch,
  worlds: models.Models,
  origins: np.ndarray,
  directions: np.ndarray,
  exclude: np.ndarray,
  normals: bool,
  env_ids: np.ndarray | None,
) -> base.RayHits:
  """Casts rays at the poses of the current state.

  Steps start from the state alone, so rays cast between them only change the
  poses that are kept for drawing.

  Args:
    batch: The batch.
    worlds: Its models.
    origins: Start points, float [N, R, 3].
    directions: Unit vectors, float [N, R, 3].
    exclude: Node that each ray passes through, -1 for none, int [N, R].
    normals: Whether to compute normals (else zeros).
    env_ids: Environments of the rows, ascending, int [N]; None for all.
  """
  envs = np.arange(len(worlds.models)) if env_ids is None else env_ids
  result = batch.ray(
    origins,
    directions,
    bodyexclude=worlds.node_bodies[envs[:, None], np.asarray(exclude) + 1],
    ids=env_ids,
    normal=normals,
  )
  node = worlds.geom_nodes.take(result[1], mode="wrap")
  return base.RayHits(
    distance=result[0].astype(np.float32),
    node=node,
    normal=(
      result[2].astype(np.float32)
      if normals
      else np.zeros((*node.shape, 3), np.float32)
    ),
  )
