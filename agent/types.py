"""The values that flow through the agent.

Shape letters, here and in the whole package: B batch, T time, K trials,
A action heads, D width, I model steps, N sampled actions. Sequences are batch
first, [B, T, ...], outside the network and inside it; losses are written for
one trajectory [T, ...] and vmapped.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import jax
import numpy as np

Array = jax.Array | np.ndarray
# A dictionary of named arrays, as the environment returns it.
Observation = dict[str, Array]
# One memory's state for a batch; a pytree whose leaves are [B, ...].
MemoryState = Any
Params = Any

# Observations that are the same at all steps of an episode. An unroll, which
# never spans two episodes, holds each of them once, without the time axis.
EPISODE_OBSERVATIONS: Final = ("goal", "rules")


class NetworkOutput(NamedTuple):
  """The network's output for one step, without look-ahead.

  Attributes:
    policy_logits: Logits of the six heads, concatenated, [..., sum(sizes)].
    value_logits: Categorical value, [..., num_bins].
    model_hidden: Start state of the model's LSTM: hidden, [..., H].
    model_cell: The same: cell, [..., H].
    belief_logits: Belief about the hidden rules, two logits for each type of
      object (see `adaland.agent.privileged.belief`), [..., 2 * types]; no
      columns without a belief head.
  """

  policy_logits: Array
  value_logits: Array
  model_hidden: Array
  model_cell: Array
  belief_logits: Array


class Unroll(NamedTuple):
  """One learner example: consecutive steps of one episode, numpy [T, ...].

  Step t holds the observation, the action taken in response and that action's
  reward and discount. An unroll never spans two episodes: it starts at an
  episode's first step or where the previous unroll of the episode ended, and is
  padded at the end with `mask` zero. The learner bootstraps at the last valid
  step, so consecutive unrolls overlap by one step.

  Attributes:
    observation: Named arrays, [T, ...]; those in `EPISODE_OBSERVATIONS` are
      [...].
    first: 1 where the episode starts (memory is cleared there), uint8 [T].
    action: The six action indices taken, int8 [T, A].
    behaviour_logits: The acting policy's logits, float32 [T, sum(sizes)].
    reward: Reward that followed the action, float32 [T].
    discount: 0 where the episode ended after the action, else 1, float32 [T].
    mask: 1 for real steps, 0 for padding, uint8 [T].
    initial_memory: Memory at the first step; empty dict if every unroll starts
      an episode.
    params_version: Learner update count of the acting parameters, int64 [].
    privileged: Information from the simulator or a script that the agent is not
      shown, for learning only; empty if learning uses none. `rules`: the true
      rules of the episode's task, int32 [R, W]. `label`: the actions of a
      teacher in the states of the unroll, -1 where there is none, int8 [T, A].
      Alternatively `teacher`: log-probabilities of a teacher's policy there, 0
      where there is none, float32 [T, sum(sizes)].
  """

  observation: Observation
  first: Array
  action: Array
  behaviour_logits: Array
  reward: Array
  discount: Array
  mask: Array
  initial_memory: MemoryState
  params_version: Array
  privileged: dict[str, Array]


# hidden, cell, reward logits, policy logits, value logits.
ModelOutput = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]


class Network(NamedTuple):
  """Encoder, memory, model and heads.

  Attributes:
    init: rng key -> params, float32.
    initial_memory: batch size B -> memory state, leaves [B, ...].
    step: params, memory, observation [B, ...], first [B] -> output [B, ...],
      memory. One step, for acting. Donate the memory
      (`jax.jit(..., donate_argnums=...)`) to avoid copying it.
    unroll: params, memory, observation as an `Unroll` holds it [B, T, ...],
      first [B, T] -> output [B, T, ...], memory. Equal to repeated `step`. An
      empty dict as memory means that every row starts an episode. No gradient
      flows into memory. An optional random key is for learning, in which parts
      of an observation may be left out (see `config.PatchesConfig`); without a
      key nothing is left out.
    model_step: params, hidden, cell, one-hots of the action [..., sum(sizes)]
      -> hidden, cell, logits of reward, of the next policy and value. Any
      leading axes.
    truth: goal [B, 6], true rules [B, R, W] -> the correct belief, see
      `adaland.agent.privileged.belief.targets`, [B, 2 * types].
    critic: params, output [B, T, ...], truth [B, 2 * types] -> logits of the
      privileged critic's value [B, T, num_bins]. No gradient flows into the
      output. For learning only; ValueError if the network has no such critic.
  """

  init: Callable[[Array], Params]
  initial_memory: Callable[[int], MemoryState]
  step: Callable[
    [Params, MemoryState, Observation, Array],
    tuple[NetworkOutput, MemoryState],
  ]
  unroll: Callable[..., tuple[NetworkOutput, MemoryState]]
  model_step: Callable[[Params, Array, Array, Array], ModelOutput]
  truth: Callable[[Array, Array], jax.Array]
  critic: Callable[[Params, NetworkOutput, Array], jax.Array]
