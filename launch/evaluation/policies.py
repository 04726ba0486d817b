"""Policies: the agent, the scripted expert, random and no-op actions.

A policy gets the same input as an agent, the `Step` of a batch of environments.
Only scripted players and people look at the environments themselves, to which
they are bound when constructed.
"""

import numbers
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import jax
import numpy as np

from adaland.agent import acting, types
from adaland.envs import constants, land
from adaland.envs.expert import players
from adaland.envs.expert.exploring import playable
from adaland.envs.tasks.task import Task
from adaland.launch import errors

NAMES = ("agent", *players.NAMES, "noop", "random")


def is_whole(value: Any) -> bool:
  """Returns whether a value is a whole number, Python's or NumPy's."""
  return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def checked_seed(seed: Any) -> int:
  """Returns a seed as Python's number.

  Raises:
    UserError: If it is not a whole number from 0.
  """
  if not is_whole(seed) or seed < 0:
    raise errors.UserError(
      f"seed is {errors.shown(seed)}, allowed: a whole number from 0"
    )
  return int(seed)


def check_tasks(name: str, tasks: Iterable[Task]) -> None:
  """Checks that a scripted player can play tasks, before anybody plays.

  Args:
    name: One of `NAMES`; players that play everything are never refused.
    tasks: Tasks of one player.

  Raises:
    UserError: If it can't play one of them.
  """
  check = playable.CHECKS.get(name)
  if check is None:
    return
  with errors.user_input():
    for task in tasks:
      check(task)


class EndedError(Exception):
  """The player has ended the episode."""


class Policy(Protocol):
  """A player in a batch of environments.

  Example::

    class Still:
      def act(self, step):
        return np.tile([1, 1, 2, 1, 0, 1], (len(step.first), 1))

    print(adaland.evaluate(Still(), "laptop"))
  """

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the next actions.

    Args:
      step: The environments' latest step; where `first` is true an episode
        starts, and memory must be empty.

    Returns:
      Indices of the action heads, int [N, A].

    Raises:
      EndedError: If the episode must end before this step.
    """
    ...


# Makes a policy for a batch of environments that has not been reset yet.
PolicyMaker = Callable[[land.Land], Policy]


class Noop:
  """A player that does nothing.

  Example::

    adaland.evaluate(adaland.policies.Noop(), "laptop")
  """

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the same action for all environments."""
    return np.tile(
      np.array(constants.NOOP_ACTION, np.int32), (len(step.first), 1)
    )


class Random:
  """A player that draws every head uniformly at every step.

  Example::

    adaland.evaluate(adaland.policies.Random(seed=1), "laptop")
  """

  def __init__(self, seed: int = 0):
    self._rng = np.random.Generator(np.random.PCG64(checked_seed(seed)))

  def act(self, step: land.Step) -> np.ndarray:
    """Returns random actions."""
    shape = (len(step.first), len(constants.ACTION_SIZES))
    return self._rng.integers(0, constants.ACTION_SIZES, shape, np.int32)


class _Scripted:
  """A scripted player, bound to the environments."""

  name: str

  def __init__(self, environments: land.Land):
    self._environments = environments
    self._player = players.make(self.name, environments.num_envs)

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the player's actions in the environments' current state.

    Raises:
      UserError: If the player can't play a task.
    """
    del step
    with errors.user_input():
      self._player.observe(self._environments)
      return self._player.act(self._environments)


class Expert(_Scripted):
  """The scripted expert, which knows the whole task.

  Example::

    env = adaland.make("laptop", num_envs=4)
    expert = adaland.policies.Expert(env)
    step = env.reset()
    step = env.step(expert.act(step))
  """

  name = "expert"


class Explorer(_Scripted):
  """The scripted explorer, which knows only what an agent is shown.

  It tries things out, and remembers its findings over an episode's trials.

  Example::

    env = adaland.make(tasks="traps", num_envs=4)
    explorer = adaland.policies.Explorer(env)
    step = env.reset()
    step = env.step(explorer.act(step))
  """

  name = "explorer"


class Forgetful(_Scripted):
  """The scripted explorer without memory of earlier trials.

  Example::

    print(adaland.evaluate("forgetful", tasks="traps"))
  """

  name = "forgetful"


class Tutor(_Scripted):
  """The scripted explorer that agents are taught to imitate.

  Example::

    print(adaland.evaluate("tutor", tasks="traps"))
  """

  name = "tutor"


class Guide(_Scripted):
  """The scripted tutor that is told the rules, for demonstrations.

  Example::

    print(adaland.evaluate("guide", tasks="fetch"))
  """

  name = "guide"


class Agent:
  """A trained agent; it samples its actions, as in training."""

  def __init__(
    self,
    actor: acting.ActorCore,
    params: types.Params,
    num_envs: int,
    seed: int,
    temperature: float = 1.0,
  ):
    """Initializes the agent.

    Args:
      actor: The agent's acting functions.
      params: The agent's parameters.
      num_envs: Number of environments.
      seed: Seed of the actions.
      temperature: Divides the policy's logits: 1 acts as in training, lower
        values are less random.
    """
    self._actor = actor
    self._params = params
    self._state = actor.init(num_envs)
    self._rng = np.random.Generator(np.random.PCG64(seed))
    # An array, so that another temperature does not compile another program.
    self._temperature = () if temperature == 1 else (np.float32(temperature),)

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the agent's actions for the step."""
    key = self._rng.integers(2**32, size=2, dtype=np.uint32)
    output, self._state = self._actor.act(
      self._params,
      self._state,
      step.observation,
      step.first,
      key,
      *self._temperature,
    )
    return np.asarray(output.action)

  def copy_memory(self, donors: np.ndarray) -> None:
    """Gives each row a copy of a row's memory.

    Args:
      donors: For each row, the row whose memory it gets, int [N].
    """
    memory = jax.tree.map(lambda x: x[donors], self._state.memory)
    self._state = self._state._replace(memory=memory)


class _Function:
  """A function from a step to actions, as a policy."""

  def __init__(self, function: Callable[[land.Step], np.ndarray]):
    self._function = function

  def act(self, step: land.Step) -> np.ndarray:
    """Calls the function."""
    return self._function(step)


def baseline(name: str, seed: int) -> PolicyMaker:
  """Returns a function that makes a named policy without parameters."""
  makers: dict[str, PolicyMaker] = {
    "expert": Expert,
    "guide": Guide,
    "explorer": Explorer,
    "forgetful": Forgetful,
    "noop": lambda environments: Noop(),
    "random": lambda environments: Random(seed),
    "tutor": Tutor,
  }
  return makers[name]


def maker(policy: Any, seed: int = 0) -> PolicyMaker:
  """Returns a function that makes the policy given by a user.

  Args:
    policy: An object with `act(step)` and, if it keeps state for each
      environment, `reset(num_envs)`, which is called before the first step of a
      batch; a function from a step to actions; or a name, such as "random". A
      scripted player is bound to the environments that are played, whichever it
      was made with.
    seed: Seed of "random".

  Raises:
    UserError: If the policy is none of these.
  """
  if isinstance(policy, str):
    if policy not in NAMES[1:]:
      raise errors.choice("policy", policy, NAMES[1:])
    return baseline(policy, seed)
  if isinstance(policy, _Scripted):
    # The given player is bound to other environments, which are not played.
    return type(policy)
  if not isinstance(policy, type):
    if callable(getattr(policy, "act", None)):
      return lambda environments: _begun(policy, environments.num_envs)
    if callable(policy):
      return lambda environments: _Function(policy)
  raise errors.UserError(
    f"policy is {errors.shown(policy)}, allowed: an object with act(step), a "
    f"function from a step to actions, or {', '.join(NAMES[1:])}"
  )


def _begun(policy: Any, num_envs: int) -> Policy:
  if callable(getattr(policy, "reset", None)):
    policy.reset(num_envs)
  return policy
