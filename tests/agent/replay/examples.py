"""Unrolls for tests of replay, recognisable by their number."""

import numpy as np

from adaland.agent import types


def unroll(number: int = 0, length: int = 5) -> types.Unroll:
  """Returns an unroll; all its arrays follow from `number`."""
  rng = np.random.default_rng(number)
  return types.Unroll(
    observation={
      "goal": rng.integers(0, 9, (length, 6), np.int32),
      "entities": rng.normal(size=(length, 4, 3)).astype(np.float32),
    },
    first=np.eye(1, length, dtype=np.uint8)[0],
    action=rng.integers(0, 3, (length, 6)).astype(np.int8),
    behaviour_logits=rng.normal(size=(length, 17)).astype(np.float32),
    reward=rng.normal(size=length).astype(np.float32),
    discount=np.ones(length, np.float32),
    mask=np.ones(length, np.uint8),
    initial_memory=(rng.normal(size=(2, 8)).astype(np.float16), {}),
    params_version=np.asarray(number, np.int64),
    privileged={},
  )
