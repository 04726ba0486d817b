"""What the environments' last steps were, in device memory, and unrolls of it.

All environments step together, so a step of all of them is one row of the log:
to note it is one write in place, and an unroll is cut by reading consecutive
rows. N: environments, T: steps of an unroll, L = T + 1: rows of the log, K:
trials, A: action heads.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import acting, types
from adaland.envs import constants

# Numbers that `acting` is given of each environment, int32 [len, N].
CONTROL = ("first", "last", "counts", "trial")


class Log(NamedTuple):
  """Steps, newest at row t % L, leaves [L, N, ...]; see `types.Unroll`."""

  observation: types.Observation
  first: types.Array
  action: types.Array
  behaviour_logits: types.Array
  reward: types.Array
  discount: types.Array


class Carry(NamedTuple):
  """What a step of all environments hands to the next.

  Attributes:
    state: Of the acting network.
    log: The steps.
    value: v_0 of the step before, float32 [N].
    rewards: Reward of each trial of the episode so far, float32 [N, K].
    errors: Sums over the last trial's steps of TD, value and policy error,
      and their number, float32 [N, 4].
  """

  state: acting.ActorState
  log: Log
  value: types.Array
  rewards: types.Array
  errors: types.Array


class Output(NamedTuple):
  """What the host may want of a step.

  Attributes:
    action: Indices of the heads, int32 [N, A].
    rewards: As in `Carry`, but never consumed.
    errors: The same.
  """

  action: jax.Array
  rewards: jax.Array
  errors: jax.Array


def empty(
  actor: acting.Actor, spec: Any, num_envs: int, length: int, sizes: Any
) -> Carry:
  """Returns what there is before the first step.

  Args:
    actor: The acting functions.
    spec: Shape and dtype of each observation, without batch.
    num_envs: N.
    length: T.
    sizes: Of the action heads.
  """

  def zeros(shape: tuple[int, ...], dtype: Any) -> jax.Array:
    return jnp.zeros((length + 1, num_envs, *shape), dtype)

  return Carry(
    state=actor.init(num_envs),
    log=Log(
      observation={
        name: zeros(shape, dtype) for name, (shape, dtype) in spec.items()
      },
      first=zeros((), jnp.uint8),
      action=zeros((len(sizes),), jnp.int8),
      behaviour_logits=zeros((sum(sizes),), jnp.float32),
      reward=zeros((), jnp.float32),
      discount=zeros((), jnp.float32),
    ),
    value=jnp.zeros([num_envs]),
    rewards=jnp.zeros([num_envs, constants.MAX_TRIALS]),
    errors=jnp.zeros([num_envs, 4]),
  )


def make_step(actor: acting.Actor, gamma: float) -> Any:
  """Builds the program of one step.

  Args:
    actor: The acting functions.
    gamma: Discount per step, for the TD error.

  Returns:
    `step(params, carry, observation, reward, control, key, time)` gives an
    `Output` and the next carry; the one given is consumed. `observation` and
    `reward` are what the environments showed last, host or device arrays,
    `control` the rows that CONTROL names, `time` the steps so far.
  """

  def step(params, carry, observation, reward, control, key, time):
    first, last, counts, trial = control
    log, num_rows = carry.log, carry.log.reward.shape[0]
    now, before = time % num_rows, (time - 1) % num_rows
    goes_on = 1.0 - last.astype(jnp.float32)
    reward = jnp.asarray(reward, jnp.float32)
    output, state = actor.act(
      params,
      carry.state,
      observation,
      first.astype(bool),
      jax.random.fold_in(key, time.astype(jnp.uint32)),
    )
    # Where an episode starts the reward is zero, and so is what is added.
    rewards = jnp.where(first[:, None] > 0, 0, carry.rewards)
    rewards = rewards.at[jnp.arange(len(trial)), trial].add(reward)
    td = jnp.abs(reward + gamma * goes_on * output.value - carry.value)
    errors = jnp.stack(
      [td, output.value_error, output.policy_error, jnp.ones_like(td)], -1
    )
    errors = jnp.where(first[:, None] > 0, 0, carry.errors) + jnp.where(
      counts[:, None] > 0, errors, 0
    )

    def note(rows: jax.Array, value: Any, at: jax.Array) -> jax.Array:
      value = jnp.asarray(value, rows.dtype)
      return jax.lax.dynamic_update_index_in_dim(rows, value, at, 0)

    log = Log(
      observation={
        name: note(rows, observation[name], now)
        for name, rows in log.observation.items()
      },
      first=note(log.first, first, now),
      action=note(log.action, output.action, now),
      behaviour_logits=note(log.behaviour_logits, output.behaviour_logits, now),
      reward=note(log.reward, reward, before),
      discount=note(log.discount, goes_on, before),
    )
    return (
      Output(output.action, rewards, errors),
      Carry(state, log, output.value, rewards, errors),
    )

  return jax.jit(step, donate_argnums=1)


@functools.partial(jax.jit, static_argnames=("length",))
def cut(
  log: Log,
  snapshots: types.MemoryState,
  places: np.ndarray,
  version: np.ndarray,
  length: int,
) -> types.Unroll:
  """Cuts unrolls out of the log, leaves [K, T, ...].

  Args:
    log: The steps.
    snapshots: Memories at first steps, or an empty dict.
    places: Of each unroll the environment, the row of its first step, its
      number of steps and the row of its memory, int32 [4, K].
    version: Of the acting parameters, int32 [].
    length: T.
  """
  envs, starts, lengths, memories = places
  steps = jnp.arange(length)[None]
  rows = (starts[:, None] + steps) % log.reward.shape[0]
  mask = steps < lengths[:, None]

  def take(values: types.Array) -> jax.Array:
    taken = jnp.asarray(values)[rows, envs[:, None]]
    shape = mask.shape + (1,) * (taken.ndim - 2)
    return jnp.where(mask.reshape(shape), taken, jnp.zeros_like(taken))

  return types.Unroll(
    observation={name: take(x) for name, x in log.observation.items()},
    first=take(log.first),
    action=take(log.action),
    behaviour_logits=take(log.behaviour_logits),
    reward=take(log.reward),
    discount=take(log.discount),
    mask=mask.astype(jnp.uint8),
    initial_memory=jax.tree.map(lambda x: x[memories], snapshots),
    params_version=jnp.full(len(envs), version, jnp.int32),
  )


@functools.partial(jax.jit, donate_argnums=0)
def keep_memory(
  snapshots: types.MemoryState,
  memory: types.MemoryState,
  envs: np.ndarray,
  rows: np.ndarray,
) -> types.MemoryState:
  """Copies the memory of some environments into rows of the snapshots.

  Args:
    snapshots: Leaves [2 N, ...], consumed.
    memory: Leaves [N, ...].
    envs: Which, int32 [K].
    rows: Where to, int32 [K]; past the last row for those to leave out.
  """
  return jax.tree.map(
    lambda x, new: x.at[rows].set(new[envs], mode="drop"), snapshots, memory
  )
