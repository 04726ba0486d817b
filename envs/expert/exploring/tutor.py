"""The tutor: an explorer whose actions can be learned from what is in view.

The explorer walks to objects that it saw before, along a planned path. To
predict this, an agent would need a map in its memory; without one its policy is
blurred. The tutor gives up some reward for actions that follow from the view
and from what was learned about the rules: it turns until it sees its target,
then walks there, and avoids obstacles only as it comes near them. When nothing
is left to do it keeps turning, since the view does not show that. It carries
objects in the same way (`delivery`). If there are places to carry objects to,
it grips even an object that it only needs to be near: an agent that doesn't
know what was tried would have to guess what to do with the hand.
"""

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.exploring import (
  delivery,
  errands,
  explorer,
  in_view,
  notes,
  playable,
)
from adaland.envs.expert.ways import steering, walking
from adaland.envs.tasks.task import Task

# Distance to keep from objects to avoid, metres; with more, the tutor could not
# get past them at all.
_AVOID_METRES = 1.05
# The same while carrying, from objects that the carried one must not be near.
_PASS_METRES = 1.1
_GRIP = constants.ACTION_HEADS.index("grip")


class Tutor(explorer.Explorer):
  """Player 1 of each environment of a batch; see `players.Player`."""

  def _check(self, task: Task) -> None:
    """Raises ValueError if the player can't play a task."""
    playable.check_tutor(task)

  def _walk(
    self, view: land.BatchView, rows: np.ndarray, aim: explorer.Aim
  ) -> np.ndarray:
    """Returns the actions that lead to the aims."""
    own, k = self.known, np.arange(len(rows))
    offset = own.pos[rows, :, :2] - view.player_pos[rows, :1, :2]
    yaw, target = view.yaw[rows, 0], offset[k, aim.slot]
    error = np.arctan2(target[:, 1], target[:, 0]) - yaw
    error = steering.wrap(error)
    visible = in_view.visible_slots(view)[rows, aim.slot] & aim.exists
    radius = self.clearance(rows, aim.slot, _AVOID_METRES)
    # Search in the direction of the last turn.
    around = walking.turn_around(
      view.last_action[rows, 0, 2], aim.exists & (error < 0)
    )
    turn = np.where(visible, walking.turn_to(error), around)
    arrived = steering.lengths(target) < explorer.ARRIVED_METRES
    walks = visible & ~(aim.is_goal & arrived)
    move = walking.walk_to(target, offset, radius, yaw, turn)
    actions = np.tile(np.array(constants.NOOP_ACTION, np.int32), (len(rows), 1))
    actions[:, :2] = np.where(walks[:, None], move, explorer.STAY)
    actions[:, 2] = turn
    actions[:, 3] = walking.level(view.pitch[rows, 0])
    return actions

  def _first(
    self, view: land.BatchView, rows: np.ndarray, options: np.ndarray
  ) -> np.ndarray:
    """Returns the preferred ones of several objects, bool [K, S]."""
    options = super()._first(view, rows, options)
    visible = in_view.visible_slots(view)[rows]
    return explorer.prefer(options & visible, options)

  def _grips(self, i: int, errand: errands.Errand) -> bool:
    """Returns True, to use the hand in the same way for all errands."""
    del i, errand
    return True

  def _in_view(self, view: land.BatchView, i: int) -> np.ndarray:
    """Returns the objects in the field of view, bool [S]."""
    at, feet = self.known.pos[i], view.player_pos[i, 0]
    inside = in_view.well_inside(at, feet, view.yaw[i, 0], view.pitch[i, 0])
    # The object in the hand may hide the place.
    return in_view.visible_slots(view)[i] | inside

  def _carry(
    self, view: land.BatchView, i: int, errand: errands.Errand
  ) -> tuple[int, ...]:
    """Returns the action that carries an object to another."""
    own = self.known
    offset = own.pos[i] - view.player_pos[i, 0]
    offset[:, 2] -= constants.EYE_HEIGHT
    held = int(view.held[i, 0])
    target = errand.target(held)
    bearing = np.arctan2(offset[target, 1], offset[target, 0])
    error = steering.wrap(bearing - view.yaw[i, 0])
    last = view.last_action[i : i + 1, 0, 2]
    [around] = walking.turn_around(last, np.array([error < 0]))
    return delivery.act(
      delivery.Scene(
        offset,
        self._carry_clearance(i, errand),
        self._in_view(view, i),
        in_view.visible_slots(view)[i] & ~own.frozen[i],
        errand,
        float(view.yaw[i, 0]),
        float(view.pitch[i, 0]),
        held,
        float(view.hand_distance[i, 0]),
        bool(view.last_action[i, 0, _GRIP] == 1),
        int(around),
      )
    )

  def _carry_clearance(self, i: int, errand: errands.Errand) -> np.ndarray:
    """Returns the distances to keep from objects on an errand, metres, [S]."""
    own = self.known
    [radius] = self.clearance(
      np.array([i]), np.array([errand.slot]), _AVOID_METRES
    )
    if errand.place < 0:
      return radius
    types = own.types[i]
    harm = own.pair[i, types[errand.slot], types] != notes.INERT
    radius = np.where(harm & (types > 0), _PASS_METRES, radius)
    radius[[errand.slot, errand.place]] = 0
    return radius
