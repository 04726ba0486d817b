"""The belief about hidden rules: its targets and its loss.

The belief is a pair of probabilities for each type of object: that a rule
which leads to the goal needs it, and that a rule which leads nowhere does. A
rule leads to the goal if it makes an object of the goal, or one that such a
rule needs in turn. Hidden rules look alike and come in any order, so the belief
is about types instead of rules. Supervising memory in this way is due to
Humplik et al. 2019 (arXiv 1905.06424).

Shape letters: B batch, R rules, G arguments of a rule and its spawns, O types
of objects.
"""

from typing import Final

import jax
import jax.numpy as jnp

from adaland.agent import types

# Kinds of rules in the belief: "leads to the goal" and "does not".
NUM_KINDS: Final = 2
# Columns of a literal before its arguments, and its arguments.
_BEFORE_ARGUMENTS = 2
_CONDITION_ARGUMENTS = 2


def targets(
  goal: types.Array,
  rules: types.Array,
  shape_ids: tuple[int, ...],
  num_colours: int,
) -> jax.Array:
  """Returns the types that rules need, by whether the rule leads to the goal.

  Args:
    goal: The goal, a row of ids, int [B, 6].
    rules: The true rules, rows of ids, zero where there is none,
      int [B, R, 6 + 2 * spawns].
    shape_ids: Ids of the shapes of objects; the players' shape has another id.
    num_colours: Number of colours; a type is shape times colour.

  Returns:
    1 where the type is in the condition of a rule that leads to the goal, then
    of another rule, float32 [B, NUM_KINDS, O].
  """
  of_rules = _arguments(rules, shape_ids, num_colours)  # [B, R, G, O]
  needs = jnp.max(of_rules[:, :, :_CONDITION_ARGUMENTS], axis=2)  # [B, R, O]
  makes = jnp.max(of_rules[:, :, _CONDITION_ARGUMENTS:], axis=2)
  wanted = jnp.max(_arguments(goal, shape_ids, num_colours), axis=1)  # [B, O]
  for _ in range(rules.shape[1]):
    leads = jnp.max(makes * wanted[:, None], axis=2, keepdims=True)
    wanted = jnp.maximum(wanted, jnp.max(leads * needs, axis=1))
  leads = jnp.max(makes * wanted[:, None], axis=2, keepdims=True)  # [B, R, 1]
  return jnp.stack(
    [jnp.max(leads * needs, axis=1), jnp.max((1 - leads) * needs, axis=1)],
    axis=1,
  )


def loss(logits: types.Array, target: types.Array) -> jax.Array:
  """Returns the cross-entropy of the belief, summed over kinds and types.

  Args:
    logits: The belief of each step, [B, T, NUM_KINDS * O].
    target: Returned by `targets`, its last axes joined, [B, NUM_KINDS * O].

  Returns:
    Nats, [B, T].
  """
  truth = target[:, None]
  entropies = jax.nn.softplus(logits) - truth * logits
  return jnp.sum(entropies, axis=-1)


def of_entities(logits: jax.Array, kinds: jax.Array) -> jax.Array:
  """Returns the belief about the type of each entity, [..., E, NUM_KINDS].

  No gradient flows into the belief: it is trained by its own loss alone.

  Args:
    logits: The belief, [..., NUM_KINDS * O].
    kinds: One-hot types of the entities, zero for others, [..., E, O].
  """
  logits = logits.reshape(*logits.shape[:-1], NUM_KINDS, -1)
  belief = jax.nn.sigmoid(jax.lax.stop_gradient(logits))
  # Elementwise products and sums, as in `Recall`.
  return jnp.sum(
    kinds[..., None, :].astype(belief.dtype) * belief[..., None, :, :], axis=-1
  )


def _arguments(
  ids: types.Array, shape_ids: tuple[int, ...], num_colours: int
) -> jax.Array:
  """Returns one-hot types of arguments, zero for players, [..., G, O]."""
  pairs = jnp.asarray(ids)[..., _BEFORE_ARGUMENTS:]
  pairs = pairs.reshape(*pairs.shape[:-1], -1, 2)
  shape, colour = pairs[..., 0], pairs[..., 1]
  of_row = jnp.expand_dims(jnp.asarray(shape_ids), tuple(range(shape.ndim)))
  is_shape = shape[..., None] == of_row  # [..., G, S]
  is_object = is_shape.any(axis=-1) & (colour > 0)
  index = jnp.argmax(is_shape, axis=-1) * num_colours + colour - 1
  # An index out of range gives a row of zeros.
  return jax.nn.one_hot(
    jnp.where(is_object, index, -1), len(shape_ids) * num_colours
  )
