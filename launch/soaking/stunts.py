"""Rough players, which throw, climb, wedge, pile and reach over the border."""

from collections.abc import Callable, Generator, Mapping
from typing import Final

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.ways import steering

# A stunt yields an action for each step and returns when it is over.
Stunt = Generator[steering.Action, None, None]

_FETCH_STEPS: Final = 45
_CHOICE: Final = 3  # Number of nearest objects, one of which is fetched.


class Performer:
  """One player of one environment, as its stunts see it.

  Attributes:
    view: The current state of the environment.
    player: Number of the player, from 0.
    rng: Source of randomness.
  """

  def __init__(self, player: int, rng: np.random.Generator):
    self.view: land.WorldView
    self.player = player
    self.rng = rng

  @property
  def holds(self) -> bool:
    """True if the player's hand holds an object."""
    return bool(self.view.held[self.player] >= 0)

  def targets(self) -> np.ndarray:
    """Returns slots with objects that can be taken, nearest first."""
    view = self.view
    taken = np.isin(np.arange(len(view.slot_types)), view.held)
    free = np.flatnonzero((view.slot_types > 0) & ~view.frozen & ~taken)
    offsets = view.object_pos[free] - view.player_pos[self.player]
    return free[np.argsort(np.linalg.norm(offsets, axis=-1))]

  def approach(self, slot: int, grip: int) -> steering.Action:
    """Returns an action that walks to an object and looks at it."""
    view, action = self.view, steering.Action(grip=grip)
    feet, yaw = view.player_pos[self.player], view.yaw[self.player]
    offset = view.object_pos[slot] - feet
    error = steering.wrap(np.arctan2(offset[1], offset[0]) - yaw)
    steering.turn_towards(action, float(error))
    away = float(np.hypot(*offset[:2]))
    wanted = np.arctan2(offset[2] - constants.EYE_HEIGHT, max(away, 0.1))
    steering.look_towards(action, float(wanted - view.pitch[self.player]))
    if away > 0.9:
      steering.walk_towards(action, offset[:2], float(yaw))
    return action


def _keep(steps: int, **heads: int) -> Stunt:
  """Repeats one action for some steps."""
  for _ in range(steps):
    yield steering.Action(**heads)


def _fetch(me: Performer) -> Stunt:
  """Walks to an object nearby and grips it."""
  targets = me.targets()
  if not targets.size:
    yield from _keep(1)
    return
  slot = int(me.rng.choice(targets[:_CHOICE]))
  for _ in range(_FETCH_STEPS):
    if me.holds or me.view.slot_types[slot] == 0:
      return
    yield me.approach(slot, grip=1)


def wander(me: Performer) -> Stunt:
  """Acts at random, each action for a while."""
  for _ in range(8):
    drawn = me.rng.integers(0, constants.ACTION_SIZES).tolist()
    heads = dict(zip(constants.ACTION_HEADS, drawn, strict=True))
    yield from _keep(int(me.rng.integers(1, 6)), **heads)


def throw(me: Performer) -> Stunt:
  """Swings an object at arm's length and lets it go."""
  yield from _fetch(me)
  yield from _keep(int(me.rng.integers(2, 8)), look=2, grip=1, hand=2)
  turn = int(me.rng.choice([0, 4]))
  swing = int(me.rng.integers(2, 10))
  yield from _keep(swing, move=2, turn=turn, look=2, grip=1, hand=2)
  yield from _keep(6, turn=turn, look=2)


def border(me: Performer) -> Stunt:
  """Carries an object to the border, over the outer wall, and drops it."""
  yield from _fetch(me)
  yield from _keep(10, look=2, grip=1, hand=2)
  yield from _keep(int(me.rng.integers(8, 25)), move=2, grip=1, hand=2)
  yield from _keep(int(me.rng.integers(0, 6)), move=2, look=0, grip=1, hand=2)
  yield from _keep(4, move=2)


def wedge(me: Performer) -> Stunt:
  """Presses an object into the ground, into walls and into corners."""
  yield from _fetch(me)
  yield from _keep(8, move=2, look=0, grip=1, hand=2)
  yield from _keep(int(me.rng.integers(4, 12)), move=2, strafe=0, grip=1)
  yield from _keep(6, move=2, look=0, grip=1, hand=0)
  yield from _keep(int(me.rng.integers(1, 6)), turn=4, grip=1)
  yield from _keep(3)


def pile(me: Performer) -> Stunt:
  """Lifts an object over another and drops it there."""
  yield from _fetch(me)
  if not me.holds:
    return
  yield from _keep(7, look=2, grip=1)
  targets = me.targets()
  if targets.size:
    slot = int(targets[0])
    for _ in range(12):
      action = me.approach(slot, grip=1)
      yield steering.Action(action.move, action.strafe, action.turn, grip=1)
  yield from _keep(3, look=0, grip=1)
  yield from _keep(8)


def climb(me: Performer) -> Stunt:
  """Walks against things, turning now and then, with an open hand."""
  for _ in range(6):
    turn = int(me.rng.integers(0, len(constants.TURN_RATES)))
    strafe = int(me.rng.integers(0, 3))
    yield from _keep(int(me.rng.integers(1, 5)), move=2, turn=turn)
    yield from _keep(int(me.rng.integers(4, 12)), move=2, strafe=strafe)


def snatch(me: Performer) -> Stunt:
  """Opens and closes the hand in turn while swinging it about."""
  targets = me.targets()
  for i in range(24):
    if targets.size and me.view.slot_types[targets[0]] > 0:
      action = me.approach(int(targets[0]), grip=i // 3 % 2)
    else:
      action = steering.Action(grip=i // 3 % 2)
    action.hand = int(me.rng.integers(0, 3))
    yield action


STUNTS: Final[Mapping[str, Callable[[Performer], Stunt]]] = {
  "wander": wander,
  "throw": throw,
  "border": border,
  "wedge": wedge,
  "pile": pile,
  "climb": climb,
  "snatch": snatch,
}


class StuntPlayers:
  """Players in all environments of a batch, each with one stunt after another.

  Their actions depend only on the seeds and the states.
  """

  def __init__(self, num_envs: int, num_players: int, seed: int):
    rngs = np.random.default_rng(seed).spawn(num_envs * num_players)
    self._performers = [
      [Performer(p, rngs[i * num_players + p]) for p in range(num_players)]
      for i in range(num_envs)
    ]
    self._stunts: dict[tuple[int, int], Stunt] = {}

  def act(self, view: land.BatchView) -> np.ndarray:
    """Returns actions in a state, int32 [N, P, A]."""
    return np.array(
      [
        [self._act(view, env, me) for me in performers]
        for env, performers in enumerate(self._performers)
      ],
      np.int32,
    )

  def _act(
    self, view: land.BatchView, env: int, me: Performer
  ) -> tuple[int, ...]:
    me.view = view.row(env)
    key = env, me.player
    while True:
      action = next(self._stunts.get(key, _nothing()), None)
      if action is not None:
        return action.indices
      name = me.rng.choice(list(STUNTS))
      self._stunts[key] = STUNTS[name](me)


def _nothing() -> Stunt:
  yield from ()
