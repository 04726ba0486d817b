"""JAX over several processes: one program on the devices of all of them."""

import functools
import logging
import socket
from typing import Any

import jax
from jax.experimental import multihost_utils

from adaland.launch import errors


def free_port(host: str) -> int:
  """Returns a port that is free at an address of this machine."""
  with socket.socket() as probe:
    probe.bind((host, 0))
    return probe.getsockname()[1]


def join(coordinator: str, size: int, rank: int, host: str) -> None:
  """Joins this process to others, before it first uses a device.

  Both JAX's coordinator and Gloo, which carries arrays between processors,
  listen only at the given address of this machine. They trust anything that
  reaches them.

  Args:
    coordinator: "host:port" where the process of rank 0 listens.
    size: Number of processes.
    rank: Number of this process, from 0.
    host: This machine's address.

  Raises:
    UserError: If the processes differ in their number of devices.
    RuntimeError: If the others can't be reached.
  """
  jax.config.update("jax_cpu_collectives_implementation", "gloo")
  _listen_at(host)
  jax.distributed.initialize(
    coordinator_address=coordinator,
    num_processes=size,
    process_id=rank,
    # All devices that this process sees. With None, JAX would look for a Slurm
    # job, in which it would take a single device.
    local_device_ids=[],
    coordinator_bind_address=coordinator,
  )
  _mend_client()
  counts = [0] * size
  for device in jax.devices():
    counts[device.process_index] += 1
  if len(set(counts)) > 1:
    raise errors.UserError(
      f"the learners have {', '.join(map(str, counts))} devices: all must have "
      "the same number; see cluster.learner_gpus"
    )
  # The first joint program makes the connections between processors and waits
  # half a minute for the last process; compile times of an update may differ by
  # more.
  wait_for_all("joined")


def wait_for_all(name: str) -> None:
  """Waits until all processes have called this with the same name."""
  multihost_utils.sync_global_devices(name)


def _listen_at(host: str) -> None:
  """Makes Gloo, which carries arrays between processors, listen at an address.

  By default it listens at the address of this machine's name, which the other
  machines may not reach. JAX calls a function that takes an address, but has no
  setting for it.
  """
  from jax._src import xla_bridge

  library: Any = getattr(xla_bridge, "_jax", None) or xla_bridge.xla_client._xla
  make = getattr(library, "make_gloo_tcp_collectives", None)
  if make is None:
    logging.warning("Gloo listens at the address of this machine's name.")
    return
  library.make_gloo_tcp_collectives = functools.partial(make, hostname=host)


def _mend_client() -> None:
  """Adds a method to JAX 0.4's coordinator client that Orbax calls.

  Orbax looks there for signals from other processes that a checkpoint must wait
  for. There are none, as one process writes alone. Orbax proceeds if it finds
  nothing, but fails if it can't look.
  """
  from jax._src import distributed

  client: Any = type(distributed.global_state.client)
  if not hasattr(client, "key_value_try_get"):
    client.key_value_try_get = _not_found


def _not_found(client: Any, key: str) -> str:
  del client
  raise jax.errors.JaxRuntimeError(f"NOT_FOUND: {key}")
