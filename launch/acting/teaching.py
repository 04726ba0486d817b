"""Scripted players beside the agent: teachers and demonstrators.

In each episode one of three happens: the agent plays all of it; a teacher
does; or the expert demonstrates the first trial and the agent plays the others,
as it does when it is prompted. Whoever plays, the teacher may label every state
with the action that it would take there.

N: environments, A: action heads.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from adaland.envs import constants
from adaland.launch.acting import rollout
from adaland.launch.config.teaching import TeachingConfig

_AGENT, _TEACHER, _DEMONSTRATION = range(3)


def with_idle(
  guidance: rollout.Guidance | None, idle: np.ndarray
) -> rollout.Guidance:
  """Returns guidance in which some avatars do nothing.

  Args:
    guidance: That of scripted players, if there are.
    idle: True where the avatar does nothing, bool [N].
  """
  noop = np.array(constants.NOOP_ACTION, np.int8)
  if guidance is None:
    shape = (len(idle), len(noop))
    label, action = np.full(shape, -1, np.int8), np.zeros(shape, np.int8)
    guidance = rollout.Guidance(label, np.zeros(len(idle), bool), action)
  return guidance._replace(
    given=guidance.given | idle,
    action=np.where(idle[:, None], noop, guidance.action),
  )


class ScriptedPlayer(Protocol):
  """A player of all environments of a batch."""

  def observe(self, world: Any) -> None:
    """Takes in the present state, whoever's actions led to it."""
    ...

  def act(self, world: Any, rows: np.ndarray) -> np.ndarray:
    """Returns the actions that it would take.

    Args:
      world: The environments, in the state last observed.
      rows: The environments asked about, int [R].

    Returns:
      int [R, A].
    """
    ...


class Teaching:
  """The scripted players of a batch of environments.

  Args:
    config: Settings.
    make_player: Makes a scripted player by name.
    num_envs: N.
    num_heads: A.
    seed: Seed of the choice of episodes.
  """

  def __init__(
    self,
    config: TeachingConfig,
    make_player: Callable[[str], ScriptedPlayer],
    num_envs: int,
    num_heads: int,
    seed: int,
  ):
    self._config = config
    self._rng = np.random.default_rng(seed)
    self._teacher = None
    if config.teacher != "none":
      self._teacher = make_player(config.teacher)
    self._demonstrator = None
    if config.demonstrated > 0:
      self._demonstrator = make_player("expert")
    self._modes = np.full(num_envs, _AGENT)
    self._shape = (num_envs, num_heads)

  @property
  def labels(self) -> bool:
    """True if there is a teacher."""
    return self._teacher is not None

  @property
  def guided(self) -> np.ndarray:
    """Environments whose episode the agent does not play alone, bool [N]."""
    return self._modes != _AGENT

  def guide(
    self,
    world: Any,
    first: np.ndarray,
    last: np.ndarray,
    trial: np.ndarray,
  ) -> rollout.Guidance:
    """Returns the scripted players' part in the next action.

    Args:
      world: The environments.
      first: True where an episode starts, bool [N].
      last: True where one has ended and no action counts, bool [N].
      trial: Number of the present trial, from 0, int [N].
    """
    self._choose(first)
    label = np.full(self._shape, -1, np.int8)
    action = np.zeros(self._shape, np.int8)
    given = np.zeros(len(first), bool)
    if self._teacher is not None:
      self._teacher.observe(world)
      rows = np.flatnonzero(~last)
      label[rows] = self._teacher.act(world, rows)
      given = (self._modes == _TEACHER) & ~last
      action[given] = label[given]
    if self._demonstrator is not None:
      self._demonstrator.observe(world)
      shows = (self._modes == _DEMONSTRATION) & (trial == 0) & ~last
      rows = np.flatnonzero(shows)
      if rows.size:
        action[rows] = self._demonstrator.act(world, rows)
      given |= shows
    return rollout.Guidance(label, given, action)

  def _choose(self, first: np.ndarray) -> None:
    """Draws who plays the episodes that start."""
    rows = np.flatnonzero(first)
    taught, shown = self._config.taught, self._config.demonstrated
    draw = self._rng.random(len(rows))
    self._modes[rows] = np.where(
      draw < taught,
      _TEACHER,
      np.where(draw < taught + shown, _DEMONSTRATION, _AGENT),
    )
