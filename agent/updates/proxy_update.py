"""An update from the most learnable unrolls of a batch.

A small agent is trained alongside the large one, and scores the unrolls before
the large one learns from the best of them ("Bad students make great teachers",
arXiv 2312.05328). In that paper the learnability of an example is its loss
under an earlier model minus its loss under a later one: high if there is
something to learn, low if all is known or nothing can be learned. Here the
later model is the small agent, and the earlier one is its target network.
"""

import dataclasses
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax

from adaland.agent import learner_config, types
from adaland.agent.muesli import model, muesli
from adaland.agent.updates import muesli_update, train_state

_EPSILON = 1e-8


def initial_state(
  network: types.Network,
  proxy: types.Network,
  optimizer: optax.GradientTransformation,
  rng_key: jax.Array,
) -> train_state.TrainState:
  """Returns the state of both agents before the first update."""
  rng_key, proxy_key = jax.random.split(rng_key)
  state = train_state.initial_state(network, optimizer, rng_key)
  small = train_state.initial_state(proxy, optimizer, proxy_key)
  return state._replace(proxy=small)


def num_chosen(config: learner_config.ProxyConfig, rows: int) -> int:
  """Returns the number of unrolls of a batch that are learned from."""
  # Rounded first: in binary, 0.29 * 100 is a little less than 29.
  return max(1, math.floor(round(config.share * rows, 6)))


def learnability(
  proxy: types.Network,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  state: train_state.TrainState,
  batch: types.Unroll,
  rng_key: jax.Array,
) -> jax.Array:
  """Scores unrolls by what the small agent has recently learned from them.

  The loss is that of rewards and values, a mean over the unroll's steps: it
  measures how well an agent understands a task.

  Args:
    proxy: The small network's functions.
    config: How to learn.
    sizes: Sizes of the action heads.
    state: The small agent's state.
    batch: Unrolls without memory, [B, T, ...].
    rng_key: Draws actions, and the parts of observations that are left out.

  Returns:
    Loss under the target network minus loss under the network, [B].
  """
  sample_key, drop_key = jax.random.split(rng_key)
  experience = muesli.experience_of(batch, sizes)
  target = muesli_update.targets(
    proxy,
    config,
    sizes,
    state.target_params,
    batch,
    experience,
    sample_key,
    drop_key,
  )
  constants = config.muesli
  offset = jnp.zeros([], jnp.int32)

  def error(params: types.Params) -> jax.Array:
    output, _ = proxy.unroll(
      params, batch.initial_memory, batch.observation, batch.first, drop_key
    )
    predictions = model.unroll_model(
      proxy, params, output, experience.action, constants, offset
    )
    parts = jax.vmap(
      lambda p, t, e: muesli.losses(p, t, e, jnp.ones([]), sizes, constants)
    )(predictions, target, experience)
    total = constants.value_weight * parts["value"]
    if "reward" in parts:
      total += constants.reward_weight * parts["reward"]
    steps = jnp.maximum(jnp.sum(experience.mask, axis=1), 1.0)
    return jnp.sum(total, axis=1) / steps

  return error(state.target_params) - error(state.params)


def choose(
  rng_key: jax.Array, scores: jax.Array, number: int, noise: float
) -> jax.Array:
  """Chooses rows, with a preference for high scores.

  With noise they are drawn without replacement; row i is drawn first with a
  probability proportional to exp(z_i / noise), where z are the standardised
  scores.

  Args:
    rng_key: Consumed.
    scores: Scores, [B].
    number: Number of rows.
    noise: Scale of the Gumbel noise.

  Returns:
    Distinct rows, int32 [number].
  """
  z = (scores - jnp.mean(scores)) / (jnp.std(scores) + _EPSILON)
  z += noise * jax.random.gumbel(rng_key, scores.shape)
  return jax.lax.top_k(z, number)[1]


def update(
  network: types.Network,
  optimizer: optax.GradientTransformation,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  state: train_state.TrainState,
  batch: types.Unroll,
  progress: jax.Array,
  *,
  proxy: types.Network,
) -> tuple[train_state.TrainState, train_state.Metrics]:
  """Learns from the unrolls of one batch that the small agent chooses.

  Args:
    network: The network's functions.
    optimizer: The optimiser that made `state.opt_state`.
    config: How to learn.
    sizes: Sizes of the action heads.
    state: The state so far.
    batch: Unrolls, [B, T, ...].
    progress: Fraction of the run completed, 0 to 1, [].
    proxy: The small network's functions.

  Returns:
    The next state, and scalar metrics.
  """
  score_key, choice_key = jax.random.split(
    jax.random.fold_in(state.proxy.rng_key, 1)
  )
  # The memory in the unrolls belongs to the large network.
  light = batch._replace(
    initial_memory={}, first=jnp.asarray(batch.first).at[:, 0].set(1)
  )
  # The small agent has no privileged heads or losses.
  small = dataclasses.replace(
    config, privileged=learner_config.PrivilegedConfig()
  )
  scores = learnability(proxy, small, sizes, state.proxy, light, score_key)
  rows = choose(
    choice_key,
    scores,
    num_chosen(config.proxy, len(scores)),
    config.proxy.noise,
  )

  def chosen(unrolls: types.Unroll) -> types.Unroll:
    return jax.tree.map(lambda x: jnp.asarray(x)[rows], unrolls)

  after, metrics = muesli_update.update(
    network, optimizer, config, sizes, state, chosen(batch), progress
  )
  learned, of_proxy = muesli_update.update(
    proxy, optimizer, small, sizes, state.proxy, chosen(light), progress
  )
  return after._replace(proxy=learned), metrics | {
    "proxy/loss": of_proxy["loss/total"],
    **_described("learnability", scores, rows),
    **_described("reward", jnp.sum(batch.reward, axis=1), rows),
    **_described("rules", _num_rules(batch), rows),
  }


def _num_rules(batch: types.Unroll) -> jax.Array:
  """Returns the number of rules of each unroll's task, [B]."""
  rules = jnp.asarray(batch.observation["rules"])
  return jnp.sum(jnp.any(rules != 0, axis=-1), axis=-1).astype(jnp.float32)


def _described(
  name: str, values: jax.Array, rows: jax.Array
) -> dict[str, jax.Array]:
  """Returns means over the chosen rows, and over all."""
  return {
    f"proxy/{name}_chosen": jnp.mean(values[rows]),
    f"proxy/{name}_of_all": jnp.mean(values),
  }
