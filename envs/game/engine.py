"""The game engine: one pure function from poses to game events.

The same code runs for every physics back end, on a whole batch at once.
"""

from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import (
  avatar,
  clocks,
  hands,
  predicates,
  rules,
  spawning,
)

Array = Any  # NumPy between jitted functions, JAX inside.

_CHUNK: Final = 8  # Worlds whose rules fire together.


class GameBatch(NamedTuple):
  """Goals, rules and terrain of a batch of games, all int32.

  Attributes:
    goal: Goal literal of each player, [N, P, LITERAL_WIDTH].
    rules: True rules, [N, R, RULE_WIDTH].
    heights: Level of each tile, padded, [N, MAX_TILES, MAX_TILES].
    ramps: Ramps and diagonal cliffs (see `physics.base.Scene`), of
      the same shape.
    tiles: Number of tiles of the arena along x and y, [N, 2].
    reachable: 1 for tiles that a player can reach from its start, padded, of
      the shape of `heights`.
  """

  goal: Array
  rules: Array
  heights: Array
  ramps: Array
  tiles: Array
  reachable: Array


class Events(NamedTuple):
  """Result of one step of the game.

  Attributes:
    slot_types: Type ids in the slots afterwards, int32 [N, S].
    changed: Slots whose object was consumed or spawned, bool [N, S].
    spawned: Slots with a new object, bool [N, S].
    object_pos: Centres of the objects, new ones included, float32 [N, S, 3].
    hand: The hands afterwards.
    lag: Distance of held objects from the hands, metres, float32 [N, P].
    reward: Seconds of goal satisfaction, float32 [N, P].
    fired: Rules that fired, bool [N, R].
    dropped: Number of spawns that found no free slot, int32 [N].
    clock: The clock afterwards.
    trial_last: Whether a trial ended, bool [N].
    last: Whether the episode ended, bool [N].
  """

  slot_types: Array
  changed: Array
  spawned: Array
  object_pos: Array
  hand: hands.Hand
  lag: Array
  reward: Array
  fired: Array
  dropped: Array
  clock: clocks.Clock
  trial_last: Array
  last: Array


def _any_matches(rule_rows, relations, types) -> Array:
  """Tests whether any rule of one world matches before any has fired."""
  alive = predicates.bits(types > 0)
  fires, _, _ = jax.vmap(rules.match, in_axes=(0, None, None, None))(
    rule_rows, relations, types, alive
  )
  return jnp.any(fires)


def _fire(
  game: GameBatch,
  relations: Array,
  types: Array,
  slot_types: Array,
  centres: Array,
  poses: avatar.Poses,
) -> tuple[rules.Firing, Array]:
  """Fires the rules of all worlds.

  Rules fire rarely, so only the worlds in which one matches are processed, in
  chunks.

  Returns:
    The rules' effects, and the objects' centres afterwards, float32 [N, S, 3].
  """
  num_envs, num_players = poses.player_yaw.shape
  firing = jax.vmap(rules.unchanged, in_axes=(None, 0, None))(
    game.rules.shape[1], slot_types, num_players
  )

  def fire_chunk(carry):
    waiting, *done = carry
    _, rows = jax.lax.top_k(waiting.astype(jnp.int32), min(_CHUNK, num_envs))
    # A chunk may be padded with worlds that are done or in which nothing fires;
    # their results do not change.
    chunk = jax.vmap(rules.fire, in_axes=(0, 0, 0, 0, None))(
      game.rules[rows],
      relations[rows],
      slot_types[rows],
      centres[rows],
      num_players,
    )
    object_pos = jax.vmap(spawning.place)(
      chunk.spawned,
      chunk.slot_types,
      chunk.origin,
      poses.object_pos[rows],
      poses.player_pos[rows],
      (
        game.heights[rows],
        game.ramps[rows],
        game.tiles[rows],
        game.reachable[rows],
      ),
    )
    done = jax.tree.map(
      lambda old, new: old.at[rows].set(new), tuple(done), (chunk, object_pos)
    )
    return (waiting.at[rows].set(False), *done)

  fires = jax.vmap(_any_matches)(game.rules, relations, types)
  _, firing, object_pos = jax.lax.while_loop(
    lambda carry: jnp.any(carry[0]),
    fire_chunk,
    (fires, firing, jnp.asarray(poses.object_pos)),
  )
  return firing, object_pos


def advance(
  game: GameBatch,
  slot_types: Array,
  hand: hands.Hand,
  pitch: Array,
  clock: clocks.Clock,
  poses: avatar.Poses,
  see: Array,
) -> Events:
  """Advances the game at the end of a step: hands, rules, goals, time.

  Args:
    game: Goals, rules and terrain.
    slot_types: Type ids in the slots, int32 [N, S].
    hand: The hands during the step.
    pitch: Pitch of the views, radians, float32 [N, P].
    clock: The clock before the step.
    poses: Poses and contacts at the end of the step.
    see: Visibility: node i sees node j, bool [N, P+S, P+S]. Only the pairs
      that the tasks' literals name have to be correct.
  """
  num_players = hand.held.shape[1]
  num_slots = slot_types.shape[1]
  hand_pos = hands.position(hand, poses.player_pos, poses.player_yaw, pitch)
  terrain = game.heights, game.ramps, game.tiles
  hand_pos = hands.keep_inside(hand_pos, poses.player_pos, terrain)
  lag = hands.lag(hand, hand_pos, poses.object_pos)
  lifted = hands.lifts_its_player(
    hand, poses.player_pos, poses.object_pos, terrain
  )
  hand = hands.tear(hand, jnp.where(lifted, jnp.inf, lag))

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
  hand = hands.empty(hand, lost & (hand.held >= 0))

  holds = jax.vmap(jax.vmap(predicates.holds, in_axes=(0, None, None, None)))(
    game.goal, relations, types, firing.alive
  )
  clock, trial_last, last = clocks.tick(clock)
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
