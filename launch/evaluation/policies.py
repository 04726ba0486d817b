"""Who can play: the agent, the scripted expert, chance, or nobody."""

from typing import Any, Protocol

import numpy as np

from adaland.agent import acting, types
from adaland.envs import constants, land
from adaland.envs.expert import expert

NAMES = ("agent", "expert", "noop", "random")


class EndedError(Exception):
  """Says that whoever plays wants no more of the episode."""


class Policy(Protocol):
  """Acts in a batch of environments."""

  def act(self, environments: land.Land, now: Any) -> np.ndarray:
    """Returns action indices [N, A] for the step that `now` shows.

    Raises:
      EndedError: If the episode is to end before this step.
    """
    ...


class Noop:
  """Does nothing."""

  def __init__(self, num_envs: int):
    self._action = np.tile(
      np.array(constants.NOOP_ACTION, np.int32), (num_envs, 1)
    )

  def act(self, environments: land.Land, now: Any) -> np.ndarray:
    """Returns the same for all."""
    return self._action


class Random:
  """Draws every head uniformly at every step."""

  def __init__(self, num_envs: int, seed: int):
    self._num_envs = num_envs
    self._rng = np.random.Generator(np.random.PCG64(seed))

  def act(self, environments: land.Land, now: Any) -> np.ndarray:
    """Returns anything."""
    shape = (self._num_envs, len(constants.ACTION_SIZES))
    return self._rng.integers(0, constants.ACTION_SIZES, shape, np.int32)


class Expert:
  """The scripted expert, which knows the whole task."""

  def __init__(self, num_envs: int):
    self._expert = expert.Expert(num_envs)

  def act(self, environments: land.Land, now: Any) -> np.ndarray:
    """Returns what the expert does."""
    return self._expert.act(environments)


class Agent:
  """A trained agent; it samples its actions, as in training."""

  def __init__(
    self, actor: acting.Actor, params: types.Params, num_envs: int, seed: int
  ):
    self._actor = actor
    self._params = params
    self._state = actor.init(num_envs)
    self._rng = np.random.Generator(np.random.PCG64(seed))

  def act(self, environments: land.Land, now: Any) -> np.ndarray:
    """Takes in what is seen and returns what the agent does."""
    key = self._rng.integers(2**32, size=2, dtype=np.uint32)
    output, self._state = self._actor.act(
      self._params, self._state, now.observation, now.first, key
    )
    return np.asarray(output.action)
