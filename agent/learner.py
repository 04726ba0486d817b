"""The learner: one pytree of state, one pure update.

The algorithm is Muesli (arXiv 2104.06159) as AdA uses it (arXiv 2301.07608).
Shape letters: B batch, T time, A heads, S sum of their sizes, N samples, I
model steps, H model width.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adaland.agent import distributions, learner_config, optimizers, types
from adaland.agent.muesli import categorical, diagnostics, model, muesli
from adaland.agent.privileged import losses

Metrics = dict[str, jax.Array]


class TrainState(NamedTuple):
  """The learner's whole state, one pytree of arrays.

  Attributes:
    params: The network being trained.
    target_params: The target network, which acts and makes the targets.
    opt_state: The optimiser's state.
    scale: Moving moment of the advantages.
    updates: Updates done, int32 [].
    rng_key: Source of the sampled actions.
  """

  params: types.Params
  target_params: types.Params
  opt_state: optax.OptState
  scale: muesli.AdvantageScale
  updates: jax.Array
  rng_key: jax.Array


class Learner(NamedTuple):
  """The learner's functions.

  Where the devices are those of several processes, each calls them all in the
  same order, with the same key or state.

  Attributes:
    init: From a random key, the first state.
    load: From a state of NumPy arrays, a copy that `update` takes.
    update: From a state, a batch and, if settings depend on it, the share of
      the run that is over (0 to 1), the next state and scalar metrics. The
      state given is consumed: its buffers are reused. Each process gives its
      own rows of the batch, as many as any other; together they are the batch
      in the order of the processes.
  """

  init: Callable[[jax.Array], TrainState]
  load: Callable[[TrainState], TrainState]
  update: Callable[..., tuple[TrainState, Metrics]]


def initial_state(
  network: types.Network,
  optimizer: optax.GradientTransformation,
  rng_key: jax.Array,
) -> TrainState:
  """Returns the state before the first update.

  Args:
    network: The network's functions.
    optimizer: The optimiser.
    rng_key: Source of the parameters and of the sampled actions.
  """
  params_key, rng_key = jax.random.split(rng_key)
  params = network.init(params_key)
  return TrainState(
    params=params,
    # A copy: a donated state may not hold one buffer twice.
    target_params=jax.tree_util.tree_map(jnp.copy, params),
    opt_state=optimizer.init(params),
    scale=muesli.initial_scale(),
    updates=jnp.zeros([], jnp.int32),
    rng_key=rng_key,
  )


def targets(
  network: types.Network,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  params: types.Params,
  batch: types.Unroll,
  experience: muesli.Experience,
  rng_key: jax.Array,
) -> muesli.Targets:
  """Computes the online network's targets with one target network.

  Args:
    network: The network's functions.
    config: How to learn.
    sizes: Sizes of the action heads.
    params: The target network's parameters.
    batch: The batch's unrolls, [B, T, ...].
    experience: The same unrolls as the losses read them, [B, T, ...].
    rng_key: Draws the N actions of each step.

  Returns:
    The targets, [B, T, ...].
  """
  output, _ = network.unroll(
    params, batch.initial_memory, batch.observation, batch.first
  )
  prior = muesli.prior_policy(
    distributions.log_probs(output.policy_logits, sizes),
    experience.behaviour,
    sizes,
    config.muesli,
  )
  repeated = jnp.broadcast_to(
    prior[:, :, None],
    (*prior.shape[:2], config.muesli.num_samples, prior.shape[-1]),
  )
  samples = distributions.one_hot(
    distributions.sample(rng_key, repeated, sizes), sizes
  )  # [B, T, N, S]
  q = model.look_ahead(
    network,
    params,
    output,
    jnp.concatenate([experience.action[:, :, None], samples], axis=2),
    config.muesli,
  )  # [B, T, 1 + N]
  value_range = config.muesli.value_range
  target = jax.vmap(functools.partial(muesli.targets, config=config.muesli))(
    experience,
    prior,
    categorical.decode(output.value_logits, value_range),
    q[:, :, 0],
    samples,
    q[:, :, 1:],
  )
  if config.privileged.critic_weight > 0:
    # A baseline may know anything but the action.
    logits = network.critic(params, output, losses.truth(network, batch))
    target = target._replace(value=categorical.decode(logits, value_range))
  return target


def loss(
  params: types.Params,
  network: types.Network,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  batch: types.Unroll,
  experience: muesli.Experience,
  target: muesli.Targets,
  sigma: jax.Array,
  offset: jax.Array,
  progress: jax.Array,
) -> tuple[jax.Array, tuple[dict[str, jax.Array], muesli.Predictions]]:
  """Computes Muesli's loss and the privileged ones, means over real steps.

  Args:
    params: The online network's parameters.
    network: The network's functions.
    config: How to learn.
    sizes: Sizes of the action heads.
    batch: The batch's unrolls, [B, T, ...].
    experience: The same unrolls as the losses read them, [B, T, ...].
    target: Returned by `targets`.
    sigma: Scale of the advantages, [].
    offset: See `model.unroll_model`.
    progress: Share of the run that is over, [].

  Returns:
    The total, []; its unweighted parts by name, each [], and the network's
    predictions, [B, T, ...].
  """
  output, _ = network.unroll(
    params, batch.initial_memory, batch.observation, batch.first
  )
  predictions = model.unroll_model(
    network, params, output, experience.action, config.muesli, offset
  )
  parts = jax.vmap(
    lambda p, t, e: muesli.losses(p, t, e, sigma, sizes, config.muesli)
  )(predictions, target, experience)
  steps = jnp.maximum(jnp.sum(experience.mask), 1.0)
  parts = {name: jnp.sum(x) / steps for name, x in parts.items()}
  told = losses.privileged_losses(
    params,
    network,
    config.privileged,
    sizes,
    batch,
    output,
    predictions,
    target,
    config.muesli,
  )
  own_share = jnp.ones([])
  if config.privileged.distillation_replaces:
    own_share -= losses.distilled(config.privileged, progress)
  total = muesli.total_loss(parts, config.muesli, own_share)
  total += losses.total(told, config.privileged, progress)
  return total, (parts | told, predictions)


def update(
  network: types.Network,
  optimizer: optax.GradientTransformation,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  state: TrainState,
  batch: types.Unroll,
  progress: jax.Array,
) -> tuple[TrainState, Metrics]:
  """Learns from one batch.

  Args:
    network: The network's functions.
    optimizer: The optimiser that made `state.opt_state`.
    config: How to learn.
    sizes: Sizes of the action heads.
    state: The state so far.
    batch: Unrolls, [B, T, ...].
    progress: Share of the run that is over, 0 to 1, [].

  Returns:
    The next state, and scalar metrics.
  """
  rng_key, sample_key, offset_key = jax.random.split(state.rng_key, 3)
  mask = jnp.asarray(batch.mask, jnp.float32)
  experience = muesli.Experience(
    action=distributions.one_hot(batch.action, sizes),
    behaviour=distributions.log_probs(batch.behaviour_logits, sizes),
    reward=jnp.asarray(batch.reward),
    discount=jnp.asarray(batch.discount),
    mask=mask,
  )
  target = targets(
    network,
    config,
    sizes,
    state.target_params,
    batch,
    experience,
    sample_key,
  )
  error = target.complete * (target.returns - target.value)
  complete = jnp.maximum(jnp.sum(target.complete), 1.0)
  scale, sigma = muesli.update_scale(
    state.scale, jnp.sum(jnp.square(error)) / complete, config.muesli
  )
  (total, (parts, predictions)), gradient = jax.value_and_grad(
    loss, has_aux=True
  )(
    state.params,
    network,
    config,
    sizes,
    batch,
    experience,
    target,
    sigma,
    jax.random.randint(offset_key, [], 0, config.muesli.model_every),
    progress,
  )
  state, step = _stepped(optimizer, config, state, gradient, progress)

  heads = diagnostics.head_metrics(
    predictions, mask, sizes, config.muesli.value_range
  )
  pi = distributions.log_probs(predictions.policy_logits, sizes)

  def mean(x):
    return jnp.sum(x * mask) / jnp.maximum(jnp.sum(mask), 1.0)

  by_name = {f"loss/{name}": x for name, x in parts.items()}
  metrics = (
    by_name
    | heads
    | {
      "loss/total": total,
      "entropy": mean(distributions.entropy(pi)),
      "kl_prior": mean(distributions.kl(target.prior, pi)),
      "value": mean(target.value),
      "return": jnp.sum(target.complete * target.returns) / complete,
      "reward": mean(batch.reward),
      "advantage_std": sigma,
      "gradient_norm": optax.global_norm(gradient),
      "update_norm": optax.global_norm(step),
    }
  )
  return state._replace(scale=scale, rng_key=rng_key), metrics


def imitate(
  network: types.Network,
  optimizer: optax.GradientTransformation,
  config: learner_config.LearnerConfig,
  sizes: Sequence[int],
  state: TrainState,
  batch: types.Unroll,
  progress: jax.Array,
) -> tuple[TrainState, Metrics]:
  """Learns from one batch by the privileged losses alone.

  Args:
    network: The network's functions.
    optimizer: The optimiser that made `state.opt_state`.
    config: How to learn.
    sizes: Sizes of the action heads.
    state: The state so far.
    batch: Unrolls, [B, T, ...].
    progress: Share of the run that is over, 0 to 1, [].

  Returns:
    The next state, and scalar metrics.
  """

  def total_loss(params):
    output, _ = network.unroll(
      params, batch.initial_memory, batch.observation, batch.first
    )
    predictions = None
    if "teacher" in batch.privileged:
      # An agent teaches the model's policies too.
      predictions = model.unroll_model(
        network,
        params,
        output,
        distributions.one_hot(batch.action, sizes),
        config.muesli,
        state.updates % config.muesli.model_every,
      )
    parts = losses.privileged_losses(
      params,
      network,
      config.privileged,
      sizes,
      batch,
      output,
      predictions,
      None,
      config.muesli,
    )
    total = losses.total(parts, config.privileged, progress)
    return total, (parts, output.policy_logits)

  (total, (parts, logits)), gradient = jax.value_and_grad(
    total_loss, has_aux=True
  )(state.params)
  state, step = _stepped(optimizer, config, state, gradient, progress)
  mask = jnp.asarray(batch.mask, jnp.float32)
  steps = jnp.maximum(jnp.sum(mask), 1.0)
  entropy = distributions.entropy(distributions.log_probs(logits, sizes))
  return state, {f"loss/{name}": x for name, x in parts.items()} | {
    "loss/total": total,
    "entropy": jnp.sum(entropy * mask) / steps,
    "reward": jnp.sum(batch.reward * mask) / steps,
    "gradient_norm": optax.global_norm(gradient),
    "update_norm": optax.global_norm(step),
  }


def _stepped(
  optimizer: optax.GradientTransformation,
  config: learner_config.LearnerConfig,
  state: TrainState,
  gradient: types.Params,
  progress: jax.Array,
) -> tuple[TrainState, types.Params]:
  """Applies a gradient; returns the state and the step of the parameters."""
  step, opt_state = optimizer.update(gradient, state.opt_state, state.params)
  rate = 1.0 - (1.0 - config.final_rate) * progress
  step = jax.tree.map(lambda x: rate * x, step)
  params = optax.apply_updates(state.params, step)
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


def make_learner(
  network: types.Network,
  config: learner_config.LearnerConfig,
  action_sizes: Sequence[int],
  devices: Sequence[jax.Device] | None = None,
) -> Learner:
  """Jits the learner's functions and spreads them over devices.

  The batch is split over the devices, parameters are on each; on one device
  it is the same program.

  Args:
    network: The network's functions.
    config: How to learn.
    action_sizes: Sizes of the action heads.
    devices: Devices to use, of each process as many; all of all processes
      if None.

  Returns:
    The learner's functions.
  """
  sizes = tuple(action_sizes)
  optimizer = optimizers.make_optimizer(config)
  devices = jax.devices() if devices is None else list(devices)
  num_processes = len({device.process_index for device in devices})
  mesh = jax.sharding.Mesh(np.asarray(devices), ("batch",))
  whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch"))
  jitted, jitted_alone = (
    jax.jit(
      functools.partial(learn, network, optimizer, config, sizes),
      donate_argnums=0,
      in_shardings=(whole, split, whole),
      out_shardings=whole,
    )
    for learn in (update, imitate)
  )
  alone = config.privileged.distillation_alone

  def checked_update(
    state: TrainState, batch: types.Unroll, progress: float = 0.0
  ) -> tuple[TrainState, Metrics]:
    rows = batch.reward.shape[0] * num_processes
    if rows % len(devices):
      raise ValueError(
        f"batch size {rows}: must be a multiple of the {len(devices)} devices"
      )
    if num_processes > 1:
      batch = jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(split, np.asarray(x)),
        batch,
      )
    learn = jitted_alone if progress < alone else jitted
    return learn(state, batch, np.float32(progress))

  return Learner(
    init=jax.jit(
      functools.partial(initial_state, network, optimizer), out_shardings=whole
    ),
    # A copy: JAX may share NumPy's memory, and an update that reuses the
    # buffers of its input would then write into it.
    load=jax.jit(
      lambda state: jax.tree.map(jnp.copy, state), out_shardings=whole
    ),
    update=checked_update,
  )
