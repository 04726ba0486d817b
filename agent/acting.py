"""Acting: one action for each of a batch of environments.

The agent acts by sampling, in training and evaluation alike; in evaluation its
policy may be sharpened. Besides the action it returns the errors of its model's
predictions, from which the curriculum computes the fitness of tasks (AdA, arXiv
2301.07608).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from adaland.agent import distributions, types
from adaland.agent.muesli import categorical


class ActorState(NamedTuple):
  """The state of acting between two steps.

  Attributes:
    memory: The network's memory.
    value: v_1, the value predicted one model step ahead, float32 [B].
    policy: Log-probabilities π_1 predicted one model step ahead, [B, S].
  """

  memory: types.MemoryState
  value: jax.Array
  policy: jax.Array


class ActorOutput(NamedTuple):
  """The output of one step of acting.

  Attributes:
    action: Indices of the heads, int32 [B, A].
    behaviour_logits: The policy's logits, from which the action was drawn if
      the temperature is 1, float32 [B, S].
    value: v_0 of this step, float32 [B].
    value_error: abs(v_0 of this step - v_1 of the step before), zero at an
      episode's first step, float32 [B].
    policy_error: The same for policies, Jensen-Shannon divergence summed over
      heads, nats, float32 [B].
  """

  action: jax.Array
  behaviour_logits: jax.Array
  value: jax.Array
  value_error: jax.Array
  policy_error: jax.Array


class ActorCore(NamedTuple):
  """The pure functions that act; actors step environments with them.

  Attributes:
    init: Maps the number of environments to the state before the first step.
    act: `act(params, state, observation [B, ...], first [B], rng_key)` returns
      the step's output and the next state; jitted. The given state is donated:
      its buffers are reused. An optional last argument, a temperature above 0,
      divides the logits from which actions are drawn.
  """

  init: Callable[[int], ActorState]
  act: Callable[..., tuple[ActorOutput, ActorState]]


def td_error(
  value: jax.Array,
  reward: jax.Array,
  discount: jax.Array,
  next_value: jax.Array,
  gamma: float,
) -> jax.Array:
  """Returns abs(r_t + γ v_0(t+1) - v_0(t)), elementwise.

  Args:
    value: v_0(t).
    reward: Reward after the action of step t.
    discount: 0 where the episode ended after it, else 1.
    next_value: v_0(t+1); any finite number where the episode ended.
    gamma: Discount per step.
  """
  return jnp.abs(reward + gamma * discount * next_value - value)


def make_actor_core(
  network: types.Network, action_sizes: Sequence[int], value_range: float
) -> ActorCore:
  """Builds the functions that act.

  Args:
    network: The network's functions.
    action_sizes: Sizes of the action heads.
    value_range: `MuesliConfig.value_range`, to read values.

  Returns:
    The functions.
  """
  sizes = tuple(action_sizes)

  def init(batch_size: int) -> ActorState:
    return ActorState(
      memory=network.initial_memory(batch_size),
      value=jnp.zeros([batch_size]),
      policy=distributions.log_probs(
        jnp.zeros([batch_size, sum(sizes)]), sizes
      ),
    )

  def act(
    params: types.Params,
    state: ActorState,
    observation: types.Observation,
    first: jax.Array,
    rng_key: jax.Array,
    temperature: jax.Array | float = 1.0,
  ) -> tuple[ActorOutput, ActorState]:
    output, memory = network.step(params, state.memory, observation, first)
    logits = jnp.asarray(output.policy_logits, jnp.float32)
    value = categorical.decode(output.value_logits, value_range)
    action = distributions.sample(rng_key, logits / temperature, sizes)
    _, _, _, next_policy, next_value = network.model_step(
      params,
      output.model_hidden,
      output.model_cell,
      distributions.one_hot(action, sizes),
    )
    known = 1.0 - first.astype(jnp.float32)
    policy = distributions.log_probs(logits, sizes)
    return ActorOutput(
      action=action,
      behaviour_logits=logits,
      value=value,
      value_error=known * jnp.abs(value - state.value),
      policy_error=known * distributions.jensen_shannon(policy, state.policy),
    ), ActorState(
      memory=memory,
      value=categorical.decode(next_value, value_range),
      policy=distributions.log_probs(next_policy, sizes),
    )

  # Donation lets the memory be written in place instead of copied every step.
  return ActorCore(init=init, act=jax.jit(act, donate_argnums=1))
