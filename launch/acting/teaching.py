"""Players other than the agent: teachers and demonstrators.

An episode is played by the agent alone, by a teacher alone, or by the expert,
which demonstrates the first trial, and then the agent, as when it is prompted.
Whoever plays, the teacher labels every state: a script with the action that it
would take there, a trained agent with its policy (AdA, arXiv 2301.07608,
distils from a smaller agent).

N: environments, A: action heads, S: sum of their sizes.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from adaland.agent import acting, distributions, types
from adaland.envs import constants, land
from adaland.launch.acting import rollout
from adaland.launch.config.teaching import Labels, TeachingConfig

_AGENT, _TEACHER, _DEMONSTRATION = range(3)


_log_probs = jax.jit(distributions.log_probs, static_argnums=1)


def no_guidance(num_rows: int) -> rollout.Guidance:
  """Returns guidance in which the agent plays all rows alone."""
  shape = (num_rows, len(constants.NOOP_ACTION))
  label, action = np.full(shape, -1, np.int8), np.zeros(shape, np.int8)
  none = np.zeros(num_rows, bool)
  return rollout.Guidance(label, none, action, none)


def with_idle(
  guidance: rollout.Guidance | None, idle: np.ndarray
) -> rollout.Guidance:
  """Returns guidance in which some avatars do nothing.

  Args:
    guidance: Guidance of other players, if any.
    idle: True where the avatar does nothing, bool [N].
  """
  noop = np.array(constants.NOOP_ACTION, np.int8)
  if guidance is None:
    guidance = no_guidance(len(idle))
  return guidance._replace(
    given=guidance.given | idle,
    action=np.where(idle[:, None], noop, guidance.action),
    drawn=guidance.drawn & ~idle,
  )


class ScriptedPlayer(Protocol):
  """A player of all environments of a batch."""

  def observe(self, world: Any) -> None:
    """Takes in the current state, whoever's actions led to it."""
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


class TeachingAgent:
  """A trained agent that follows the student's episodes.

  It sees the student's observations and keeps its own memory of them. It learns
  of the actions taken from the observations, as the student does.

  Args:
    functions: Its acting functions.
    params: Its parameters.
    num_envs: N.
    sizes: Sizes of the action heads.
    seed: Seed of the actions that it draws.
  """

  def __init__(
    self,
    functions: acting.ActorCore,
    params: types.Params,
    num_envs: int,
    sizes: Sequence[int],
    seed: int,
  ):
    self._functions = functions
    self._params = params
    self._state = functions.init(num_envs)
    self._sizes = tuple(sizes)
    self._rng = np.random.Generator(np.random.PCG64(seed))

  def follow(self, step: land.Step) -> tuple[np.ndarray, np.ndarray]:
    """Takes in a step of all environments.

    Returns:
      Its policy's log-probabilities, float32 [N, S], and actions drawn from
      it, int [N, A].
    """
    key = self._rng.integers(2**32, size=2, dtype=np.uint32)
    output, self._state = self._functions.act(
      self._params, self._state, step.observation, np.asarray(step.first), key
    )
    policy = _log_probs(output.behaviour_logits, self._sizes)
    return np.array(policy), np.asarray(output.action)


class Teaching:
  """The other players of a batch of environments.

  Args:
    config: Settings.
    make_player: Makes a scripted player by name.
    num_envs: N.
    num_heads: A.
    seed: Seed for choosing who plays each episode.
    agent: The agent that teaches, if the settings name one.
  """

  def __init__(
    self,
    config: TeachingConfig,
    make_player: Callable[[str], ScriptedPlayer],
    num_envs: int,
    num_heads: int,
    seed: int,
    agent: TeachingAgent | None = None,
  ):
    self._config = config
    self._rng = np.random.default_rng(seed)
    self._agent = agent
    self._teacher = None
    if config.labels == "actions":
      self._teacher = make_player(config.teacher)
    self._demonstrator = None
    if config.demonstrated > 0:
      self._demonstrator = make_player(config.demonstrator)
    self._modes = np.full(num_envs, _AGENT)
    self._shape = (num_envs, num_heads)

  @property
  def labels(self) -> Labels:
    """The form of the labels."""
    return self._config.labels

  @property
  def guided(self) -> np.ndarray:
    """Environments whose episode the agent does not play alone, bool [N]."""
    return self._modes != _AGENT

  def guide(
    self,
    world: Any,
    step: land.Step,
    trial: np.ndarray,
  ) -> rollout.Guidance:
    """Returns the other players' part in the next action.

    Args:
      world: The environments.
      step: Their latest step.
      trial: Number of the current trial, from 0, int [N].
    """
    last = np.asarray(step.last)  # Actions have no effect there.
    self._choose(np.asarray(step.first))
    label = np.full(self._shape, -1, np.int8)
    action = np.zeros(self._shape, np.int8)
    given = (self._modes == _TEACHER) & ~last
    drawn = np.zeros_like(given)
    if self._teacher is not None:
      self._teacher.observe(world)
      rows = np.flatnonzero(~last)
      label[rows] = self._teacher.act(world, rows)
      action[given] = label[given]
    if self._agent is not None:
      label, chosen = self._agent.follow(step)
      action[given] = chosen[given]
      drawn = given.copy()
    if self._demonstrator is not None:
      self._demonstrator.observe(world)
      shows = (self._modes == _DEMONSTRATION) & (trial == 0) & ~last
      rows = np.flatnonzero(shows)
      if rows.size:
        action[rows] = self._demonstrator.act(world, rows)
      given |= shows
    return rollout.Guidance(label, given, action, drawn)

  def _choose(self, first: np.ndarray) -> None:
    """Draws the player of each episode that starts."""
    rows = np.flatnonzero(first)
    taught, shown = self._config.taught, self._config.demonstrated
    draw = self._rng.random(len(rows))
    self._modes[rows] = np.where(
      draw < taught,
      _TEACHER,
      np.where(draw < taught + shown, _DEMONSTRATION, _AGENT),
    )
