"""Size and speed of each memory against the length of its context."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp

from adaland.agent.config import MEMORIES, NetworkConfig
from adaland.agent.memory import base, registry
from adaland.launch.bench.lib import timing
from adaland.launch.config import experiment

CONTEXTS = (300, 1000, 4000)
# Length of the episode whose first and last steps are timed: a step must cost
# the same at any age.
_AGES = 10_000
_CHUNK = 500


class Stepping(NamedTuple):
  """A memory that steps over and over.

  Attributes:
    work: Takes one step in all rows and waits for it.
    state_bytes: Bytes of one row's state.
  """

  work: Callable[[], None]
  state_bytes: int


def with_context(
  config: NetworkConfig, memory: str, context: int
) -> NetworkConfig:
  """Returns a config whose memory reaches `context` steps back in one layer.

  A recurrent memory reaches back as far as it can and has no such setting.

  Args:
    config: The other sizes.
    memory: The memory's name.
    context: Number of steps.
  """
  sizes: dict[str, Any] = {"memory": memory}
  if memory in ("transformer_xl", "local_global"):
    sizes["memory_length"] = context
  elif memory == "skip":
    sizes["memory_length"] = -(-context // config.skip_every)
  elif memory == "gru_attention":
    sizes["store_size"] = -(-context // config.store_every)
  return dataclasses.replace(config, **sizes)


def stepping(config: NetworkConfig, num_rows: int) -> Stepping:
  """Makes a memory's step, without the network around it.

  Args:
    config: The network's config.
    num_rows: Number of rows of the batch, like the environments of an actor.
  """
  transformed = hk.without_apply_rng(
    hk.transform(
      lambda x, first, state: registry.make_memory(config).step(x, first, state)
    )
  )
  dtype = jnp.dtype(config.compute_dtype)
  x = jnp.ones((num_rows, config.d_model), dtype)
  first = jnp.zeros(num_rows, jnp.uint8)
  state = base.initial_state(registry.make_memory, config, num_rows)
  params = jax.jit(transformed.init)(jax.random.PRNGKey(0), x, first, state)
  params = jax.tree.map(lambda p: p.astype(dtype), params)
  # As in acting, the state is written in place.
  step = jax.jit(
    lambda x, first, state: transformed.apply(params, x, first, state),
    donate_argnums=2,
  )
  size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))

  def work() -> None:
    nonlocal state
    output, state = step(x, first, state)
    jax.block_until_ready(output)

  return Stepping(work, size // num_rows)


def memory(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Measures a step of each memory at each context, and as an episode ages.

  Args:
    config: The run's config; rows are `actor.envs_per_actor`.
    seconds: Time for each measurement.

  Returns:
    By memory and context, the bytes of a row's state, and the processor and
    wall time of its step; by memory, the time of a step at age 10,000 over that
    at age 0.
  """
  num_rows = config.actor.envs_per_actor
  result: dict[str, float] = {}
  for name in MEMORIES:
    for context in CONTEXTS:
      made = stepping(with_context(config.network, name, context), num_rows)
      (speed,) = timing.speeds([made.work], seconds)
      found = {
        "state_bytes": float(made.state_bytes),
        "step_cpu_us": 1e6 / (speed.per_cpu_second * num_rows),
        "step_us": 1e6 / (speed.per_second * num_rows),
      }
      for what, value in found.items():
        result[f"memory_{name}_{context}_{what}"] = value
    made = stepping(with_context(config.network, name, CONTEXTS[0]), num_rows)
    result[f"memory_{name}_age_ratio"] = age_ratio(made.work)
  return result


def age_ratio(work: Callable[[], None], ages: int = _AGES) -> float:
  """Returns the time of a long episode's last steps over its first steps'.

  Args:
    work: Takes one step; called `ages` times.
    ages: Number of steps of the episode.
  """
  work()  # Compiled here.
  times = []
  for steps in (_CHUNK, ages - 2 * _CHUNK, _CHUNK):
    start = time.process_time()
    for _ in range(steps):
      work()
    times.append(time.process_time() - start)
  return times[-1] / times[0]
