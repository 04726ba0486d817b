"""Seeds of a batch of environments."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np


def of_each(seed: Any, num_envs: int) -> tuple[int | None, ...]:
  """Returns the seed of each environment, None where it stays unchanged.

  Args:
    seed: One integer s, which means s, s + 1, ...; or a sequence with an
      integer or None for each environment.
    num_envs: Number of environments, N.

  Raises:
    ValueError: If a seed is not an integer from 0.
  """
  if _is_seed(seed):
    return tuple(range(int(seed), int(seed) + num_envs))
  if (
    not isinstance(seed, (Sequence, np.ndarray))
    or len(seed) != num_envs
    or not all(value is None or _is_seed(value) for value in seed)
  ):
    raise ValueError(
      f"seed is {seed}, allowed: an integer from 0, or {num_envs} of them or "
      "None"
    )
  return tuple(None if value is None else int(value) for value in seed)


def _is_seed(value: Any) -> TypeGuard[int | np.integer]:
  integer = isinstance(value, (int, np.integer))
  return integer and not isinstance(value, bool) and bool(value >= 0)
