"""How much there is to learn from an episode: the fitness of §5.2.

All functions take one episode as arrays [T] and return errors, step by step;
`last_trial_mean` makes the episode's one number of them. Names are rlax's:
`v_tm1` and `v_t` are the values at the two ends of a step, `r_t` and
`discount_t` what came in between.
"""

from collections.abc import Sequence

import numpy as np


def td_error(
  v_tm1: np.ndarray, r_t: np.ndarray, discount_t: np.ndarray, v_t: np.ndarray
) -> np.ndarray:
  """Returns |r + γ v_0(t+1) - v_0(t)|, the score that the paper chose.

  Args:
    v_tm1: Value where the action was taken, [T].
    r_t: Reward that followed it, [T].
    discount_t: Discount after it: γ, or 0 where the episode ended, [T].
    v_t: Value where it led, [T].

  Returns:
    Errors, [T].
  """
  return np.abs(r_t + discount_t * v_t - v_tm1)


def value_error(v_t: np.ndarray, model_v_tm1: np.ndarray) -> np.ndarray:
  """Returns |v_0(t+1) - v_1(t)|, how badly the model foresaw the value.

  Args:
    v_t: Value of the next step, as seen there, [T].
    model_v_tm1: The same value, as the model foresaw it one step before, [T].

  Returns:
    Errors, [T].
  """
  return np.abs(v_t - model_v_tm1)


def policy_error(
  logits_t: np.ndarray, model_logits_tm1: np.ndarray, sizes: Sequence[int]
) -> np.ndarray:
  """Returns JS(π_0(t+1), π_1(t)) of the joint policies, in nats.

  A policy is the product of its heads. The even mixture of two products is
  not a product, so the divergence is not a sum over heads: the joint
  distribution is written out (810 actions for the six heads).

  Args:
    logits_t: The next step's policy, as seen there, [T, sum(sizes)].
    model_logits_tm1: The same, as the model foresaw it, [T, sum(sizes)].
    sizes: Actions of each head.

  Returns:
    Divergences between 0 and ln 2, [T].
  """
  log_p = _joint_log_probs(logits_t, sizes)
  log_q = _joint_log_probs(model_logits_tm1, sizes)
  log_m = np.logaddexp(log_p, log_q) - np.log(2.0)
  p_part = np.sum(np.exp(log_p) * (log_p - log_m), axis=-1)
  q_part = np.sum(np.exp(log_q) * (log_q - log_m), axis=-1)
  return np.maximum(0.5 * (p_part + q_part), 0.0)


def last_trial_mean(errors: np.ndarray, trial: np.ndarray) -> float:
  """Returns the mean over the steps of the last trial.

  Early trials' errors are high in healthy exploration too, so they would
  reward tasks that are merely unknown (§5.2).

  Args:
    errors: Errors, [T].
    trial: Each step's trial, rising, [T].

  Returns:
    The mean; 0 for an episode without steps.
  """
  errors, trial = np.asarray(errors), np.asarray(trial)
  if errors.size == 0:
    return 0.0
  return float(np.mean(errors[trial == trial[-1]], dtype=np.float64))


def _joint_log_probs(logits: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
  """Returns log-probabilities of all combinations, [T, prod(sizes)]."""
  logits = np.asarray(logits, np.float64)
  joint = np.zeros((len(logits), 1))
  for head in np.split(logits, np.cumsum(sizes)[:-1], axis=-1):
    shifted = head - head.max(axis=-1, keepdims=True)
    log_z = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    joint = joint[:, :, np.newaxis] + (shifted - log_z)[:, np.newaxis, :]
    joint = joint.reshape(len(logits), -1)  # [T, combinations so far]
  return joint
