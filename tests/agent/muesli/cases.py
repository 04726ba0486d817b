"""Random trajectories, and their losses in float64 NumPy."""

import jax.numpy as jnp
import numpy as np

from adaland.agent.muesli import muesli
from tests.agent.muesli import heads

BINS = 9
RANGE = 4.0
CONFIG = muesli.MuesliConfig(num_samples=3, model_steps=2, value_range=RANGE)


def two_hot(x: float) -> np.ndarray:
  """Returns the target of the distribution of a return or reward."""
  h = np.sign(x) * (np.sqrt(np.abs(x) + 1) - 1) + 1e-3 * x
  position = np.clip(h, -RANGE, RANGE) + RANGE
  low = min(int(position), BINS - 2)
  weights = np.zeros(BINS)
  weights[low], weights[low + 1] = 1 - (position - low), position - low
  return weights


class Case:
  """A random trajectory of four real steps and two of padding."""

  def __init__(self, seed: int, ends: bool, config: muesli.MuesliConfig):
    rng = np.random.default_rng(seed)
    T, N, K = 6, config.num_samples, config.model_steps
    self.mask = np.array([1.0, 1, 1, 1, 0, 0])
    # Padding has zeros, which are no ends of an episode.
    self.discount = np.array([1.0, 1, 1, 0 if ends else 1, 0, 0])
    self.complete = np.array([1.0, 1, 1, 1 if ends else 0, 0, 0])
    self.action = heads.one_hot(rng.integers([3, 2], size=[T, 2]))
    self.behaviour = heads.log_policy(rng.normal(size=[T, heads.S]))
    self.reward = rng.normal(size=[T])
    self.returns = rng.normal(size=[T]) * self.complete
    self.value = rng.normal(size=[T])
    self.prior = heads.log_policy(rng.normal(size=[T, heads.S]))
    self.samples = heads.one_hot(rng.integers([3, 2], size=[T, N, 2]))
    self.advantages = rng.normal(size=[T, N])
    self.policy_logits = rng.normal(size=[T, K + 1, heads.S])
    self.value_logits = rng.normal(size=[T, K + 1, BINS])
    self.reward_logits = rng.normal(size=[T, K, BINS])
    # As with V-trace, not the returns that the value learns.
    self.action_returns = rng.normal(size=[T]) * self.complete

  def experience(self) -> muesli.Experience:
    """Returns the observed data."""
    return muesli.Experience(
      *map(
        heads.float32,
        (
          self.action,
          self.behaviour,
          self.reward,
          self.discount,
          self.mask,
        ),
      )
    )

  def targets(self) -> muesli.Targets:
    """Returns the targets of learning."""
    return muesli.Targets(
      *map(
        heads.float32,
        (
          self.returns,
          self.action_returns,
          self.complete,
          self.value,
          self.prior,
          self.samples,
          self.advantages,
        ),
      )
    )

  def predictions(self, every: int = 1, offset: int = 0) -> muesli.Predictions:
    """Returns predictions that go past i = 1 at every n-th step only."""
    starts = np.arange(0, 6, every) + offset
    rows = np.minimum(starts, 5)
    return muesli.Predictions(
      policy_logits=heads.float32(self.policy_logits[:, 0]),
      value_logits=heads.float32(self.value_logits[:, 0]),
      near=muesli.ModelPredictions(
        jnp.arange(6),
        heads.float32(self.policy_logits[:, 1:2]),
        heads.float32(self.value_logits[:, 1:2]),
        heads.float32(self.reward_logits[:, :1]),
      ),
      far=muesli.ModelPredictions(
        jnp.asarray(starts),
        heads.float32(self.policy_logits[rows, 2:]),
        heads.float32(self.value_logits[rows, 2:]),
        heads.float32(self.reward_logits[rows, 1:]),
      ),
    )


def reference(
  case: Case, sigma: float, config: muesli.MuesliConfig
) -> dict[str, np.ndarray]:
  """Computes each step's losses from their formulas, one number at a time."""
  T, K, N = 6, config.model_steps, config.num_samples
  names = ("policy_gradient", "cmpo", "model_policy", "reward", "value")
  out = {name: np.zeros(T) for name in names}
  log_pi = heads.log_policy(case.policy_logits)

  def cmpo(state: int, at: int, i: int) -> float:
    clipped = np.clip(case.advantages[state] / sigma, -1, 1)
    total = -np.exp(case.prior[state]) @ log_pi[at, i]
    for n in range(N):
      others = sum(np.exp(clipped[j]) for j in range(N) if j != n)
      z = (1.0 + others) / N
      log_p = case.samples[state, n] @ log_pi[at, i]
      total -= (np.exp(clipped[n]) / z - 1) * log_p / N
    return total

  for t in range(T):
    if not case.mask[t]:
      continue
    if case.complete[t]:
      new, old = (
        case.action[t] @ log_pi[t, 0],
        case.action[t] @ case.behaviour[t],
      )
      ratio = min(1.0, np.exp(new - old))
      advantage = (case.action_returns[t] - case.value[t]) / sigma
      out["policy_gradient"][t] = -ratio * advantage * new
    out["cmpo"][t] = cmpo(t, t, 0)
    over = False
    for i in range(K + 1):
      s = t + i
      weight = 1.0 if i == 0 else 1.0 / K
      inside = s < T and case.mask[s]
      if over or (inside and case.complete[s]):
        target = two_hot(0.0 if over else case.returns[s])
        out["value"][t] -= (
          weight * target @ heads.log_softmax(case.value_logits[t, i])
        )
      if inside and not over and i > 0:
        out["model_policy"][t] += cmpo(s, t, i) / K
      if inside and not over and i < K:
        # The reward of the action that leads from t + i to t + i + 1.
        log_r = heads.log_softmax(case.reward_logits[t, i])
        out["reward"][t] -= two_hot(case.reward[s]) @ log_r / K
      over = over or (inside and case.discount[s] == 0)
  return out
