"""The production rules of one world: matching and firing them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs.game import predicates
from adaland.envs.tasks import arrays

Array = jax.Array


class Firing(NamedTuple):
  """Effect of a step's rules on one world.

  Attributes:
    slot_types: Type ids in the slots afterwards, int32 [S].
    alive: Bits of the nodes that existed before and still do, uint32 [].
    spawned: Slots that hold a new object, bool [S].
    origin: Position around which each new object appears, float32 [S, 3].
    fired: Rules that fired, bool [R].
    dropped: Number of spawns that found no free slot, int32 [].
  """

  slot_types: Array
  alive: Array
  spawned: Array
  origin: Array
  fired: Array
  dropped: Array


def match(
  rule: Array, relations: Array, types: Array, alive: Array
) -> tuple[Array, Array, Array]:
  """Finds the two nodes that satisfy a rule's condition.

  A negated condition holds if no pair satisfies the relation and two distinct
  nodes of its types exist; its nodes are the lowest-numbered such pair.

  Args:
    rule: The rule's row, int [RULE_WIDTH]; predicate 0 is no rule.
    relations: As returned by `predicates.relations`.
    types: Type ids of the nodes, int [M].
    alive: Bits of the nodes not yet consumed, uint32 [].

  Returns:
    Whether the condition holds, bool [], and the two nodes, int32 [].
  """
  negated, predicate, type_a, type_b = predicates.literal_parts(rule)
  mask_a = predicates.type_mask(types, alive, type_a)
  mask_b = predicates.type_mask(types, alive, type_b)
  found, node_a, node_b = predicates.satisfying_pair(
    predicates.of_predicate(relations, predicate), mask_a, mask_b
  )
  lowest_a = predicates.lowest_bit(mask_a)
  others = mask_b & ~(mask_a & (~mask_a + 1))  # All of b but lowest_a.
  absent = ~found & (mask_a != 0) & (others != 0)
  return (
    (predicate > 0) & jnp.where(negated, absent, found),
    jnp.where(negated, lowest_a, node_a),
    jnp.where(negated, predicates.lowest_bit(others), node_b),
  )


def fire(
  rules: Array,
  relations: Array,
  slot_types: Array,
  centres: Array,
  num_players: int,
) -> Firing:
  """Applies the rules in their order, each at most once.

  The two nodes of the lowest-numbered satisfying pair are consumed, except for
  players. The new objects take the lowest free slots (including those just
  emptied) and appear at the mean position of the consumed objects or, if both
  nodes are players, between them. They take part in conditions and goals from
  the next step on: until then their contacts and lines of sight are not known.

  Args:
    rules: Rule rows, int [R, RULE_WIDTH].
    relations: As returned by `predicates.relations`, uint32.
    slot_types: Type ids in the slots, int32 [S].
    centres: Centres of the nodes, float32 [P+S, 3].
    num_players: P.
  """
  types = predicates.node_types(slot_types, num_players)
  num_slots = slot_types.shape[0]
  slots = jnp.arange(num_slots)

  def apply_rule(firing: Firing, inputs) -> tuple[Firing, None]:
    rule, index = inputs
    fires, node_a, node_b = match(rule, relations, types, firing.alive)
    pair = jnp.stack([node_a, node_b])
    is_object = pair >= num_players
    consumed = (
      slots[None] == jnp.where(is_object, pair - num_players, -1)[:, None]
    )
    consumed = jnp.any(consumed, axis=0) & fires  # [S]
    # Objects weigh 1 and players 0, unless both are players.
    weights = jnp.where(jnp.any(is_object), is_object, True)
    weights = weights.astype(jnp.float32)
    origin = weights @ centres[pair] / jnp.maximum(jnp.sum(weights), 1)

    now = jnp.where(consumed, 0, firing.slot_types)
    spawned, origins = firing.spawned, firing.origin
    dropped = firing.dropped
    for new in arrays.spawn_types(rule):
      wanted = fires & (new > 0)
      free = now == 0
      target = (slots == jnp.argmax(free)) & free & wanted  # [S]
      dropped = dropped + (wanted & ~jnp.any(free))
      now = jnp.where(target, new, now)
      spawned = spawned | target
      origins = jnp.where(target[:, None], origin[None], origins)
    gone = predicates.bits(consumed) << jnp.uint32(num_players)
    return Firing(
      slot_types=now,
      alive=firing.alive & ~gone,
      spawned=spawned,
      origin=origins,
      fired=firing.fired.at[index].set(fires),
      dropped=dropped,
    ), None

  start = unchanged(rules.shape[0], slot_types, num_players)
  firing, _ = jax.lax.scan(
    apply_rule, start, (rules, jnp.arange(rules.shape[0]))
  )
  return firing


def unchanged(num_rules: int, slot_types: Array, num_players: int) -> Firing:
  """Returns the effect of a step in which no rule fires."""
  types = predicates.node_types(slot_types, num_players)
  num_slots = slot_types.shape[0]
  return Firing(
    slot_types=slot_types,
    alive=predicates.bits(types > 0),
    spawned=jnp.zeros([num_slots], bool),
    origin=jnp.zeros([num_slots, 3], jnp.float32),
    fired=jnp.zeros([num_rules], bool),
    dropped=jnp.zeros([], jnp.int32),
  )
