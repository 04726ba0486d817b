"""The explorer, which tries, sees what comes of it, and remembers.

It walks as an agent does and knows what an agent is shown: the goal, the rules
that are not hidden, and what it sees or has seen. What it knows follows from
what happened (`notes`), and what it does from what it knows and from where it
is: it can say at any time what it would do in a state that someone else has
come to.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert import notes, steering, walking
from adaland.envs.tasks.task import Task

# Distances to keep, along the ground, from what is not to be touched, and from
# other objects, metres.
_AVOID_METRES = 1.08
_OBSTACLE_METRES = 0.5
# Between the centres of avatar and object, where it stops.
ARRIVED_METRES = 0.85
# An object behind another one, of which the direction is known so well.
_AHEAD_RADIANS = 0.3
NO_TURN, _TURN_RIGHT, _TURN_LEFT = 2, 0, 4
STAY = 1


class Aim(NamedTuple):
  """The aims of the players of some rows.

  Attributes:
    slot: The object to go to, int [K].
    exists: Whether there is one, bool [K].
    is_goal: Whether it is the goal's, bool [K].
    search: Whether to look around, bool [K].
  """

  slot: np.ndarray
  exists: np.ndarray
  is_goal: np.ndarray
  search: np.ndarray


class Explorer:
  """The player 1 of each environment of a batch; see `players.Player`.

  It goes for the goal's object, if there is one; else for what it knows to turn
  into it, or has seen vanish for no cause in sight; else, if it knows of no
  such type, for the nearest object of a type not yet tried. It keeps away from
  the other objects that something happens to, or that it has not tried.
  """

  def __init__(self, num_envs: int, remembers: bool = True):
    """Initializes the players.

    Args:
      num_envs: Number of environments.
      remembers: Whether they keep their notes from trial to trial.
    """
    self._remembers = remembers
    self._notes: notes.Notes | None = None
    self._tasks: list[Task | None] = [None] * num_envs
    self._goal = np.zeros(num_envs, np.int32)
    self._ways = walking.Ways(num_envs)

  @property
  def known(self) -> notes.Notes:
    """The notes; RuntimeError if nothing has been observed."""
    if self._notes is None:
      raise RuntimeError("a player observes before it acts")
    return self._notes

  def observe(self, world: land.Land) -> None:
    """Takes in the current state."""
    view = world.batch_view()
    if self._notes is None:
      num_envs, num_slots = view.slot_types.shape
      self._notes = notes.Notes(num_envs, num_slots, self._remembers)
    for i in np.flatnonzero(view.step == 0):
      self._read(i, world.tasks[i])
    self._notes.update(view, self._goal)

  def act(
    self, world: land.Land, rows: Sequence[int] | np.ndarray | None = None
  ) -> np.ndarray:
    """Returns actions for the current state; see `players.Player`."""
    view = world.batch_view()
    rows = np.arange(world.num_envs) if rows is None else np.asarray(rows)
    aim = self._aim(view, rows)
    return self._walk(view, rows, aim)

  def _read(self, i: int, task: Task) -> None:
    if task is self._tasks[i]:
      return
    check(task)
    self._tasks[i] = task
    self._goal[i] = task.players[0].goal.object_types[0].type_id

  def _aim(self, view: land.BatchView, rows: np.ndarray) -> Aim:
    """Chooses what to go to."""
    own = self.known
    types, touch, goal = own.types[rows], own.touch[rows], self._goal[rows]
    present = types > 0
    untried = touch == notes.UNTRIED
    good = (touch == goal[:, None]) | (
      own.suspect[rows] & (untried | (touch == notes.VANISHES))
    )
    is_goal = types == goal[:, None]
    is_good = present & np.take_along_axis(good, types, axis=1)
    is_new = present & np.take_along_axis(untried, types, axis=1)
    is_new &= types == own.home_types[rows]
    knows = good.any(axis=1)
    options = np.where(
      is_goal.any(axis=1)[:, None],
      is_goal,
      np.where(knows[:, None], is_good, is_new),
    )
    exists = options.any(axis=1)
    seen = options & own.seen[rows]
    some_seen = seen.any(axis=1)
    options = np.where(some_seen[:, None], seen, options)
    offset = own.pos[rows, :, :2] - view.player_pos[rows, :1, :2]
    distance = np.linalg.norm(offset, axis=-1)
    slot = np.argmin(np.where(options, distance, np.inf), axis=1)
    # A type that turns into the goal's object, but is gone, is waited for; if
    # it turned into something, that is looked for.
    had = np.take_along_axis(good, own.home_types[rows], axis=1).any(axis=1)
    just = good[np.arange(len(rows)), own.last[rows]]
    search = ~exists & (~had | just) & ~own.looked[rows].all(axis=1)
    # A reward without the goal's object in view: it is beside or behind.
    rewarded = (view.last_reward[rows, 0] > 0) & (view.step[rows] > 0)
    rewarded &= ~is_goal.any(axis=1)
    exists &= ~rewarded
    search |= rewarded
    return Aim(slot, exists, is_goal.any(axis=1), search)

  def clearance(
    self, rows: np.ndarray, target: np.ndarray, avoid: float
  ) -> np.ndarray:
    """Returns the distances to keep from objects, metres, float [K, S].

    Args:
      rows: The environments, int [K].
      target: The object to go to, which has none, int [K].
      avoid: Distance from objects that something happens to, or may, metres.
    """
    types, touch = self.known.types[rows], self.known.touch[rows]
    harmless = np.take_along_axis(touch == notes.INERT, types, axis=1)
    harmless |= types == self._goal[rows, None]
    radius = np.where(harmless, _OBSTACLE_METRES, avoid)
    radius = np.where(types > 0, radius, 0.0)
    radius[np.arange(len(rows)), target] = 0
    return radius

  def _walk(
    self, view: land.BatchView, rows: np.ndarray, aim: Aim
  ) -> np.ndarray:
    """Returns the actions that lead there."""
    own, k = self.known, np.arange(len(rows))
    here, yaw = view.player_pos[rows, 0], view.yaw[rows, 0]
    offset = own.pos[rows] - here[:, None]
    target = offset[k, aim.slot]
    bearing = np.arctan2(target[:, 1], target[:, 0])
    error = steering.wrap(bearing - yaw)
    seen = own.seen[rows, aim.slot] | (np.abs(error) < _AHEAD_RADIANS)
    radius = self.clearance(rows, aim.slot, _AVOID_METRES)
    point = self._ways.point(view, rows, target[:, :2], offset[..., :2], radius)
    way = steering.wrap(np.arctan2(point[:, 1], point[:, 0]) - yaw)
    turn = walking.turn_to(way)
    # Unseen, it is looked for; once begun, in the direction of the last turn.
    last = view.last_action[rows, 0, 2]
    around = turn_around(last, np.zeros(len(rows), bool))
    towards = np.where(error > 0, _TURN_LEFT, _TURN_RIGHT)
    turn = np.where(seen, turn, towards)
    turn = np.where(aim.exists, turn, np.where(aim.search, around, NO_TURN))
    centre = target - np.array([0, 0, constants.AVATAR_HEIGHT / 2])
    arrived = np.linalg.norm(centre, axis=-1) < ARRIVED_METRES
    walks = aim.exists & seen & ~(aim.is_goal & arrived)
    move = walking.walk_to(point, offset[..., :2], radius, yaw, turn)
    actions = np.tile(np.array(constants.NOOP_ACTION, np.int32), (len(rows), 1))
    actions[:, :2] = np.where(walks[:, None], move, STAY)
    actions[:, 2] = turn
    actions[:, 3] = walking.look_to(constants.START_PITCH - view.pitch[rows, 0])
    return actions


def check(task: Task) -> None:
  """Checks that explorers can play a task.

  Raises:
    ValueError: If they can't.
  """
  goal = task.players[0].goal
  if (
    len(task.players) > 1
    or goal.predicate != "near"
    or goal.negated
    or len(goal.object_types) != 1
  ):
    raise ValueError(
      f"task {task.name!r}: the explorer can't play it, allowed: one player "
      "whose goal is near(player1, object type)"
    )


def turn_around(last: np.ndarray, right: np.ndarray) -> np.ndarray:
  """Returns fast turns in the direction of the last ones, int [K].

  Args:
    last: The turns taken last, int [K].
    right: Where to begin to the right, not to the left, bool [K].
  """
  turning = (last == _TURN_LEFT) | (last == _TURN_RIGHT)
  return np.where(turning, last, np.where(right, _TURN_RIGHT, _TURN_LEFT))
