"""Retrace and V-trace returns over one unroll.

Index convention, as in `types.Unroll`: reward_t and discount_t follow a_t.
"""

import jax
import jax.numpy as jnp

from adaland.agent.muesli._rlax import rlax


def complete_steps(mask: jax.Array, discount: jax.Array) -> jax.Array:
  """Marks the steps whose return the unroll defines, float32 [T].

  A real step is complete if the episode ended with it or its successor is in
  the unroll. Otherwise the unroll was cut there, and for returns the step only
  serves as the bootstrap of its predecessor. The next unroll starts with it,
  and losses that read no return count it in both.

  Args:
    mask: 1 for real steps, 0 for padding, [T].
    discount: 0 where the episode ended after the action, [T].

  Returns:
    1 for complete steps, else 0, [T].
  """
  has_next = jnp.concatenate([mask[1:], jnp.zeros_like(mask[:1])])
  return mask * jnp.where(discount == 0.0, 1.0, has_next)


def retrace_returns(
  q: jax.Array,
  v: jax.Array,
  reward: jax.Array,
  discount: jax.Array,
  ratio: jax.Array,
  complete: jax.Array,
  lambda_: float,
) -> jax.Array:
  """Returns Retrace's estimates G of the return of each action taken.

  (Munos et al. 2016, arXiv 1606.02647.)

  G_t = q_t + Σ_j γ^j (Π_{i=1..j} c_{t+i}) δ_{t+j} with
  δ_t = r_t + γ v_{t+1} - q_t and c_t = λ min(1, π(a_t) / μ(a_t)), computed as
  G_t = r_t + γ (v_{t+1} + c_{t+1} (G_{t+1} - q_{t+1})).

  Args:
    q: q(s_t, a_t) of the actions taken, [T].
    v: E_π q(s_t, ·), [T].
    reward: Reward after a_t, [T].
    discount: γ, or 0 where the episode ended after a_t, [T].
    ratio: π(a_t) / μ(a_t), target over behaviour policy, [T].
    complete: 1 where the step's own return is defined (`complete_steps`), [T].
    lambda_: Trace parameter, in [0, 1].

  Returns:
    G, [T]; meaningless where `complete` is 0.
  """
  # Cut the trace at a step that has no return: bootstrap from v there.
  c = lambda_ * jnp.minimum(1.0, ratio) * complete
  # There is no v after the last step. Either it ended the episode, and its
  # discount is zero, or it is incomplete, and its return is not read.
  v_next = jnp.concatenate([v[1:], jnp.zeros_like(v[:1])])
  returns = rlax.general_off_policy_returns_from_q_and_v(
    q[1:], v_next, reward, discount, c[1:]
  )
  return jnp.asarray(returns)


def vtrace_returns(
  v: jax.Array,
  reward: jax.Array,
  discount: jax.Array,
  ratio: jax.Array,
  complete: jax.Array,
  lambda_: float,
) -> tuple[jax.Array, jax.Array]:
  """Returns V-trace's estimates of values and of returns of actions taken.

  The value is V_t = v_t + δ_t + γ c_t (V_{t+1} - v_{t+1}) with
  δ_t = min(1, ρ_t) (r_t + γ v_{t+1} - v_t) and c_t = λ min(1, ρ_t). The
  action's return is r_t + γ (λ V_{t+1} + (1 - λ) v_{t+1}) (IMPALA, arXiv
  1802.01561, section 4.1).

  Args:
    v: v(s_t), [T].
    reward: Reward after a_t, [T].
    discount: γ, or 0 where the episode ended after a_t, [T].
    ratio: ρ_t = π(a_t) / μ(a_t), target over behaviour policy, [T].
    complete: 1 where the step's own return is defined (`complete_steps`), [T].
    lambda_: Trace parameter, in [0, 1].

  Returns:
    Values and returns, each [T]; meaningless where `complete` is 0.
  """
  v_next = jnp.concatenate([v[1:], jnp.zeros_like(v[:1])])
  # With a ratio of 0, a step that has no return keeps its value, which serves
  # as the bootstrap.
  out = rlax.vtrace_td_error_and_advantage(
    v, v_next, reward, discount, ratio * complete, jnp.float32(lambda_)
  )
  return v + out.errors, jnp.asarray(out.q_estimate)
