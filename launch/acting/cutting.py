"""Unrolls, cut out of the rollout buffer, and the memories at their start.

Cutting an unroll gathers consecutive rows of the buffer.

N: environments, or their players, T: steps of an unroll, S: memory snapshots of
each, U: unrolls cut at once.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import types
from adaland.launch.acting import rollout
from adaland.launch.config import teaching


def num_snapshots(length: int) -> int:
  """Returns S, the memory snapshots that an environment needs.

  One belongs to the current unroll and one to the next, which begins at the
  current one's last step. An unroll of two steps is cut only after the next but
  one has begun.

  Args:
    length: T.
  """
  return 3 if length == 2 else 2


def example_unroll(
  spec: rollout.ObservationSpec,
  action_sizes: Sequence[int],
  length: int,
  memory: types.MemoryState,
  labels: teaching.Labels = "none",
  rules: tuple[int, int] | None = None,
) -> types.Unroll:
  """Returns an unroll of zeros with the shapes and dtypes of all unrolls.

  Args:
    spec: Shape and dtype of each observation, without batch.
    action_sizes: Sizes of the action heads.
    length: T.
    memory: One environment's memory; an empty dict if unrolls carry none.
    labels: The form of a teacher's labels.
    rules: Shape of the true rules; None if unrolls carry none.
  """
  episode, *steps = rollout.example_step(spec, action_sizes, labels)
  steps = jax.tree.map(lambda x: np.zeros((length, *x.shape), x.dtype), steps)
  return _unroll(
    rollout.RolloutBuffer(episode, *steps),
    mask=np.zeros(length, np.uint8),
    memory=memory,
    version=np.zeros((), np.int64),
    rules=None if rules is None else np.zeros(rules, np.int32),
  )


@functools.partial(jax.jit, static_argnames=("length",))
def cut(
  buffer: rollout.RolloutBuffer,
  snapshots: types.MemoryState,
  indices: np.ndarray,
  version: np.ndarray,
  rules: np.ndarray | None,
  length: int,
) -> types.Unroll:
  """Cuts unrolls out of the buffer.

  Args:
    buffer: The latest steps.
    snapshots: Memories at first steps, leaves [S * N, ...], or an empty dict.
    indices: For each unroll the environment, the row of its first step, its
      number of steps and the row of its memory, int32 [4, U].
    version: Version of the acting parameters, int32 [].
    rules: The true rules of each environment's task, int32 [E, R, W], for the
      players of E environments side by side; None to leave them out.
    length: T.

  Returns:
    The unrolls, leaves [U, T, ...].
  """
  envs, starts, lengths, memories = indices
  steps = jnp.arange(length)[None]
  rows = (starts[:, None] + steps) % buffer.reward.shape[0]
  mask = steps < lengths[:, None]

  def take(values: types.Array) -> jax.Array:
    taken = jnp.asarray(values)[rows, envs[:, None]]
    shape = mask.shape + (1,) * (taken.ndim - 2)
    return jnp.where(mask.reshape(shape), taken, jnp.zeros_like(taken))

  episode, *steps = buffer
  true_rules = None
  if rules is not None:
    num_players = buffer.reward.shape[1] // len(rules)
    true_rules = jnp.asarray(rules)[envs // num_players]
  return _unroll(
    rollout.RolloutBuffer(
      jax.tree.map(lambda x: x[envs], episode), *jax.tree.map(take, steps)
    ),
    mask=mask.astype(jnp.uint8),
    memory=jax.tree.map(lambda x: x[memories], snapshots),
    version=jnp.full(len(envs), version, jnp.int32),
    rules=true_rules,
  )


def to_host(unrolls: types.Unroll, num: int) -> list[types.Unroll]:
  """Copies unrolls to the host at once, in the form of `example_unroll`.

  Args:
    unrolls: Leaves [U, T, ...].
    num: Number of unrolls to return, from the first.
  """
  batch = jax.device_get(unrolls)
  # On the device the version has 32 bits.
  versions = np.asarray(batch.params_version, np.int64)
  batch = batch._replace(params_version=versions)
  return [jax.tree.map(lambda x, i=i: x[i], batch) for i in range(num)]


@functools.partial(jax.jit, donate_argnums=0)
def keep_memory(
  snapshots: types.MemoryState,
  memory: types.MemoryState,
  envs: np.ndarray,
  rows: np.ndarray,
) -> types.MemoryState:
  """Copies the memory of some environments into rows of the snapshots.

  Args:
    snapshots: Leaves [S * N, ...], consumed.
    memory: Leaves [N, ...].
    envs: Environments to copy from, int32 [U].
    rows: Rows to copy to, int32 [U]; rows past the last are ignored.

  Returns:
    The new snapshots.
  """
  return jax.tree.map(
    lambda x, new: x.at[rows].set(new[envs], mode="drop"), snapshots, memory
  )


def _unroll(
  steps: rollout.RolloutBuffer,
  mask: types.Array,
  memory: types.MemoryState,
  version: types.Array,
  rules: types.Array | None,
) -> types.Unroll:
  """Returns the unroll of some steps."""
  privileged = {}
  if not isinstance(steps.label, dict):
    is_policy = jnp.issubdtype(steps.label.dtype, jnp.floating)
    privileged["teacher" if is_policy else "label"] = steps.label
  if rules is not None:
    privileged["rules"] = rules
  return types.Unroll(
    observation=steps.observation | steps.episode,
    first=steps.first,
    action=steps.action,
    behaviour_logits=steps.behaviour_logits,
    reward=steps.reward,
    discount=steps.discount,
    mask=mask,
    initial_memory=memory,
    params_version=version,
    privileged=privileged,
  )
