"""First-person pictures of the players' views, for people."""

from collections.abc import Sequence
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants, land
from adaland.envs.game import avatar
from adaland.envs.observations import vision

SIZE: Final = (320, 240)  # Width and height.

_shade = jax.jit(vision.shade)


def pictures(
  environments: land.Land,
  env_ids: Sequence[int] | None = None,
  size: tuple[int, int] = SIZE,
) -> np.ndarray:
  """Draws the view of each environment's first player, by ray casting.

  Args:
    environments: The batch, which has been reset.
    env_ids: The environments to draw, ascending; None draws all.
    size: Width and height in pixels.

  Returns:
    Pictures, uint8 [len(env_ids), height, width, 3].
  """
  if env_ids is None:
    env_ids = range(environments.num_envs)
  width, height = size
  views = [environments.state_view(i) for i in env_ids]
  axes = avatar.view_axes(
    np.stack([view.yaw[:1] for view in views]),
    np.stack([view.pitch[:1] for view in views]),
  )
  eyes = avatar.eye(np.stack([view.player_pos[:1] for view in views]))
  rays = jnp.asarray(vision.pixel_directions(width, height))
  origins, directions = (
    np.asarray(x[:, 0]) for x in vision.pixel_rays(rays, eyes, axes)
  )
  hits = environments.physics.rays(
    origins,
    directions,
    np.zeros(origins.shape[:2], np.int32),
    normals=True,
    env_ids=np.asarray(env_ids),
  )
  players = constants.PLAYER_TYPE_IDS[: environments.config.num_players]
  colours = [
    _shade(
      origins[row],
      directions[row],
      hits.distance[row],
      hits.node[row],
      hits.normal[row],
      np.concatenate([players, view.slot_types]).astype(np.int32),
      vision.look(environments.tasks[env].world.seed),
    )
    for row, (env, view) in enumerate(zip(env_ids, views, strict=True))
  ]
  return np.stack(colours).reshape(-1, height, width, 3)
