"""The learner's state, and a gradient's effect on it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adaland.agent import learner_config, types
from adaland.agent.muesli import muesli

Metrics = dict[str, jax.Array]


class TrainState(NamedTuple):
  """The learner's whole state, one pytree of arrays.

  Attributes:
    params: The network being trained.
    target_params: The target network, which acts and computes the targets;
      equal to `params` if the algorithm has none.
    opt_state: The optimiser's state.
    scale: Moving moment of the advantages.
    updates: Updates done, int32 [].
    rng_key: Random key for the sampled actions.
    proxy: State of the small agent that chooses what to learn from; None
      without one.
  """

  params: types.Params
  target_params: types.Params
  opt_state: optax.OptState
  scale: muesli.AdvantageScale
  updates: jax.Array
  rng_key: jax.Array
  proxy: Any = None


def initial_state(
  network: types.Network,
  optimizer: optax.GradientTransformation,
  rng_key: jax.Array,
) -> TrainState:
  """Returns the state before the first update.

  Args:
    network: The network's functions.
    optimizer: The optimiser.
    rng_key: Random key for the parameters and the sampled actions.
  """
  params_key, rng_key = jax.random.split(rng_key)
  params = network.init(params_key)
  return TrainState(
    params=params,
    # A copy: a donated state must not hold one buffer twice.
    target_params=jax.tree_util.tree_map(jnp.copy, params),
    opt_state=optimizer.init(params),
    scale=muesli.initial_scale(),
    updates=jnp.zeros([], jnp.int32),
    rng_key=rng_key,
  )


def apply_gradient(
  optimizer: optax.GradientTransformation,
  config: learner_config.LearnerConfig,
  state: TrainState,
  gradient: types.Params,
  progress: jax.Array,
) -> tuple[TrainState, types.Params]:
  """Updates the parameters, then the target network.

  Args:
    optimizer: The optimiser that made `state.opt_state`.
    config: How to learn.
    state: The state so far.
    gradient: The loss's gradient in the parameters.
    progress: Fraction of the run completed, 0 to 1, [].

  Returns:
    The next state, and the update of the parameters.
  """
  step, opt_state = optimizer.update(gradient, state.opt_state, state.params)
  rate = 1.0 - (1.0 - config.final_rate) * progress
  step = jax.tree.map(lambda x: rate * x, step)
  params = optax.apply_updates(state.params, step)
  target_params = params
  if config.algorithm == "muesli":
    target_params = optax.incremental_update(
      params, state.target_params, config.target_rate
    )
  stepped = state._replace(
    params=params,
    target_params=target_params,
    opt_state=opt_state,
    updates=state.updates + 1,
  )
  return stepped, step
