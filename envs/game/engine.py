"""The game engine: one pure function from poses to what the game makes of them.

The same code runs for every physics back end, on a whole batch at once.
"""

from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import avatar, predicates, spawning
from adaland.envs.game import clock as clock_lib
from adaland.envs.game import hand as hand_lib
from adaland.envs.game import rules as rules_lib

Array = Any  # NumPy between jitted functions, JAX inside.


_ROWS: Final = 8  # Worlds whose rules fire at once.


class Game(NamedTuple):
  """What the engine must know of the tasks under way, int32.

  Attributes:
    goal: Goal literal of each player, [N, P, LITERAL_WIDTH].
    rules: True rules, [N, R, RULE_WIDTH].
    heights: Level of each tile, padded, [N, MAX_TILES, MAX_TILES].
    ramps: Direction in which each climbs, the same shape.
    tiles: Tiles of the arena along x and y, [N, 2].
  """

  goal: Array
  rules: Array
  heights: Array
  ramps: Array
  tiles: Array


class Events(NamedTuple):
  """What one step of the game brought.

  Attributes:
    slot_types: Type ids in the slots afterwards, int32 [N, S].
    changed: Slots whose object was consumed or made, bool [N, S].
    spawned: Slots with a new object, bool [N, S].
    object_pos: Centres, those of new objects too, float32 [N, S, 3].
    hand: The hands afterwards.
    lag: How far held objects are from the hands, metres, float32 [N, P].
    reward: Seconds of goal satisfaction, float32 [N, P].
    fired: Which rules fired, bool [N, R].
    dropped: Spawns lost for want of a slot, int32 [N].
    clock: Afterwards.
    trial_last: Whether a trial ended, bool [N].
    last: Whether the episode ended, bool [N].
  """

  slot_types: Array
  changed: Array
  spawned: Array
  object_pos: Array
  hand: hand_lib.Hand
  lag: Array
  reward: Array
  fired: Array
  dropped: Array
  clock: clock_lib.Clock
  trial_last: Array
  last: Array


def _would_fire(rules, relations, types) -> Array:
  """Whether any rule of one world holds before any has fired."""
  alive = predicates.bits(types > 0)
  fires, _, _ = jax.vmap(rules_lib.match, in_axes=(0, None, None, None))(
    rules, relations, types, alive
  )
  return jnp.any(fires)


def _fire(
  game: Game,
  relations: Array,
  types: Array,
  slot_types: Array,
  centres: Array,
  poses: avatar.Poses,
) -> tuple[rules_lib.Firing, Array]:
  """What all worlds' rules do, and where objects are then, [N, S, 3].

  Rules fire rarely, so only the worlds in which one does walk through them,
  some at a time.
  """
  num_envs, num_players = poses.player_yaw.shape
  firing = jax.vmap(rules_lib.unchanged, in_axes=(None, 0, None))(
    game.rules.shape[1], slot_types, num_players
  )

  def some_more(carry):
    waiting, *done = carry
    _, rows = jax.lax.top_k(waiting.astype(jnp.int32), min(_ROWS, num_envs))
    # Rows that wait no more, taken to fill up, come out as they did before.
    some = jax.vmap(rules_lib.fire, in_axes=(0, 0, 0, 0, None))(
      game.rules[rows],
      relations[rows],
      slot_types[rows],
      centres[rows],
      num_players,
    )
    object_pos = jax.vmap(spawning.place)(
      some.spawned,
      some.slot_types,
      some.origin,
      poses.object_pos[rows],
      poses.player_pos[rows],
      (game.heights[rows], game.ramps[rows], game.tiles[rows]),
    )
    done = jax.tree.map(
      lambda old, new: old.at[rows].set(new), tuple(done), (some, object_pos)
    )
    return (waiting.at[rows].set(False), *done)

  fires = jax.vmap(_would_fire)(game.rules, relations, types)
  _, firing, object_pos = jax.lax.while_loop(
    lambda carry: jnp.any(carry[0]),
    some_more,
    (fires, firing, jnp.asarray(poses.object_pos)),
  )
  return firing, object_pos


def advance(
  game: Game,
  slot_types: Array,
  hand: hand_lib.Hand,
  pitch: Array,
  clock: clock_lib.Clock,
  poses: avatar.Poses,
  see: Array,
) -> Events:
  """Reads the world at the end of a step: hands, rules, goals, time.

  Args:
    game: The tasks.
    slot_types: Type ids in the slots, int32 [N, S].
    hand: The hands during the step.
    pitch: Of the views, float32 [N, P].
    clock: Before the step.
    poses: At its end.
    see: Who sees whom, bool [N, P+S, P+S]; only the pairs that the tasks ask
      for need be right.
  """
  num_players = hand.held.shape[1]
  num_slots = slot_types.shape[1]
  at = hand_lib.position(hand, poses.player_pos, poses.player_yaw, pitch)
  lag = hand_lib.lag(hand, at, poses.object_pos)
  hand = hand_lib.tear(hand, lag)

  types = jax.vmap(predicates.node_types, in_axes=(0, None))(
    slot_types, num_players
  )
  centres = jax.vmap(predicates.node_centres)(
    poses.player_pos, poses.object_pos
  )
  relations = jax.vmap(predicates.relations)(
    types, centres, poses.touching, hand.held, see
  )

  firing, object_pos = _fire(game, relations, types, slot_types, centres, poses)

  survives = (
    firing.alive[:, None]
    >> jnp.arange(num_players, num_players + num_slots, dtype=jnp.uint32)[None]
  )
  changed = (slot_types > 0) & (survives & 1 == 0) | firing.spawned
  lost = jnp.take_along_axis(changed, jnp.maximum(hand.held, 0), axis=1)
  hand = hand_lib.empty(hand, lost & (hand.held >= 0))

  holds = jax.vmap(jax.vmap(predicates.holds, in_axes=(0, None, None, None)))(
    game.goal, relations, types, firing.alive
  )
  clock, trial_last, last = clock_lib.tick(clock)
  return Events(
    slot_types=firing.slot_types,
    changed=changed,
    spawned=firing.spawned,
    object_pos=object_pos,
    hand=hand,
    lag=jnp.where(hand.held >= 0, lag, 0),
    reward=holds.astype(jnp.float32) * constants.STEP_SECONDS,
    fired=firing.fired,
    dropped=firing.dropped,
    clock=clock,
    trial_last=trial_last,
    last=last,
  )
