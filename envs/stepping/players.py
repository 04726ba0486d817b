"""Actions, observations and rewards of players, in the form that `Land` uses.

N: environments, P: players.
"""

from typing import Any, Final

import jax
import numpy as np

from adaland.envs import constants

_HEADS: Final = len(constants.ACTION_SIZES)
_SIZES: Final = np.array(constants.ACTION_SIZES)


def check_actions(
  actions: Any, num_envs: int, num_players: int, on_device: bool
) -> Any:
  """Returns actions as int32 [N, P, 6].

  Args:
    actions: Indices of the action heads, int [N, P, 6], or [N, 6] for one
      player.
    num_envs: N.
    num_players: P.
    on_device: Whether JAX arrays stay where they are; then their range is not
      checked.

  Raises:
    ValueError: If the actions have another shape, are not integers, or are out
      of range.
  """
  shape = (num_envs, num_players, _HEADS)
  stay = on_device and isinstance(actions, jax.Array)
  if not stay:
    actions = np.asarray(actions)
  if actions.shape == (num_envs, _HEADS) and num_players == 1:
    actions = actions[:, None]
  if actions.shape != shape:
    allowed = shape if num_players > 1 else (num_envs, _HEADS)
    raise ValueError(f"actions have shape {actions.shape}, allowed: {allowed}")
  if actions.dtype.kind not in "iu":
    raise ValueError(f"actions are {actions.dtype}, allowed: integers")
  # Before the cast, which could wrap large numbers to small ones.
  if not stay and ((actions < 0) | (actions >= _SIZES)).any():
    raise ValueError(
      "actions are out of range, allowed: from 0 to below "
      f"{constants.ACTION_SIZES}"
    )
  return actions.astype(np.int32)


def single(arrays: Any) -> Any:
  """Drops the dimension of players from arrays of a single player."""
  return jax.tree.map(lambda x: x[:, 0], arrays)


def masked(arrays: Any, present: Any) -> Any:
  """Sets arrays [N, P, ...] to zero for players that are absent.

  Args:
    arrays: The arrays.
    present: Players that are present, bool [N, P].
  """

  def mask(array: Any) -> Any:
    shape = present.shape + (1,) * (array.ndim - 2)
    return array * present.reshape(shape).astype(array.dtype)

  return jax.tree.map(mask, arrays)


single_on_device = jax.jit(single)
masked_on_device = jax.jit(masked)
