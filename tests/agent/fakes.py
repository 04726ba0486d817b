"""A small network that stands in for the real one.

It has one hidden layer on the observation `x`, two heads of 3 and 2 actions,
and 21 bins. Its only memory counts the steps since the first of the episode;
nothing depends on it.
"""

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types

SIZES = (3, 2)
NUM_BINS = 21
WIDTH = 8


def make_network(observation_size: int) -> types.Network:
  shapes = {
    "torso": (observation_size, WIDTH),
    "action": (sum(SIZES), WIDTH),
    "model": (WIDTH, WIDTH),
    "policy": (WIDTH, sum(SIZES)),
    "value": (WIDTH, NUM_BINS),
    "reward": (WIDTH, NUM_BINS),
  }

  def init(rng_key):
    keys = jax.random.split(rng_key, len(shapes))
    return {
      name: jax.random.normal(key, shape) / np.sqrt(shape[0])
      for key, (name, shape) in zip(keys, shapes.items(), strict=True)
    }

  def initial_memory(batch_size):
    return jnp.zeros([batch_size], jnp.int32)

  def look(params, observation):
    hidden = jnp.tanh(jnp.dot(observation["x"], params["torso"]))
    return types.NetworkOutput(
      policy_logits=jnp.dot(hidden, params["policy"]),
      value_logits=jnp.dot(hidden, params["value"]),
      model_hidden=hidden,
      model_cell=hidden,
      belief_logits=jnp.zeros([*hidden.shape[:-1], 0]),
    )

  def step(params, memory, observation, first):
    return look(params, observation), jnp.where(first, 1, memory + 1)

  def unroll(params, memory, observation, first, rng_key=None):
    return look(params, observation), memory

  def model_step(params, hidden, cell, action):
    hidden = jnp.tanh(
      jnp.dot(hidden, params["model"]) + jnp.dot(action, params["action"])
    )
    return (
      hidden,
      cell,
      jnp.dot(hidden, params["reward"]),
      jnp.dot(hidden, params["policy"]),
      jnp.dot(hidden, params["value"]),
    )

  return types.Network(
    init, initial_memory, step, unroll, model_step, _unused, _unused
  )


def with_noise(network: types.Network) -> types.Network:
  """Returns the network with noise from a key, which unrolls then need."""

  def unroll(params, memory, observation, first, rng_key=None):
    assert rng_key is not None
    output, memory = network.unroll(params, memory, observation, first)
    logits = jnp.asarray(output.policy_logits)
    noise = jax.random.normal(rng_key, [])
    return output._replace(policy_logits=logits.at[..., 0].add(noise)), memory

  return network._replace(unroll=unroll)


def _unused(*args):
  raise AssertionError(f"called with {args}")


def make_batch(
  rng: np.random.Generator, rows: int, steps: int, observation_size: int
) -> types.Unroll:
  """Returns random unrolls, odd rows of them padded from the middle."""
  mask = np.ones([rows, steps], np.uint8)
  mask[1::2, steps // 2 :] = 0
  first = np.zeros([rows, steps], np.uint8)
  first[:, 0] = 1
  discount = np.ones([rows, steps], np.float32)
  discount[1::2, steps // 2 - 1] = 0
  return types.Unroll(
    observation={
      "x": rng.normal(size=[rows, steps, observation_size]).astype(np.float32)
    },
    first=first,
    action=np.stack(
      [rng.integers(n, size=[rows, steps]) for n in SIZES], -1
    ).astype(np.int8),
    behaviour_logits=rng.normal(size=[rows, steps, sum(SIZES)]).astype(
      np.float32
    ),
    reward=rng.normal(size=[rows, steps]).astype(np.float32),
    discount=discount,
    mask=mask,
    initial_memory={},
    params_version=np.zeros([rows], np.int64),
    privileged={},
  )
