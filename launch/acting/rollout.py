"""Rollout buffer: the latest steps of all environments.

The buffer lies in device memory. All environments step together, so a step of
all of them is one row of the buffer: appending writes one row in place.
`adaland.launch.acting.cutting` cuts it into unrolls.

E: environments, P: players, N = E P: rows that act, with an environment's
players next to each other, T: steps of an unroll, L = T + 1: rows of the
buffer, K: trials, A: action heads, S: sum of their sizes.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import acting, distributions, types
from adaland.envs import constants
from adaland.launch.config.teaching import Labels

# Rows of the step's `control` argument, int32 [len(CONTROL), E].
CONTROL = ("first", "last", "counts", "trial")
# Logit of an action taken by a player without a policy; all others are 0. In
# the largest head, of five actions, it has 97 % of the probability.
_SURE = 5.0
# Number of compiled programs that a process keeps.
_MAX_KEPT = 4

# Shape and dtype of each observation, without batch.
ObservationSpec = Mapping[str, tuple[tuple[int, ...], Any]]


class RolloutBuffer(NamedTuple):
  """The latest L steps; see `types.Unroll`.

  Step t lies in row t % L. Leaves are [L, N, ...], except those of `episode`,
  which are [N, ...].

  Attributes:
    episode: Observations that are constant in an episode, of the latest step.
    observation: The other observations.
    first: As in `types.Unroll`, like the rest.
    action: Actions.
    behaviour_logits: Logits that the actions were drawn from.
    reward: Rewards that followed the actions.
    discount: 0 where the episode ended.
    label: A teacher's actions, int8 [L, N, A], or the log-probabilities of its
      policy, float32 [L, N, S]; an empty dict without a teacher.
  """

  episode: types.Observation
  observation: types.Observation
  first: types.Array
  action: types.Array
  behaviour_logits: types.Array
  reward: types.Array
  discount: types.Array
  label: Any


class Guidance(NamedTuple):
  """Actions of teachers and demonstrators in the current states.

  Attributes:
    label: The teacher's actions, -1 where there is none, int8 [N, A]; or the
      log-probabilities of its policy, float32 [N, S].
    given: True where `action` is taken in place of the agent's, bool [N].
    action: The actions to take there, int8 [N, A].
    drawn: True where the action taken was drawn from the policy in `label`,
      bool [N].
  """

  label: types.Array
  given: np.ndarray
  action: types.Array
  drawn: np.ndarray


class Carry(NamedTuple):
  """State that one step of all environments hands to the next.

  Attributes:
    state: State of the acting network.
    buffer: The latest steps.
    value: v_0 of the previous step, float32 [N].
    rewards: Reward of each trial of the episode so far, float32 [N, K].
    errors: Sums over the last trial's steps of TD error, value error and
      policy error, and the number of these steps, float32 [N, 4].
  """

  state: acting.ActorState
  buffer: RolloutBuffer
  value: types.Array
  rewards: types.Array
  errors: types.Array


class Output(NamedTuple):
  """Results of a step that the host may read.

  Attributes:
    action: Indices of the heads, as the environments take them, int32 [E, A] or
      [E, P, A].
    rewards: `Carry.rewards`, in arrays that no later step consumes.
    errors: `Carry.errors`, likewise.
  """

  action: jax.Array
  rewards: jax.Array
  errors: jax.Array


def example_step(
  spec: ObservationSpec, action_sizes: Sequence[int], labels: Labels
) -> RolloutBuffer:
  """Returns zeros with the shapes and dtypes of one environment's step."""
  num_heads = len(action_sizes)
  label: dict[Labels, Any] = {
    "none": {},
    "actions": np.zeros(num_heads, np.int8),
    "policy": np.zeros(sum(action_sizes), np.float32),
  }
  episode, observation = parted(
    {name: np.zeros(shape, dtype) for name, (shape, dtype) in spec.items()}
  )
  return RolloutBuffer(
    episode=episode,
    observation=observation,
    first=np.zeros((), np.uint8),
    action=np.zeros(num_heads, np.int8),
    behaviour_logits=np.zeros(sum(action_sizes), np.float32),
    reward=np.zeros((), np.float32),
    discount=np.zeros((), np.float32),
    label=label[labels],
  )


def empty(
  functions: acting.ActorCore,
  spec: ObservationSpec,
  num_envs: int,
  length: int,
  action_sizes: Sequence[int],
  labels: Labels = "none",
) -> Carry:
  """Returns the carry before the first step.

  Args:
    functions: The acting functions.
    spec: Shape and dtype of each observation, without batch.
    num_envs: N.
    length: T.
    action_sizes: Sizes of the action heads.
    labels: The form of a teacher's labels.
  """

  def zeros(leading: tuple[int, ...], tree: Any) -> Any:
    return jax.tree.map(
      lambda x: jnp.zeros((*leading, *x.shape), x.dtype), tree
    )

  episode, *steps = example_step(spec, action_sizes, labels)
  return Carry(
    state=functions.init(num_envs),
    buffer=RolloutBuffer(
      zeros((num_envs,), episode), *zeros((length + 1, num_envs), steps)
    ),
    value=jnp.zeros([num_envs]),
    rewards=jnp.zeros([num_envs, constants.MAX_TRIALS]),
    errors=jnp.zeros([num_envs, 4]),
  )


# Compiled once in a process for all environments that one agent acts in.
@functools.lru_cache(_MAX_KEPT)
def make_step(
  functions: acting.ActorCore, gamma: float, action_sizes: tuple[int, ...]
) -> Any:
  """Builds the jitted program of one step.

  Equal arguments get the same program, which JAX traces and compiles once in a
  process.

  Args:
    functions: The acting functions.
    gamma: Discount per step, for the TD error.
    action_sizes: Sizes of the action heads.

  Returns:
    `step(params, carry, observation, reward, control, guidance, key, time)`,
    which returns an `Output` and the next carry and consumes the given one.
    `observation` and `reward` are the environments' latest, arrays on the host
    or the device, [E, ...] or [E, P, ...]; `control` has the rows that CONTROL
    names; `guidance` is a `Guidance`, or None without other players; `time` is
    the number of steps before.
  """
  sizes = tuple(action_sizes)

  def step(params, carry, observation, reward, control, guidance, key, time):
    buffer, num_rows = carry.buffer, carry.buffer.reward.shape[0]
    num_envs, num_players = (
      control.shape[1],
      carry.value.size // control.shape[1],
    )
    if num_players > 1:
      control = jnp.repeat(control, num_players, axis=1)
      observation, reward = jax.tree.map(_by_row, (observation, reward))
    first, last, counts, trial = control
    now, before = time % num_rows, (time - 1) % num_rows
    discount = 1.0 - last.astype(jnp.float32)
    reward = jnp.asarray(reward, jnp.float32)
    output, state = functions.act(
      params,
      carry.state,
      observation,
      first.astype(bool),
      jax.random.fold_in(key, time.astype(jnp.uint32)),
    )
    label = buffer.label
    if guidance is not None:
      output = _guided(output, guidance, sizes)
    if guidance is not None and not isinstance(label, dict):
      label = _write(label, guidance.label, now)
    # At an episode's first step the reward is zero.
    rewards = jnp.where(first[:, None] > 0, 0, carry.rewards)
    rewards = rewards.at[jnp.arange(len(trial)), trial].add(reward)
    td = acting.td_error(carry.value, reward, discount, output.value, gamma)
    errors = jnp.stack(
      [td, output.value_error, output.policy_error, jnp.ones_like(td)], -1
    )
    errors = jnp.where(first[:, None] > 0, 0, carry.errors) + jnp.where(
      counts[:, None] > 0, errors, 0
    )
    episode, observation = parted(observation)
    buffer = RolloutBuffer(
      episode=jax.tree.map(jnp.asarray, episode),
      observation={
        name: _write(rows, observation[name], now)
        for name, rows in buffer.observation.items()
      },
      first=_write(buffer.first, first, now),
      action=_write(buffer.action, output.action, now),
      behaviour_logits=_write(
        buffer.behaviour_logits, output.behaviour_logits, now
      ),
      # Known only now that the environments have stepped.
      reward=_write(buffer.reward, reward, before),
      discount=_write(buffer.discount, discount, before),
      label=label,
    )
    action = output.action
    if num_players > 1:
      action = action.reshape(num_envs, num_players, -1)
    return (
      Output(action, rewards, errors),
      Carry(state, buffer, output.value, rewards, errors),
    )

  return jax.jit(step, donate_argnums=1)


def _guided(
  output: acting.ActorOutput, guidance: Guidance, sizes: Sequence[int]
) -> acting.ActorOutput:
  """Replaces the agent's actions by the given ones.

  The stored logits are those of the policy that drew these actions or, without
  one, of a policy that is almost sure of them, so that off-policy corrections
  need no special case.
  """
  given = jnp.asarray(guidance.given)[:, None]
  action = jnp.asarray(guidance.action, output.action.dtype)
  logits = _SURE * distributions.one_hot(action, sizes)
  if jnp.issubdtype(guidance.label.dtype, jnp.floating):
    drawn = jnp.asarray(guidance.drawn)[:, None]
    logits = jnp.where(drawn, guidance.label, logits)
  return output._replace(
    action=jnp.where(given, action, output.action),
    behaviour_logits=jnp.where(given, logits, output.behaviour_logits),
  )


def parted(
  observation: types.Observation,
) -> tuple[types.Observation, types.Observation]:
  """Splits observations into those of the episode and those of the step."""
  episode, step = {}, {}
  for name, x in observation.items():
    part = episode if name in types.EPISODE_OBSERVATIONS else step
    part[name] = x
  return episode, step


def _by_row(values: jax.Array) -> jax.Array:
  """Merges environments and players, [E, P, ...] to [N, ...]."""
  return jnp.reshape(values, (-1, *values.shape[2:]))


def _write(rows: jax.Array, value: Any, at: jax.Array) -> jax.Array:
  """Replaces one row."""
  value = jnp.asarray(value, rows.dtype)
  return jax.lax.dynamic_update_index_in_dim(rows, value, at, 0)
