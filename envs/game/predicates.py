"""The relations between the nodes of one world, as bit masks.

A node is a player or an object slot (players first, as in `physics.base`).
There are at most 26, so a row of a relation fits in the bits of one uint32:
bit j of `relations[p, i]` says that predicate p holds of (i, j). Finding the
lowest-numbered pair of given types is then a few integer operations.
"""

from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants, tables
from adaland.envs.tasks import arrays

Array = Any  # NumPy between jitted functions, JAX inside.

# Row of each predicate id in the table; rows of other ids are never read.
_ROWS: Final = np.zeros(constants.NUM_PREDICATE_IDS, np.int32)
_ROWS[[row.id for row in tables.PREDICATES]] = range(len(tables.PREDICATES))


def bits(mask: Array) -> Array:
  """Packs bool [..., M] into uint32 [...], node j in bit j."""
  weights = jnp.uint32(1) << jnp.arange(mask.shape[-1], dtype=jnp.uint32)
  weights = jnp.broadcast_to(weights, mask.shape)
  return jnp.sum(jnp.where(mask, weights, 0), axis=-1, dtype=jnp.uint32)


def lowest_bit(word: Array) -> Array:
  """Returns the index of the lowest set bit of uint32 [...], 32 for none."""
  return jax.lax.population_count(~word & (word - 1)).astype(jnp.int32)


def node_types(slot_types: Array, num_players: int) -> Array:
  """Returns the type ids of all nodes [P+S], given those of the slots [S]."""
  players = jnp.asarray(constants.PLAYER_TYPE_IDS[:num_players])
  return jnp.concatenate([players.astype(slot_types.dtype), slot_types])


def node_centres(player_pos: Array, object_pos: Array) -> Array:
  """Returns the centres of all nodes [P+S, 3]; a player's is its body's."""
  lift = jnp.asarray([0.0, 0.0, constants.AVATAR_HEIGHT / 2], jnp.float32)
  return jnp.concatenate([player_pos + lift[None], object_pos])


def relations(
  types: Array, centres: Array, touching: Array, held: Array, see: Array
) -> Array:
  """Returns all relations that hold in one world.

  Args:
    types: Type ids of the nodes, 0 for an empty slot, int [M].
    centres: Centres of the nodes, metres, float [M, 3].
    touching: Contacts, bool [M, M].
    held: Slot that each player holds, -1 for none, int [P].
    see: Visibility: node i sees node j, bool [M, M]. Only the pairs that the
      task's literals name have to be correct.

  Returns:
    Bit masks in the order of `tables.PREDICATES`, uint32 [predicates, M]. No
    node is related to itself or to an empty slot.
  """
  num_nodes, num_players = types.shape[0], held.shape[0]
  index = jnp.arange(num_nodes)
  holder = jnp.full([num_nodes], -1).at[:num_players].set(held)
  holds = (holder[:, None] >= 0) & (
    holder[:, None] + num_players == index[None, :]
  )
  nodes = tables.Nodes(
    offset=centres[None] - centres[:, None],
    touching=touching,
    holds=holds,
    sees=see,
  )
  live = types > 0
  proper = live[:, None] & live[None, :] & ~jnp.eye(num_nodes, dtype=bool)
  found = jnp.stack([row.test(nodes) for row in tables.PREDICATES])
  return bits(found & proper[None])


def of_predicate(relations_: Array, predicate: Array) -> Array:
  """Returns the relation of a predicate id, uint32 [M]; any for other ids."""
  return relations_[jnp.asarray(_ROWS)[predicate]]


def type_mask(types: Array, alive: Array, type_id: Array) -> Array:
  """Returns the bits of the alive nodes of one type, uint32 []."""
  return jnp.where(type_id > 0, bits(types == type_id) & alive, 0)


def satisfying_pair(
  relation: Array, mask_a: Array, mask_b: Array
) -> tuple[Array, Array, Array]:
  """Finds the lowest-numbered pair of nodes that satisfies a relation.

  Args:
    relation: One relation, uint32 [M].
    mask_a: Bits of the nodes that may come first, uint32 [].
    mask_b: Bits of the nodes that may come second, uint32 [].

  Returns:
    Whether a pair was found, bool [], and its two nodes, int32 [] (0 and 32
    if none was found).
  """
  first = (mask_a >> jnp.arange(relation.shape[0], dtype=jnp.uint32)) & 1
  hits = jnp.where(first == 1, relation & mask_b, 0)
  node_a = jnp.argmax(hits != 0).astype(jnp.int32)
  return jnp.any(hits != 0), node_a, lowest_bit(hits[node_a])


def literal_parts(row: Array) -> tuple[Array, Array, Array, Array]:
  """Splits a literal's row, int [6].

  Returns:
    Whether it is negated, bool []; its predicate id and the type ids of both
    arguments, int [].
  """
  return (row[0] > 0, row[1], *arrays.literal_types(row))


def holds(row: Array, relations_: Array, types: Array, alive: Array) -> Array:
  """Tests whether a goal literal holds: for some pair or, negated, for none.

  Args:
    row: The literal, int [6]; predicate 0 never holds.
    relations_: As returned by `relations`, uint32 [predicates, M].
    types: Type ids of the nodes, int [M].
    alive: Bits of the nodes that count, uint32 [].
  """
  negated, predicate, type_a, type_b = literal_parts(row)
  found, _, _ = satisfying_pair(
    of_predicate(relations_, predicate),
    type_mask(types, alive, type_a),
    type_mask(types, alive, type_b),
  )
  return (predicate > 0) & (found != negated)
