"""The explorer, which experiments, observes the results and remembers them.

It walks as an agent does and knows what an agent is shown: the goal, the rules
that are not hidden, and what it sees or has seen.

This module plays tasks in flat rooms whose rules are all hidden and whose goal
is to be near an object. What the player knows follows from what happened
(`notes`), and what it does follows from what it knows and where it is, so it
can label states that another player has reached. A `researcher` plays all other
tasks.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.control import controller
from adaland.envs.expert.exploring import errands, notes, playable, researcher
from adaland.envs.expert.ways import steering, walking
from adaland.envs.tasks import symbolic
from adaland.envs.tasks.task import Task

_PLAYER = constants.PLAYER_TYPE_IDS[0]

# Distances to keep along the ground from objects to avoid, and from other
# objects, metres.
_AVOID_METRES = 1.08
_OBSTACLE_METRES = 0.5
# Distance between the centres of avatar and object at which the avatar stops.
ARRIVED_METRES = 0.85
STAY = 1


class Aim(NamedTuple):
  """The aims of the players of some rows.

  Attributes:
    slot: The object to go to, int [K].
    exists: Whether there is one, bool [K].
    is_goal: Whether it is the goal's object, bool [K].
    settled: Whether there is no need to consider pairs, bool [K].
    search: Whether to look around, bool [K].
  """

  slot: np.ndarray
  exists: np.ndarray
  is_goal: np.ndarray
  settled: np.ndarray
  search: np.ndarray


class Explorer:
  """Player 1 of each environment of a batch; see `players.Player`.

  It goes to the goal's object, if there is one; else to an object whose type is
  known to turn into it, or was seen to vanish without a visible cause; else, if
  it knows no such type, to the nearest object of a type not yet tried. It keeps
  away from other objects that react to it, or that it has not tried.
  """

  def __init__(self, num_envs: int, remembers: bool = True):
    """Initializes the players.

    Args:
      num_envs: Number of environments.
      remembers: Whether they keep their notes from trial to trial.
    """
    self._remembers = remembers
    self._notes: notes.Notes | None = None
    self._view: land.BatchView | None = None  # The state last observed.
    self._tasks: list[Task | None] = [None] * num_envs
    # The players of tasks that are not simple (see `playable.is_simple`).
    self._researchers: dict[int, researcher.Researcher] = {}
    self._goal = np.zeros(num_envs, np.int32)
    self._ways = walking.Ways(num_envs)
    self._controllers = [
      controller.Controller(np.random.Generator(np.random.PCG64(0)))
      for _ in range(num_envs)
    ]

  @property
  def known(self) -> notes.Notes:
    """The notes; RuntimeError if nothing has been observed."""
    if self._notes is None:
      raise RuntimeError("a player observes before it acts")
    return self._notes

  @property
  def view(self) -> land.BatchView:
    """The state last observed; RuntimeError if there is none."""
    if self._view is None:
      raise RuntimeError("a player observes before it acts")
    return self._view

  def observe(self, world: land.Land) -> None:
    """Reads the current state."""
    self._view = view = world.batch_view()
    if self._notes is None:
      num_envs, num_slots = view.slot_types.shape
      self._notes = notes.Notes(num_envs, num_slots, self._remembers)
    for i, task in enumerate(world.tasks):
      if task is not self._tasks[i]:
        self._read(i, task)
    for i in np.flatnonzero(view.step == 0):
      self._controllers[i].reset()
    self._notes.update(view, self._goal)
    grip = constants.ACTION_HEADS.index("grip")
    for i, player in self._researchers.items():
      gripped = bool(view.last_action[i, 0, grip] > 0)
      player.observe(view.row(i), gripped, float(view.last_reward[i, 0]))

  def act(
    self, world: land.Land, rows: Sequence[int] | np.ndarray | None = None
  ) -> np.ndarray:
    """Returns actions for the current state; see `players.Player`."""
    view = self.view
    rows = np.arange(world.num_envs) if rows is None else np.asarray(rows, int)
    actions = np.zeros((len(rows), len(constants.ACTION_SIZES)), np.int32)
    others = np.array([i in self._researchers for i in rows], bool)
    for k in np.flatnonzero(others):
      i = int(rows[k])
      actions[k] = self._researchers[i].act(view.row(i))
    if not others.all():
      actions[~others] = self._act(view, rows[~others])
    return actions

  def _act(self, view: land.BatchView, rows: np.ndarray) -> np.ndarray:
    """Returns actions in simple tasks, int32 [K, 6]."""
    aim = self._aim(view, rows)
    chosen = self._errands(view, rows, aim)
    for k, errand in chosen.items():
      aim.slot[k], aim.exists[k] = errand.slot, True
    actions = self._walk(view, rows, aim)
    for k, errand in chosen.items():
      i = int(rows[k])
      if self._grips(i, errand) and self.known.seen[i, errand.slot]:
        actions[k] = self._carry(view, i, errand)
    return actions

  def _read(self, i: int, task: Task) -> None:
    """Prepares for a new task."""
    self._check(task)
    self._tasks[i] = task
    self._researchers.pop(i, None)
    self._goal[i] = 0
    if playable.is_simple(task):
      self._goal[i] = task.players[0].goal.object_types[0].type_id
    else:
      self._researchers[i] = researcher.Researcher(task, self._remembers)

  def _check(self, task: Task) -> None:
    """Raises ValueError if the player can't play a task."""
    playable.check(task)

  def _aim(self, view: land.BatchView, rows: np.ndarray) -> Aim:
    """Chooses the objects to go to."""
    own = self.known
    types, touch, goal = own.types[rows], own.touch[rows], self._goal[rows]
    present = types > 0
    untried = touch == notes.UNTRIED
    # Where objects are carried to places, many vanish out of sight.
    places = own.home_frozen[rows].any(axis=1, keepdims=True)
    suspect = (
      own.suspect[rows] & (untried | (touch == notes.VANISHES)) & ~places
    )
    good = (touch == goal[:, None]) | suspect
    is_goal = types == goal[:, None]
    is_good = present & np.take_along_axis(good, types, axis=1)
    is_new = present & np.take_along_axis(untried, types, axis=1)
    is_new &= (types == own.home_types[rows]) & ~own.frozen[rows]
    knows = good.any(axis=1)
    options = np.where(
      is_goal.any(axis=1)[:, None],
      is_goal,
      np.where(knows[:, None], is_good, is_new),
    )
    exists = options.any(axis=1)
    options = self._first(view, rows, options)
    offset = own.pos[rows, :, :2] - view.player_pos[rows, :1, :2]
    distance = steering.lengths(offset)
    slot = np.argmin(np.where(options, distance, np.inf), axis=1)
    # Look for the known product of the last contact, and for the goal's object
    # if there is a reward. Wait for a type that turns into it but is gone.
    expected = own.expected()[rows]
    missing = (expected > 0) & ~(types == expected[:, None]).any(axis=1)
    missing &= ~own.looked[rows].all(axis=1)
    missing |= (view.last_reward[rows, 0] > 0) & (view.step[rows] > 0)
    missing &= ~is_goal.any(axis=1)
    had = np.take_along_axis(good, own.home_types[rows], axis=1).any(axis=1)
    search = ~exists & ~had & ~own.looked[rows].all(axis=1)
    exists &= ~missing
    search |= missing
    settled = is_goal.any(axis=1) | missing | knows
    return Aim(slot, exists, is_goal.any(axis=1), settled, search)

  def _first(
    self, view: land.BatchView, rows: np.ndarray, options: np.ndarray
  ) -> np.ndarray:
    """Returns the preferred ones of several objects, bool [K, S]."""
    del view
    return prefer(options & self.known.seen[rows], options)

  def _errands(
    self, view: land.BatchView, rows: np.ndarray, aim: Aim
  ) -> dict[int, errands.Errand]:
    """Returns the errands of the rows with places, by row."""
    own, found = self.known, {}
    places = (own.frozen[rows] & (own.types[rows] > 0)).any(axis=1)
    for k in np.flatnonzero(places & ~aim.settled):
      i = int(rows[k])
      errand = errands.choose(
        own,
        i,
        int(self._goal[i]),
        view.player_pos[i, 0],
        int(view.held[i, 0]),
        self._in_view(view, i),
      )
      if errand is not None:
        found[int(k)] = errand
    return found

  def _grips(self, i: int, errand: errands.Errand) -> bool:
    """Returns True if the hand should take the object of an errand."""
    del i
    return errand.place >= 0

  def _in_view(self, view: land.BatchView, i: int) -> np.ndarray | None:
    """Returns the objects to prefer in choices, None for all."""
    del view, i
    return None

  def _carry(
    self, view: land.BatchView, i: int, errand: errands.Errand
  ) -> tuple[int, ...]:
    """Returns the action that carries an object to another."""
    own = self.known
    types = own.types[i]
    carried, place = int(types[errand.slot]), int(types[errand.place])
    others = {int(kind) for kind in types[types > 0]} - {carried, place}
    avoid = [
      symbolic.Condition("near", _PLAYER, kind)
      for kind in others
      if own.touch[i, kind] != notes.INERT
      and kind not in own.types[i][own.frozen[i]]
    ]
    avoid += [
      symbolic.Condition("near", carried, kind)
      for kind in others
      if own.pair[i, carried, kind] != notes.INERT
    ]
    seen = view.row(i)._replace(slot_types=types, object_pos=own.pos[i])
    wanted = symbolic.Condition("near", carried, place)
    return self._controllers[i].act(seen, wanted, avoid)

  def clearance(
    self, rows: np.ndarray, target: np.ndarray, avoid: float
  ) -> np.ndarray:
    """Returns the distances to keep from objects, metres, float [K, S].

    Args:
      rows: The environments, int [K].
      target: The object to go to, which needs no distance, int [K].
      avoid: Distance from objects that react, or may react, metres.
    """
    own = self.known
    types, touch = own.types[rows], own.touch[rows]
    harmless = np.take_along_axis(touch == notes.INERT, types, axis=1)
    harmless |= (types == self._goal[rows, None]) | own.frozen[rows]
    radius = np.where(harmless, _OBSTACLE_METRES, avoid)
    radius = np.where(types > 0, radius, 0.0)
    k = np.arange(len(rows))
    # An object near the goal's one must not keep the player from it.
    gap = steering.lengths(
      own.pos[rows, :, :2] - own.pos[rows, target][:, None, :2]
    )
    is_goal = types[k, target] == self._goal[rows]
    radius = np.where(is_goal[:, None], np.minimum(radius, gap), radius)
    radius[k, target] = 0
    return radius

  def _walk(
    self, view: land.BatchView, rows: np.ndarray, aim: Aim
  ) -> np.ndarray:
    """Returns the actions that lead to the aims."""
    own, k = self.known, np.arange(len(rows))
    here, yaw = view.player_pos[rows, 0], view.yaw[rows, 0]
    offset = own.pos[rows] - here[:, None]
    target = offset[k, aim.slot]
    radius = self.clearance(rows, aim.slot, _AVOID_METRES)
    point = self._ways.point(view, rows, target[:, :2], offset[..., :2], radius)
    way = steering.wrap(np.arctan2(point[:, 1], point[:, 0]) - yaw)
    turn = walking.turn_to(way)
    # Look around in the direction of the last turn.
    last = view.last_action[rows, 0, 2]
    around = walking.turn_around(last, np.zeros(len(rows), bool))
    idle = np.where(aim.search, around, walking.NO_TURN)
    turn = np.where(aim.exists, turn, idle)
    centre = target - np.array([0, 0, constants.AVATAR_HEIGHT / 2])
    arrived = steering.lengths(centre) < ARRIVED_METRES
    walks = aim.exists & ~(aim.is_goal & arrived)
    move = walking.walk_to(point, offset[..., :2], radius, yaw, turn)
    actions = np.tile(np.array(constants.NOOP_ACTION, np.int32), (len(rows), 1))
    actions[:, :2] = np.where(walks[:, None], move, STAY)
    actions[:, 2] = turn
    actions[:, 3] = walking.look_to(constants.START_PITCH - view.pitch[rows, 0])
    return actions


def prefer(preferred: np.ndarray, options: np.ndarray) -> np.ndarray:
  """Returns the preferred options of rows that have any, else all, [K, S]."""
  return np.where(preferred.any(axis=1, keepdims=True), preferred, options)
