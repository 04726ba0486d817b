"""Distributions over composite actions: products of categorical heads.

Logits, log-probabilities and one-hots of the heads are concatenated into one
vector of S = sum(sizes) numbers, so that a composite action's log-probability,
the sum over heads, is a single dot product: `dot(one_hot, log_probs)`.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types

Sizes = Sequence[int]


def split(x: types.Array, sizes: Sizes) -> list[jax.Array]:
  """Splits [..., S] into one array [..., size] per head."""
  x = jnp.asarray(x)
  if x.shape[-1] != sum(sizes):
    raise ValueError(
      f"expected {sum(sizes)} numbers for heads {tuple(sizes)}, "
      f"got shape {x.shape}"
    )
  ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
  return jnp.split(x, ends[:-1], axis=-1)


def log_probs(logits: types.Array, sizes: Sizes) -> jax.Array:
  """Normalises each head of [..., S] logits, in float32."""
  heads = split(jnp.asarray(logits, jnp.float32), sizes)
  return jnp.concatenate([jax.nn.log_softmax(h) for h in heads], axis=-1)


def one_hot(actions: types.Array, sizes: Sizes) -> jax.Array:
  """Returns action indices [..., A] as concatenated one-hots [..., S]."""
  actions = jnp.asarray(actions)
  return jnp.concatenate(
    [jax.nn.one_hot(actions[..., i], n) for i, n in enumerate(sizes)], axis=-1
  )


def all_actions(sizes: Sizes) -> jax.Array:
  """Returns the one-hots of all composite actions, float32 [K, S].

  The last head's index runs fastest.
  """
  indices = np.indices(tuple(sizes)).reshape(len(sizes), -1).T
  return one_hot(indices, sizes)


def sample(rng_key: jax.Array, logits: types.Array, sizes: Sizes) -> jax.Array:
  """Draws an action from each distribution of a batch.

  Args:
    rng_key: Consumed.
    logits: Logits or log-probabilities, [..., S].
    sizes: Sizes of the heads.

  Returns:
    Action indices, int32 [..., A].
  """
  logits = jnp.asarray(logits, jnp.float32)
  noisy = logits + jax.random.gumbel(rng_key, logits.shape)
  return jnp.stack(
    [jnp.argmax(h, axis=-1) for h in split(noisy, sizes)], axis=-1
  ).astype(jnp.int32)


def mixture(
  weighted: Sequence[tuple[float, jax.Array]], uniform: float, sizes: Sizes
) -> jax.Array:
  """Mixes policies with each other and the uniform policy, head by head.

  π_h = Σ_j w_j π_h^j + w_u / size_h for each head h. AdA mixes policies
  (arXiv 2301.07608) but does not say how their heads combine. A mixture of the
  products would not be a product. Mixing each head keeps it one, so sampling,
  importance ratios and KL stay exact sums over heads.

  Args:
    weighted: Pairs of a weight and log-probabilities [..., S].
    uniform: Weight of the uniform policy; all weights sum to 1.
    sizes: Sizes of the heads.

  Returns:
    Log-probabilities of the mixture, [..., S].
  """
  total = sum(w * jnp.exp(p) for w, p in weighted)
  floor = jnp.concatenate([jnp.full([n], uniform / n) for n in sizes])
  floor = floor.reshape((1,) * (jnp.ndim(total) - 1) + floor.shape)
  # A zero weight or a vanishing probability must not lead to log(0).
  return jnp.log(jnp.maximum(total + floor, 1e-30))


def entropy(log_p: types.Array) -> jax.Array:
  """Returns the joint entropy Σ_h H(π_h), nats, [...]."""
  return -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)


def kl(log_p: types.Array, log_q: types.Array) -> jax.Array:
  """Returns the joint KL(p ‖ q) = Σ_h KL(p_h ‖ q_h), nats, [...]."""
  return jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=-1)


def jensen_shannon(log_p: types.Array, log_q: types.Array) -> jax.Array:
  """Returns Σ_h JS(p_h, q_h), nats, [...].

  The midpoint of two products isn't a product, and has no closed form; the
  divergence is taken head by head.
  """
  log_m = jnp.logaddexp(log_p, log_q) - jnp.log(2.0)
  return 0.5 * (kl(log_p, log_m) + kl(log_q, log_m))
