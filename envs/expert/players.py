"""The scripted players by name."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from adaland.envs import land
from adaland.envs.expert import expert
from adaland.envs.expert.exploring import explorer, guide, tutor

NAMES = ("expert", "explorer", "forgetful", "tutor", "guide")


class Player(Protocol):
  """A scripted player 1 in each environment of a batch.

  Example::

    player = players.make("explorer", world.num_envs)
    step = world.reset()
    while True:
      player.observe(world)
      step = world.step(player.act(world))

  It needs no resets: the environments show new trials and tasks. A player
  created in the middle of an episode has not seen what came before.
  """

  def observe(self, world: land.Land) -> None:
    """Observes the current state.

    Must be called once in each state, whoever acts: what a player knows follows
    from what it observes, not from the actions that it returns.

    Args:
      world: The environments, always the same ones.
    """
    ...

  def act(
    self, world: land.Land, rows: Sequence[int] | np.ndarray | None = None
  ) -> np.ndarray:
    """Returns actions for the current state, which must have been observed.

    Args:
      world: The environments.
      rows: Indices of the environments to act in; None for all. Only these are
        computed.

    Returns:
      Indices of the action heads, int32 [rows, 6].
    """
    ...


def make(name: str, num_envs: int, seed: int = 0) -> Player:
  """Makes a player.

  Args:
    name: "expert"; "explorer"; "forgetful", an explorer that forgets everything
      at the end of a trial; "tutor", an explorer to imitate; or "guide", a
      tutor that is told the rules.
    num_envs: Number of environments.
    seed: Seed of the expert's random choices.

  Raises:
    ValueError: If there is no such player.
  """
  if name == "expert":
    return expert.Expert(num_envs, seed)
  if name == "tutor":
    return tutor.Tutor(num_envs)
  if name == "guide":
    return guide.Guide(num_envs)
  if name in NAMES:
    return explorer.Explorer(num_envs, remembers=name == "explorer")
  raise ValueError(f"player is {name!r}, allowed: {', '.join(NAMES)}")
