"""The CMPO policy: the prior, re-weighted by clipped advantages.

Muesli (arXiv 2104.06159), section 4. Shape letters: S sum of the heads' sizes,
N sampled actions, K composite actions.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from adaland.agent import distributions
from adaland.agent.learner_config import MuesliConfig


def weights(normalised: jax.Array, config: MuesliConfig) -> jax.Array:
  """Computes the CMPO policy's weights of actions sampled from the prior.

  w_k = e_k / z_k with e = exp(clip(adv / σ, -c, c)) and the leave-one-out
  normaliser z_k = (z_init + Σ_{j≠k} e_j) / N, which keeps the estimate of the
  normaliser independent of the sample that it divides.

  Args:
    normalised: Advantages over σ, [..., N].
    config: The clip and z_init.

  Returns:
    Weights, about 1 on average, [..., N].
  """
  c = config.advantage_clip
  e = jnp.exp(jnp.clip(normalised, -c, c))
  others = jnp.sum(e, axis=-1, keepdims=True) - e
  z = (config.z_init + others) / normalised.shape[-1]
  return e / z


def sampled_policy(
  prior: jax.Array,
  samples: jax.Array,
  normalised: jax.Array,
  config: MuesliConfig,
) -> jax.Array:
  """Estimates the CMPO policy's probabilities from N sampled actions.

  The plain estimate is mean_k w_k onehot(a_k) (Muesli, arXiv 2104.06159,
  section 4.2). With all weights 1, its expectation is the prior, which is
  known, so it serves as a control variate:

      π_p + mean_k (w_k - 1) onehot(a_k)

  has the same expectation, and only the weights' deviations from 1 add noise.

  Args:
    prior: Log-probabilities of the prior, [..., S].
    samples: One-hots of actions drawn from it, [..., N, S].
    normalised: Their advantages over σ, [..., N].
    config: The clip, z_init, and whether to use the control variate.

  Returns:
    Estimated probabilities, which the control variate may make negative,
    [..., S].
  """
  shares = weights(normalised, config)
  if config.control_variate:
    shares -= 1.0
  sampled = jnp.einsum("...n,...ns->...s", shares, samples)
  sampled /= normalised.shape[-1]
  return jnp.exp(prior) + sampled if config.control_variate else sampled


def exact_policy(
  prior: jax.Array,
  normalised: jax.Array,
  sizes: Sequence[int],
  config: MuesliConfig,
) -> jax.Array:
  """Computes the marginals of the CMPO policy from all composite actions.

  π_CMPO(a) ∝ π_p(a) exp(clip(adv(a) / σ, -c, c)). It is not a product of heads,
  but the KL to a product depends only on its marginals.

  Args:
    prior: Log-probabilities of the prior, [..., S].
    normalised: Advantages over σ of all composite actions, in the order of
      `distributions.all_actions`, [..., K].
    sizes: Sizes of the heads.
    config: The clip.

  Returns:
    Probabilities of each head, [..., S].
  """
  actions = distributions.all_actions(sizes)
  c = config.advantage_clip
  logits = jnp.dot(prior, actions.T) + jnp.clip(normalised, -c, c)
  return jnp.dot(jax.nn.softmax(logits), actions)
