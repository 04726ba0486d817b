"""Gymnasium's spaces and arrays for the observations and actions of `Land`."""

from typing import Any

import numpy as np
from gymnasium import spaces

from adaland.envs import constants, land

RENDER_MODES = ("rgb_array",)


def check(config: land.LandConfig, render_mode: str | None) -> None:
  """Raises ValueError unless Gymnasium's adaptors support the arguments."""
  if config.num_players != 1:
    raise ValueError(f"num_players is {config.num_players}, allowed: 1")
  if render_mode not in (None, *RENDER_MODES):
    raise ValueError(
      f"render_mode is {render_mode!r}, allowed: None, "
      f"{', '.join(RENDER_MODES)}"
    )


def action_space() -> spaces.MultiDiscrete:
  """Returns the space of one environment's actions: the six heads' indices."""
  return spaces.MultiDiscrete(np.asarray(constants.ACTION_SIZES))


def observation_space(config: land.LandConfig) -> spaces.Dict:
  """Returns the space of one environment's observations."""
  return spaces.Dict(
    {
      name: _box(name, shape, dtype)
      for name, (shape, dtype) in land.observation_spec(config).items()
    }
  )


def arrays(observation: dict[str, Any]) -> dict[str, np.ndarray]:
  """Returns observations as writable NumPy arrays; copies only if needed."""
  return {
    name: np.require(value, requirements="W")
    for name, value in observation.items()
  }


def _box(name: str, shape: tuple[int, ...], dtype: np.dtype) -> spaces.Box:
  low, high = {
    "goal": (0, constants.NUM_SHAPE_IDS),
    "rules": (0, constants.NUM_SHAPE_IDS),
    "last_action": (-1, max(constants.ACTION_SIZES) - 1),
    "pixels": (0, 255),
  }.get(name, (-np.inf, np.inf))
  return spaces.Box(low, high, shape, dtype.type)
