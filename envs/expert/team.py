"""Two scripted experts that play together.

Both know the whole task and the true state, so they make the same plan without
communication. One does its next step; the other prepares the step that it does
next, or does it already if that is harmless.
"""

import collections
from collections.abc import Sequence

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.control import controller, senses
from adaland.envs.expert.ways import strategy
from adaland.envs.tasks import symbolic

_OTHER = constants.PLAYER_TYPE_IDS[1]
_SWAPPED = {senses.PLAYER: _OTHER, _OTHER: senses.PLAYER}


class Team:
  """Both players of each environment of a batch.

  They pursue player 1's goal, which in most tasks is player 2's too. In tasks
  with one player, the second player's actions have no effect.
  """

  def __init__(self, num_envs: int, seed: int = 0):
    """Initializes the players.

    Args:
      num_envs: Number of environments.
      seed: Seed of their random choices.
    """
    seeds = np.random.SeedSequence(seed).spawn(2 * num_envs)
    self._members = [
      [
        _Member(np.random.Generator(np.random.PCG64(seeds[2 * i + player])))
        for player in range(2)
      ]
      for i in range(num_envs)
    ]
    self._strategies = [strategy.Strategy() for _ in range(num_envs)]

  def observe(self, world: land.Land) -> None:
    """Reads the current state."""
    for i in np.flatnonzero(world.clock.now.step == 0):
      for member in self._members[i]:
        member.reset()

  def act(self, world: land.Land) -> np.ndarray:
    """Returns actions for the current state, int32 [N, 2, 6]."""
    batch = world.batch_view()
    rewarded = batch.last_reward[:, 0] > 0
    actions: list[list[tuple[int, ...]]] = []
    for i, members in enumerate(self._members):
      view, task = batch.row(i), world.tasks[i]
      game = symbolic.make_game(task, len(view.slot_types))
      failures = collections.Counter(members[0].failures)
      failures += collections.Counter(members[1].failures)
      num_players = len(task.players)
      step = self._strategies[i].next_step(game, view, failures, num_players)
      if step is None:
        actions.append([constants.NOOP_ACTION] * 2)
        continue
      satisfied = step.is_goal and view.step > 0 and bool(rewarded[i])
      actions.append(
        _act_together(members[:num_players], step, view, satisfied)
      )
    return np.array(actions, np.int32)


class _Member:
  """A player that sees itself as player 1."""

  def __init__(self, rng: np.random.Generator):
    self._controller = controller.Controller(rng)

  @property
  def failures(self) -> dict[tuple[int, ...], int]:
    """Number of failed attempts in this trial, by slots."""
    return self._controller.failures

  def reset(self) -> None:
    """Forgets the previous trial."""
    self._controller.reset()

  def act(
    self, view: land.WorldView, step: strategy.NextStep, satisfied: bool
  ) -> tuple[int, ...]:
    """Returns an action towards the next step of the plan."""
    return self._controller.act(
      view, step.wanted, step.avoid, satisfied, step.slots, step.is_goal
    )

  def help(
    self, view: land.WorldView, step: strategy.NextStep
  ) -> tuple[int, ...]:
    """Returns an action towards a later step of the plan."""
    later = step.meanwhile
    if not step.wanted.object_types:  # The other player comes here.
      return constants.NOOP_ACTION
    if later is None:
      return self._controller.make_way(view, step.avoid)
    if later.wanted is None:
      return self._controller.prepare(
        view, later.slots[0], later.at, step.avoid
      )
    return self._controller.act(
      view, later.wanted, step.avoid, slots=later.slots, lasting=False
    )


def _act_together(
  members: Sequence[_Member],
  step: strategy.NextStep,
  view: land.WorldView,
  satisfied: bool,
) -> list[tuple[int, ...]]:
  actions: list[tuple[int, ...]] = [constants.NOOP_ACTION] * 2
  for player, member in enumerate(members):
    seen, own = (view, step) if player == 0 else (swap(view), swap_step(step))
    if satisfied or player == step.player:  # Each keeps what it holds.
      actions[player] = member.act(seen, own, satisfied)
    else:
      actions[player] = member.help(seen, own)
  return actions


def swap(view: land.WorldView) -> land.WorldView:
  """Returns the view with the players swapped."""
  order = np.array([1, 0])
  nodes = np.arange(view.visible.shape[1])
  nodes[:2] = order
  return view._replace(
    held=view.held[order],
    hand_distance=view.hand_distance[order],
    player_pos=view.player_pos[order],
    yaw=view.yaw[order],
    pitch=view.pitch[order],
    visible=view.visible[order][:, nodes],
    trial_rewards=view.trial_rewards[:, order],
  )


def _swap_condition(condition: symbolic.Condition) -> symbolic.Condition:
  return condition._replace(
    a=_SWAPPED.get(condition.a, condition.a),
    b=_SWAPPED.get(condition.b, condition.b),
  )


def swap_step(step: strategy.NextStep) -> strategy.NextStep:
  """Returns a step as the other player sees it, as player 1."""
  later = step.meanwhile
  if later is not None and later.wanted is not None:
    later = later._replace(wanted=_swap_condition(later.wanted))
  return step._replace(
    wanted=_swap_condition(step.wanted),
    avoid=tuple(_swap_condition(x) for x in step.avoid),
    meanwhile=later,
  )
