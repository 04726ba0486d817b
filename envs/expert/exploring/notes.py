"""Notes of a batch of explorers: what they saw and what follows from it.

N: environments, S: slots, T: types (0 is none).
"""

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.exploring import in_view
from adaland.envs.expert.ways import steering

# What is known about a contact: nothing; that nothing happens; that the objects
# in contact vanish. Any other number is the type that they turn into.
UNTRIED = -2
INERT = -1
VANISHES = 0

NUM_TYPES = constants.NUM_OBJECT_TYPES + 1
# Rules depend on the positions at the end of a step, which are known up to
# rounding.
_SURELY_NEAR = 0.99 * constants.NEAR_METRES
_MAYBE_NEAR = 1.01 * constants.NEAR_METRES
# Distance within which the product of a contact may appear.
_PRODUCT_METRES = 1.5
_STEP_METRES = 1.5 * constants.WALK_SPEED * constants.STEP_SECONDS
# Number of directions for which it is recorded whether they were looked at.
_NUM_YAWS = 24
_YAWS = (np.arange(_NUM_YAWS) + 0.5) * 2 * np.pi / _NUM_YAWS - np.pi

_BODY = np.array([0, 0, constants.AVATAR_HEIGHT / 2])


class Notes:
  """The notes of player 1 of each environment, on what an agent is shown.

  They follow only from what happened, not from anyone's intentions, so they
  also serve a player that only watches.

  Attributes:
    types: Type in each slot as far as known in this trial, int [N, S]. At a
      trial's start, as seen in earlier trials.
    pos: Where the object was last seen, metres, float [N, S, 3].
    seen: Objects seen in this trial, bool [N, S].
    frozen: Objects that never move, bool [N, S].
    looked: Directions that were in view in this trial, bool [N, Y].
    touch: What a type of object turns into when the player comes near, int
      [N, T]: UNTRIED, INERT, VANISHES or a type.
    pair: The same for two objects near each other, int [N, T, T], symmetric.
    suspect: Types that vanished without a visible cause, bool [N, T].
    last: Types that changed in the last contact of this trial, int [N, 2]: two
      objects, or one and 0 if the player came near, or two zeros for none.
    home_types: Types of the objects seen at their initial position, int [N, S].
    home_frozen: Which of these objects never move, bool [N, S].
    home_pos: Their initial positions, metres, float [N, S, 3].
  """

  def __init__(self, num_envs: int, num_slots: int, remembers: bool):
    """Initializes empty notes.

    Args:
      num_envs: N.
      num_slots: S.
      remembers: Whether notes are kept from trial to trial.
    """
    self._remembers = remembers
    n, s, t = num_envs, num_slots, NUM_TYPES
    self.types = np.zeros((n, s), np.int32)
    self.pos = np.zeros((n, s, 3), np.float32)
    self.seen = np.zeros((n, s), bool)
    self.frozen = np.zeros((n, s), bool)
    self.looked = np.zeros((n, _NUM_YAWS), bool)
    self.touch = np.full((n, t), UNTRIED, np.int32)
    self.pair = np.full((n, t, t), UNTRIED, np.int32)
    self.suspect = np.zeros((n, t), bool)
    self.home_types = np.zeros((n, s), np.int32)
    self.home_pos = np.zeros((n, s, 3), np.float32)
    self._held = np.full(n, -1)
    # Objects that the player may have been near since they were last seen.
    self._passed = np.zeros((n, s), bool)
    self.last = np.zeros((n, 2), np.int32)
    self._last_pos = np.zeros((n, 3), np.float32)
    self.home_frozen = np.zeros((n, s), bool)

  def update(self, view: land.BatchView, goal: np.ndarray) -> None:
    """Updates the notes after a step, or at the start of a trial.

    Args:
      view: The state.
      goal: The type of the goal's object, int [N].
    """
    start = view.step == 0
    self._begin(start, view.trial == 0)
    visible = in_view.visible_slots(view)
    body = view.player_pos[:, :1] + _BODY
    distance = steering.lengths(self.pos - body)
    known = self.types > 0
    self._passed |= known & (distance < _MAYBE_NEAR)
    changed = known & visible & (view.slot_types != self.types)
    gone = known & ~visible
    gone &= in_view.well_inside(
      self.pos, view.player_pos[:, 0], view.yaw[:, 0], view.pitch[:, 0]
    )
    for i in np.flatnonzero(gone.any(axis=1)):
      gone[i] &= self._unblocked(i, view, visible)
    # An object that left the hand as something else changed is gone too.
    slots = np.arange(known.shape[1])
    left = known & ~visible & (slots == self._held[:, None])
    gone |= left & (changed | gone).any(axis=1)[:, None]
    appeared = visible & (view.slot_types != self.types)
    stayed = known & visible & ~changed
    self._note_inert(view, stayed & ~start[:, None])
    spawned = np.zeros_like(visible)
    lost = changed | gone
    for i in np.flatnonzero(lost.any(axis=1)):
      spawned[i] = self._explain(i, view, lost[i], appeared[i], int(goal[i]))
    self._find_products(view, goal, appeared & ~spawned, start)
    self.types = np.where(visible, view.slot_types, self.types)
    self.types[gone] = 0
    self.pos = np.where(visible[..., None], view.object_pos, self.pos)
    self.frozen = np.where(visible, view.frozen, self.frozen)
    # A product of a contact, maybe an unseen one, was not there initially.
    products = (self.touch[:, :, None] == view.slot_types[:, None]).any(axis=1)
    new = appeared & ~spawned & ~products & (self.home_types == 0)
    self.home_types = np.where(new, view.slot_types, self.home_types)
    self.home_frozen = np.where(new, view.frozen, self.home_frozen)
    self.home_pos = np.where(new[..., None], view.object_pos, self.home_pos)
    self.seen = (self.seen | visible) & (self.types > 0)
    self._passed &= ~visible
    self._held = view.held[:, 0].copy()
    off = steering.wrap(_YAWS - view.yaw[:, :1])
    self.looked |= np.abs(off) < constants.FOV_X / 2

  def expected(self) -> np.ndarray:
    """Returns the last contact's product, a type, 0 if unknown, int [N]."""
    rows = np.arange(len(self.last))
    a, b = self.last.T
    made = np.where(b > 0, self.pair[rows, a, b], self.touch[rows, a])
    return np.where(a > 0, np.maximum(made, 0), 0)

  def _find_products(
    self,
    view: land.BatchView,
    goal: np.ndarray,
    appeared: np.ndarray,
    start: np.ndarray,
  ) -> None:
    """Notes the last contact's product if it was out of view at first.

    Args:
      view: The state.
      goal: The type of the goal's object, int [N].
      appeared: Objects that have come into view, bool [N, S].
      start: Where a trial starts, bool [N].
    """
    gaps = steering.lengths(view.object_pos - self._last_pos[:, None])
    close = appeared & (gaps < _PRODUCT_METRES)
    rewarded = (view.last_reward[:, 0] > 0) & ~start
    expected = self.expected()
    unknown = (expected == 0) & (rewarded | close.any(axis=1))
    # Of several products the goal's object counts, even if it is seen later.
    wanted = (close & (view.slot_types == goal[:, None])).any(axis=1)
    wanted &= expected != goal
    for i in np.flatnonzero((self.last[:, 0] > 0) & (unknown | wanted)):
      a, b = self.last[i]
      is_goal = rewarded[i] or wanted[i]
      made = goal[i] if is_goal else view.slot_types[i, close[i].argmax()]
      if b:
        self.pair[i, a, b] = self.pair[i, b, a] = made
      else:
        self.touch[i, a] = made

  def _begin(self, start: np.ndarray, first: np.ndarray) -> None:
    """Clears the notes where a trial or an episode starts."""
    episode = start & (first | (not self._remembers))
    if episode.any():
      self.touch[episode] = UNTRIED
      self.pair[episode] = UNTRIED
      self.suspect[episode] = False
      self.home_types[episode] = 0
      self.home_frozen[episode] = False
    if start.any():
      self.types[start] = self.home_types[start]
      self.pos[start] = self.home_pos[start]
      self.seen[start] = False
      self.looked[start] = False
      self._passed[start] = False
      self.last[start] = 0
      self.frozen[start] = self.home_frozen[start]
      self._held[start] = -1

  def _unblocked(
    self, i: int, view: land.BatchView, visible: np.ndarray
  ) -> np.ndarray:
    """Returns which objects of one environment are not hidden, bool [S]."""
    x, y = view.tiles[i]
    if np.ptp(view.heights[i, :x, :y]):
      return np.zeros(len(self.pos[i]), bool)  # The ground may hide them.
    return in_view.unblocked(
      self.pos[i], view.player_pos[i, 0], view.object_pos[i][visible[i]]
    )

  def _note_inert(self, view: land.BatchView, stayed: np.ndarray) -> None:
    """Notes the contacts in which nothing happened to the objects."""
    body = view.player_pos[:, :1] + _BODY
    distance = steering.lengths(view.object_pos - body)
    untried = np.take_along_axis(self.touch, self.types, axis=1) == UNTRIED
    for i, s in np.argwhere(stayed & untried & (distance < _SURELY_NEAR)):
      self.touch[i, self.types[i, s]] = INERT
    gaps = steering.lengths(
      view.object_pos[:, :, None] - view.object_pos[:, None]
    )
    both = stayed[:, :, None] & stayed[:, None] & (gaps < _SURELY_NEAR)
    both &= ~np.eye(both.shape[1], dtype=bool)
    for i, a, b in np.argwhere(both):
      pair = self.types[i, a], self.types[i, b]
      if self.pair[i, pair[0], pair[1]] == UNTRIED:
        self.pair[i, pair[0], pair[1]] = INERT

  def _explain(
    self,
    i: int,
    view: land.BatchView,
    lost: np.ndarray,
    appeared: np.ndarray,
    goal: int,
  ) -> np.ndarray:
    """Notes why objects of one environment are gone.

    Args:
      i: The environment.
      view: The state.
      lost: Objects that are gone, bool [S].
      appeared: Objects that were not known before, bool [S].
      goal: The type of the goal's object, the product that counts if there are
        several.

    Returns:
      The objects that appeared in place of the lost ones, bool [S].
    """
    spawned = np.zeros_like(lost)
    at, types, held = self.pos[i], self.types[i], self._held[i]
    done: set[int] = set()
    # The object in the hand is the likeliest cause.
    slots = [int(s) for s in np.flatnonzero(lost)]
    for s in sorted(slots, key=lambda slot: slot != held):
      if s in done:
        continue
      gaps = steering.lengths(view.object_pos[i] - at[s])
      products = np.flatnonzero(appeared & (gaps < constants.NEAR_METRES))
      spawned[products] = True
      product = VANISHES
      if len(products):
        nearest = products[np.argmin(gaps[products])]
        product = int(view.slot_types[i, nearest])
        if goal in view.slot_types[i, products]:
          product = goal
      inert = self.touch[i, types[s]] == INERT
      partner = self._partner(i, s, slots, done, inert)
      if partner is not None:
        done.add(partner)
        self._note_pair(i, int(types[s]), int(types[partner]), product)
        self._last_pos[i] = (at[s] + at[partner]) / 2
      elif self._passed[i, s] and not inert:
        # The product may be out of view but known from before.
        if product != VANISHES or self.touch[i, types[s]] < 0:
          self.touch[i, types[s]] = product
        self.last[i] = (types[s], 0)
        self._last_pos[i] = at[s]
        self.looked[i] = False
      else:
        self.suspect[i, types[s]] = True
    return spawned

  def _note_pair(self, i: int, a: int, b: int, product: int) -> None:
    """Notes the product of two objects; see `pair`."""
    if product != VANISHES or self.pair[i, a, b] < 0:
      self.pair[i, a, b] = self.pair[i, b, a] = product
    self.last[i] = (a, b)
    self.looked[i] = False

  def _partner(
    self, i: int, s: int, lost: list[int], done: set[int], inert: bool
  ) -> int | None:
    """Returns the object that was near a lost one and vanished with it.

    Args:
      i: The environment.
      s: The slot of the lost object.
      lost: The slots of all lost objects.
      done: The slots whose cause is known.
      inert: Whether the player's approach can't be the cause, so that the other
        object may have vanished unseen.
    """
    gaps = steering.lengths(self.pos[i] - self.pos[i, s])
    # A held object has moved since it was last seen.
    reach = _MAYBE_NEAR + _STEP_METRES * (self._held[i] == s)
    gaps[(self.types[i] == 0) | (gaps > reach)] = np.inf
    gaps[[s, *done]] = np.inf
    others = [other for other in lost if gaps[other] < np.inf]
    if not others and inert and gaps.min() < np.inf:
      others = [int(np.argmin(gaps))]
    return min(others, key=lambda other: gaps[other], default=None)
