"""Number and seeds of a batch of environments."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np


def checked_num_envs(num_envs: Any) -> int:
  """Returns the number of environments, N, as Python's number.

  Raises:
    ValueError: If it is not an integer from 1.
  """
  if not _is_integer(num_envs) or num_envs < 1:
    raise ValueError(f"num_envs is {num_envs!r}, allowed: an integer from 1")
  return int(num_envs)


def of_each(seed: Any, num_envs: int, may_keep: bool) -> tuple[int | None, ...]:
  """Returns the seed of each environment, None where it stays unchanged.

  Args:
    seed: One integer s, which means s, s + 1, ...; or a sequence of one for
      each environment.
    num_envs: Number of environments, N.
    may_keep: Whether the sequence may contain None.

  Raises:
    ValueError: If a seed is not an integer from 0.
  """
  if _is_seed(seed):
    return tuple(range(int(seed), int(seed) + num_envs))
  listed = isinstance(seed, Sequence) or (
    isinstance(seed, np.ndarray) and seed.ndim == 1
  )
  if (
    not listed
    or len(seed) != num_envs
    or not all((may_keep and x is None) or _is_seed(x) for x in seed)
  ):
    kept = " (None keeps the current seed)" if may_keep else ""
    raise ValueError(
      f"seed is {seed!r}, allowed: an integer from 0, or {num_envs} of them"
      f"{kept}"
    )
  return tuple(None if value is None else int(value) for value in seed)


def _is_seed(value: Any) -> TypeGuard[int | np.integer]:
  return _is_integer(value) and bool(value >= 0)


def _is_integer(value: Any) -> TypeGuard[int | np.integer]:
  return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
