"""The whole network as pure functions."""

import dataclasses

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent import initialization, types
from adaland.agent.config import NetworkConfig
from adaland.agent.memory import base, registry, stack
from adaland.agent.network import encoder, heads, pair_memory, recall
from adaland.agent.privileged import belief


def make_network(
  config: NetworkConfig,
  observation_spec: encoder.Spec,
  memory: base.MemoryFactory | None = None,
) -> types.Network:
  """Makes the network.

  Args:
    config: Sizes.
    observation_spec: Shape, without batch, and dtype of each named array.
      `entities`, `terrain`, `pixels`, `proprio` and `clock` are optional; all
      others are required.
    memory: Factory of the caller's memory, see `adaland.agent.memory.base`;
      None for the memory named by `config.memory`.

  Returns:
    The network's pure functions. Outputs are float32 whatever the compute
    dtype.

  Raises:
    ValueError: If the observations don't fit the config.
  """
  encoder.check_spec(config, observation_spec)
  dtype = jnp.dtype(config.compute_dtype)
  make_memory = registry.make_memory if memory is None else memory
  transformed = _transform(config, make_memory)
  # Parameters are created in float32 and cast where they are used.
  float_config = dataclasses.replace(config, compute_dtype="float32")
  init_params = _transform(float_config, make_memory).init
  step_fn, unroll_fn, model_step_fn, critic_fn = transformed.apply

  def init(rng: types.Array) -> types.Params:
    observation = {
      name: jnp.zeros((1, *shape), observed_dtype)
      for name, (shape, observed_dtype) in observation_spec.items()
    }
    return initialization.initial_params(init_params, rng, observation)

  def initial_memory(batch_size: int) -> types.MemoryState:
    state = base.initial_state(make_memory, config, batch_size)
    return {**state, **pair_memory.initial_state(config, batch_size)}

  def step(params, memory, observation, first):
    params = _cast(params, dtype)
    output, memory = step_fn(params, None, memory, observation, first)
    return _cast(output, jnp.float32), memory

  def unroll(params, memory, observation, first, rng_key=None):
    params = _cast(params, dtype)
    output, memory = unroll_fn(params, rng_key, memory, observation, first)
    return _cast(output, jnp.float32), memory

  def model_step(params, hidden, cell, action):
    inputs = _cast((params, hidden, cell, action), dtype)
    params, hidden, cell, action = inputs
    output = model_step_fn(params, None, hidden, cell, action)
    return _cast(output, jnp.float32)

  def truth(goal, rules):
    kinds = belief.targets(
      goal, rules, config.entity_shape_ids[:-1], config.entity_colours
    )
    return kinds.reshape(kinds.shape[0], -1)

  def critic(params, output, truth):
    hidden = jax.lax.stop_gradient(output.model_hidden)
    shape = (*hidden.shape[:-1], truth.shape[-1])
    truth = jnp.broadcast_to(truth[:, None], shape)
    params, hidden, truth = _cast((params, hidden, truth), dtype)
    return _cast(critic_fn(params, None, hidden, truth), jnp.float32)

  return types.Network(
    jax.jit(init), initial_memory, step, unroll, model_step, truth, critic
  )


def _transform(
  config: NetworkConfig, make_memory: base.MemoryFactory
) -> hk.MultiTransformed:
  """Returns one initialiser and the functions that share its parameters."""

  def build():
    encode = encoder.Encoder(config)
    memory = make_memory(config)
    second_look = recall.Recall(config)
    look = heads.Heads(config)

    def ask(x, encoded, logits):
      # With pixels there are no entities to attend to.
      if not encoded.entities.shape[-2]:
        return x
      entities = encoded.entities
      if config.belief:
        of_types = belief.of_entities(logits, encoded.types)
        entities = jnp.concatenate([entities, of_types], axis=-1)
      return second_look(x, entities, encoded.visible)

    def predict(x, encoded):
      logits = look.belief(x)
      return look.start(ask(x, encoded, logits), logits)

    def step(state, observation, first):
      first = jnp.asarray(first)
      state = jax.tree_util.tree_map(jnp.asarray, state)
      observation, state, pairs = pair_memory.unroll(
        config, _one_step(observation), first[:, None], state
      )
      encoded = encode(observation)
      encoded = jax.tree_util.tree_map(lambda x: x[:, 0], encoded)
      x, state = memory.step(encoded.x, first, state)
      return predict(x, encoded), {**state, **pairs}

    def unroll(state, observation, first):
      first = jnp.asarray(first)
      observation, state, pairs = pair_memory.unroll(
        config, observation, first, state
      )
      encoded = encode(observation)
      x, state = _unroll_memory(memory, encoded.x, first, state)
      return hk.BatchApply(predict)(x, encoded), {**state, **pairs}

    def model_step(hidden, cell, action):
      return look.step(hidden, cell, action)

    def critic(hidden, truth):
      return look.critic(hidden, truth)

    def init(observation):
      first = jnp.ones([1, 1], jnp.uint8)
      output, _ = unroll({}, _one_step(observation), first)
      action = jnp.zeros([1, 1, sum(config.action_sizes)])
      model_step(output.model_hidden, output.model_cell, action)
      if config.privileged_critic:
        num_truths = belief.NUM_KINDS * config.num_types
        critic(output.model_hidden, jnp.zeros([1, 1, num_truths]))

    return init, (step, unroll, model_step, critic)

  return hk.multi_transform(build)


def _one_step(observation: types.Observation) -> types.Observation:
  """Returns observations [B, ...] as a sequence of one step."""
  return {
    name: x if name in types.EPISODE_OBSERVATIONS else jnp.asarray(x)[:, None]
    for name, x in observation.items()
  }


def _unroll_memory(
  memory: base.Memory,
  x: jax.Array,
  first: jax.Array,
  state: types.MemoryState,
) -> tuple[jax.Array, types.MemoryState]:
  """Unrolls a memory from a state that may be empty and gets no gradient."""
  # A stack can start from an empty state, which is cheaper.
  if not state and not isinstance(memory, stack.MixerStack):
    state = memory.initial_state(x.shape[0])
    first = first.at[:, 0].set(1)
  state = jax.tree_util.tree_map(jnp.asarray, state)
  return memory.unroll(x, first, jax.lax.stop_gradient(state))


def _cast(tree, dtype):
  """Casts the floating-point leaves of a tree."""

  def cast(x):
    x = jnp.asarray(x)
    return x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x

  return jax.tree_util.tree_map(cast, tree)
