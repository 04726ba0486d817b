"""Made-up observations of the right shapes and ranges, for tests."""

import numpy as np

from adaland.agent import types

Spec = dict[str, tuple[tuple[int, ...], np.dtype]]

_ACTION_SIZES = (3, 3, 5, 3, 2, 3)
_LITERAL_IDS = (2, 10, 18, 4, 18, 4)
_FEATURES = 16


def spec(
  num_rules: int = 2,
  num_entities: int = 4,
  pixels: tuple[int, int] | None = None,
) -> Spec:
  """Returns the spec of observations, of entities and terrain or of pixels."""
  shapes: dict[str, tuple[tuple[int, ...], type]] = {
    "goal": ((6,), np.int32),
    "rules": ((num_rules, 14), np.int32),
    "proprio": ((4,), np.float32),
    "last_action": ((6,), np.int32),
    "last_reward": ((), np.float32),
    "clock": ((10,), np.float32),
  }
  if pixels:
    shapes["pixels"] = ((*pixels, 3), np.uint8)
  else:
    shapes["entities"] = ((num_entities, _FEATURES), np.float32)
    shapes["terrain"] = ((25,), np.float32)
  return {key: (shape, np.dtype(dt)) for key, (shape, dt) in shapes.items()}


def random(
  observation_spec: Spec, leading: tuple[int, ...], seed: int = 0
) -> types.Observation:
  """Returns random observations with the leading axes [B] or [B, T].

  Observations that are constant over an episode have no axis T.
  """
  rng = np.random.default_rng(seed)
  observation: types.Observation = {}
  for key, (shape, dtype) in observation_spec.items():
    once = key in types.EPISODE_OBSERVATIONS
    shape = (*leading[: 1 if once else None], *shape)
    if dtype == np.float32:
      value = rng.normal(size=shape)
    elif dtype == np.uint8:
      value = rng.integers(0, 256, shape)
    elif key == "last_action":
      value = rng.integers(-1, _ACTION_SIZES, shape)
    else:
      sizes = _LITERAL_IDS + _LITERAL_IDS[2:4] * ((shape[-1] - 6) // 2)
      value = rng.integers(0, sizes, shape)
    observation[key] = value.astype(dtype)
  if "entities" in observation:
    entities = np.asarray(observation["entities"])
    lead = entities.shape[:-1]
    entities[..., 0] = rng.integers(0, 2, lead)
    entities[..., 6:11] = np.eye(5)[rng.integers(0, 5, lead)]
    entities[..., 11:14] = np.eye(3)[rng.integers(0, 3, lead)]
    entities *= entities[..., :1]
  return observation


def at(observation: types.Observation, t: int) -> types.Observation:
  """Returns step t of observations [B, T, ...]."""
  return {
    key: value if key in types.EPISODE_OBSERVATIONS else value[:, t]
    for key, value in observation.items()
  }
