"""The learner: one pytree of state, one pure update, spread over devices."""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import learner_config, optimizers, types
from adaland.agent.updates import (
  actor_critic_update,
  imitation,
  muesli_update,
  proxy_update,
)
from adaland.agent.updates.train_state import Metrics, TrainState, initial_state

__all__ = ["Learner", "Metrics", "TrainState", "make_learner"]


class Learner(NamedTuple):
  """The learner's functions.

  If the devices belong to several processes, each process calls the same
  functions in the same order, with the same key or state.

  Attributes:
    init: Maps a random key to the initial state.
    load: Maps a state of NumPy arrays to a copy that `update` accepts.
    update: Maps a state, a batch and, if settings depend on it, the fraction of
      the run completed (0 to 1) to the next state and scalar metrics. The given
      state is consumed: its buffers are reused. Each process passes its own
      rows of the batch, the same number in each; concatenated in the order of
      the processes they are the batch.
  """

  init: Callable[[jax.Array], TrainState]
  load: Callable[[TrainState], TrainState]
  update: Callable[..., tuple[TrainState, Metrics]]


def make_learner(
  network: types.Network,
  config: learner_config.LearnerConfig,
  action_sizes: Sequence[int],
  devices: Sequence[jax.Device] | None = None,
  proxy: types.Network | None = None,
) -> Learner:
  """Jits the learner's functions and spreads them over devices.

  The batch is split over the devices and parameters are replicated; the program
  is the same on one device.

  Args:
    network: The network's functions.
    config: How to learn.
    action_sizes: Sizes of the action heads.
    devices: Devices to use, the same number of each process; all devices of all
      processes if None.
    proxy: The small network's functions, if `config.proxy` is used.

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
  init = functools.partial(initial_state, network, optimizer)
  if config.algorithm != "muesli":
    learn_from = actor_critic_update.update
  elif proxy is not None:
    learn_from = functools.partial(proxy_update.update, proxy=proxy)
    init = functools.partial(
      proxy_update.initial_state, network, proxy, optimizer
    )
  else:
    learn_from = muesli_update.update
  jitted, jitted_alone = (
    jax.jit(
      functools.partial(learn, network, optimizer, config, sizes),
      donate_argnums=0,
      in_shardings=(whole, split, whole),
      out_shardings=whole,
    )
    for learn in (learn_from, imitation.imitate)
  )
  alone = config.privileged.distillation_alone

  def checked_update(
    state: TrainState, batch: types.Unroll, progress: float = 0.0
  ) -> tuple[TrainState, Metrics]:
    rows = batch.reward.shape[0] * num_processes
    if rows % len(devices):
      raise ValueError(
        f"batch size is {rows}, allowed: multiples of {len(devices)}, the "
        "number of devices"
      )
    if num_processes > 1:
      batch = jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(split, np.asarray(x)),
        batch,
      )
    # The last updates may have a progress of 1.
    learn = jitted_alone if progress < alone or alone == 1 else jitted
    return learn(state, batch, np.float32(progress))

  return Learner(
    init=jax.jit(init, out_shardings=whole),
    # A copy: JAX may share NumPy's memory, and an update that reuses the
    # buffers of its input would then write into it.
    load=jax.jit(
      lambda state: jax.tree.map(jnp.copy, state), out_shardings=whole
    ),
    update=checked_update,
  )
