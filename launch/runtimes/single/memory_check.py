"""A check from shapes, before a run starts, that it fits into memory."""

import functools
import os
from collections.abc import Mapping

import jax

from adaland.agent.learner import Learner, TrainState
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch import builder, errors
from adaland.launch.acting import arrays, cutting, rollout
from adaland.launch.config import experiment
from adaland.launch.runtimes.single import jaxprs


def bytes_needed(
  config: experiment.ExperimentConfig, workspaces: bool
) -> dict[str, int]:
  """Estimates the bytes that JAX needs for a run.

  Args:
    config: The run's config.
    workspaces: Whether to count the intermediate values of acting and learning,
      which take seconds to trace. Acting and learning take turns, so the larger
      one counts. It is an upper bound, because XLA fuses.

  Returns:
    Bytes, by the setting that reduces them.
  """
  made = builder.agent(config)
  num_rows, length = config.num_rows, config.actor.unroll_length
  unroll = builder.unroll_spec(config, made)
  learner = builder.learner(config, made.network, jax.local_devices()[:1])
  state = jax.eval_shape(learner.init, jax.random.PRNGKey(0))
  carry = jax.eval_shape(
    lambda: rollout.empty(
      made.actor,
      made.observation_spec,
      num_rows,
      length,
      config.network.action_sizes,
      config.teaching.labels,
    )
  )
  snapshots = 0
  if not config.whole_episodes:
    memory = jaxprs.array_bytes(carry.state.memory)
    snapshots = cutting.num_snapshots(length) * memory
  # Environments that start together end their unrolls together.
  burst = len(arrays.padded(range(num_rows), 0)) * unroll.num_bytes
  needed = {
    "actor.envs_per_actor": jaxprs.array_bytes(carry) + snapshots + burst,
    "replay.capacity": unroll.num_bytes * config.replay.capacity,
    # The acting parameters are a copy.
    "network.d_model": jaxprs.array_bytes(state)
    + jaxprs.array_bytes(state.target_params),
    "replay.batch_size": unroll.num_bytes * config.replay.batch_size,
  }
  if config.env.num_players > 1:
    # Those in the pool, and as many that have left it but still play.
    needed["coplayers.pool_size"] = (
      2 * config.coplayers.pool_size * jaxprs.array_bytes(state.target_params)
    )
  if workspaces:
    acting, learning = _workspaces(config, made, learner, state, carry, unroll)
    larger = acting > learning
    setting = "actor.envs_per_actor" if larger else "replay.batch_size"
    needed[setting] += max(acting, learning)
  return needed


def _workspaces(
  config: experiment.ExperimentConfig,
  made: builder.Agent,
  learner: Learner,
  state: TrainState,
  carry: rollout.Carry,
  unroll: UnrollSpec,
) -> tuple[int, int]:
  """Returns the bytes of intermediate values of acting and of learning."""
  num_rows = config.num_rows
  observation = {
    name: jax.ShapeDtypeStruct((num_rows, *shape), dtype)
    for name, (shape, dtype) in made.observation_spec.items()
  }
  first = jax.ShapeDtypeStruct((num_rows,), bool)
  key = jax.random.PRNGKey(0)
  acting = jaxprs.peak_bytes(
    made.actor.act, state.target_params, carry.state, observation, first, key
  )
  # The new memory reuses the old one's bytes.
  acting = max(0, acting - jaxprs.array_bytes(carry.state.memory))
  batch = builder.batch_template(config, unroll)
  # The update at the end of a run; earlier ones may be smaller.
  learn = functools.partial(learner.update, progress=1.0)
  return acting, jaxprs.peak_bytes(learn, state, batch)


def check(config: experiment.ExperimentConfig) -> None:
  """Refuses a run that needs more memory than there is; starts JAX.

  Raises:
    UserError: If JAX's memory, or on a processor the machine's, is too small.
  """
  stats = jax.local_devices()[0].memory_stats() or {}
  limit = stats.get("bytes_limit")
  if limit is not None:
    needed = bytes_needed(config, workspaces=True)
    refuse(config, needed, limit, "JAX has (device.memory_fraction)")
    return
  # On a processor JAX knows no limit, and other processes and swapping change
  # it: there, only runs that certainly do not fit are refused.
  pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
  refuse(config, bytes_needed(config, workspaces=False), pages, "there are")


def refuse(
  config: experiment.ExperimentConfig,
  needed: Mapping[str, int],
  limit: int,
  room: str,
) -> None:
  """Raises UserError if a run needs more memory than there is.

  Args:
    config: The run's config.
    needed: Result of `bytes_needed`.
    limit: Number of bytes available.
    room: Phrase that introduces this number in the message.
  """
  total = sum(needed.values())
  if total <= limit:
    return
  setting = max(needed, key=lambda name: needed[name])
  component, field = setting.split(".")
  value = getattr(getattr(config, component), field)
  raise errors.UserError(
    f"the run needs about {total / 1e9:.1f} GB of memory, and {room} "
    f"{limit / 1e9:.1f} GB: lower {setting} ({value}), which takes "
    f"{needed[setting] / 1e9:.1f} GB"
  )
