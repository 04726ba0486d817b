"""JAX over several processes: one program on the devices of all of them."""

import functools
import logging
import socket
from typing import Any

import jax
from jax.experimental import multihost_utils

from adaland.launch import errors

_LOOPBACK = "127.0.0.1"


def own_address(many_machines: bool) -> str:
  """This machine's address as the run's other processes know it.

  Args:
    many_machines: Whether they may be on other machines.
  """
  if not many_machines:
    return _LOOPBACK
  import ray

  return ray.util.get_node_ip_address()


def free_port(host: str) -> int:
  """A port that is free at an address of this machine."""
  with socket.socket() as probe:
    probe.bind((host, 0))
    return probe.getsockname()[1]


def join(coordinator: str, size: int, rank: int, host: str) -> None:
  """Makes this process one of several, before it first uses a device.

  Both JAX's coordinator and what carries arrays between processors listen at
  the machine's address that is given and at no other. Whoever reaches them is
  trusted.

  Args:
    coordinator: "host:port" of the process of rank 0, which listens there.
    size: Number of processes.
    rank: Of this one, from 0.
    host: Its machine's address.

  Raises:
    UserError: If not all have as many devices.
    RuntimeError: If the others are not to be reached.
  """
  jax.config.update("jax_cpu_collectives_implementation", "gloo")
  _listen_at(host)
  jax.distributed.initialize(
    coordinator_address=coordinator,
    num_processes=size,
    process_id=rank,
    # All that this process sees. None would have JAX look for a job of Slurm,
    # in which it would take a single one.
    local_device_ids=[],
    coordinator_bind_address=coordinator,
  )
  _mend_client()
  counts = [0] * size
  for device in jax.devices():
    counts[device.process_index] += 1
  if len(set(counts)) > 1:
    raise errors.UserError(
      f"the learners have {', '.join(map(str, counts))} devices: each must "
      "have as many; see cluster.learner_gpus"
    )
  # Connections between processors are made by the first program of all, which
  # waits half a minute for the last: less than compiling an update may differ.
  wait_for_all("joined")


def wait_for_all(name: str) -> None:
  """Waits until all processes have come to the point of this name."""
  multihost_utils.sync_global_devices(name)


def _listen_at(host: str) -> None:
  """Has Gloo, which carries arrays between processors, listen at an address.

  By itself it listens where this machine's name leads to, which may be another
  address, or one that the other machines can't reach. JAX passes the address
  to a function that takes it, but has no setting for it.
  """
  from jax._src import xla_bridge

  library: Any = getattr(xla_bridge, "_jax", None) or xla_bridge.xla_client._xla
  make = getattr(library, "make_gloo_tcp_collectives", None)
  if make is None:
    logging.warning("Gloo listens where this machine's name leads to.")
    return
  library.make_gloo_tcp_collectives = functools.partial(make, hostname=host)


def _mend_client() -> None:
  """Gives JAX 0.4's client of the coordinator what Orbax asks it for.

  Orbax looks there for signals of other processes that a checkpoint must wait
  for. There never are any, as one process writes alone: an Orbax that finds
  nothing goes on, one that can't look fails.
  """
  from jax._src import distributed

  client: Any = type(distributed.global_state.client)
  if not hasattr(client, "key_value_try_get"):
    client.key_value_try_get = _not_found


def _not_found(client: Any, key: str) -> str:
  del client
  raise jax.errors.JaxRuntimeError(f"NOT_FOUND: {key}")
