"""Ray itself: a cluster for this run only, or an existing one."""

import importlib.util
import logging
import os
import secrets
import socket

from adaland.launch import errors

_CONNECT_SECONDS = 5.0
_ATTEMPTS = 3
# Ray sends usage statistics unless told not to. Without the first variable of
# _ALONE it listens on every interface although all of it is on this machine.
_ALWAYS = {"RAY_USAGE_STATS_ENABLED": "0"}
_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
# Ray starts its processes with a niceness of 15: next to any other load the
# roles would hardly run, and would be restarted as unresponsive.
_NICENESS = "RAY_worker_niceness"


def require() -> None:
  """Raises UserError unless Ray is installed; does not import it."""
  if importlib.util.find_spec("ray") is None:
    raise errors.ArgumentError(
      "launcher=ray: Ray is not installed; pip install ray==2.60.0"
    )


class Cluster:
  """A Ray cluster: one started on this machine, or an existing one.

  Ray reads its settings from this process's environment, whose own variables
  are restored at the end, as later runs of the process may use another cluster.

  Args:
    address: The cluster's address, "host:port" or "auto"; empty starts a
      cluster that ends with this object or with this process.
    namespace: Separates the names of this run's roles from others.

  Raises:
    UserError: If there is no cluster at the address, or Ray is not installed.
    RunError: If a cluster on this machine does not start.
  """

  def __init__(self, address: str, namespace: str):
    self._before = _variables()
    try:
      _start(address, namespace)
    except BaseException:
      self._restore()
      raise

  def stop(self) -> None:
    """Ends Ray, or leaves the cluster. May be repeated."""
    import ray

    ray.shutdown()
    self._restore()

  def _restore(self) -> None:
    for name in _variables():
      del os.environ[name]
    os.environ.update(self._before)


def _variables() -> dict[str, str]:
  """Returns the environment variables that Ray reads or sets."""
  return {
    name: value
    for name, value in os.environ.items()
    if name.startswith("RAY_") or name == "PYTHONBREAKPOINT"
  }


def _start(address: str, namespace: str) -> None:
  # Set before Ray is imported, as it reads some of these only then.
  os.environ.update(_ALWAYS)
  if address:
    _check_address(address)
    # Ray's own defaults differ between head and driver.
    os.environ.setdefault(
      "RAY_AUTH_MODE", "token" if _has_token() else "disabled"
    )
  else:
    os.environ.update(_ALONE)
    os.environ.setdefault(_NICENESS, "0")
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
  require()
  import ray

  for attempt in range(_ATTEMPTS):
    try:
      ray.init(
        address=address or "local",
        namespace=namespace,
        include_dashboard=None if address else False,
        # Roles on a single machine request no CPUs, and Ray would keep a
        # process in reserve for each CPU.
        num_cpus=None if address else 0,
        log_to_driver=False,
        logging_level=logging.ERROR,
      )
      return
    except Exception as error:
      reason = errors.one_line(str(error)) or type(error).__name__
      if address:
        raise errors.ArgumentError(
          f"ray_address={address}: {reason}"
        ) from error
      # On a busy machine Ray's processes may time out on one another, which
      # raises a plain Exception.
      if type(error) is not Exception or attempt == _ATTEMPTS - 1:
        raise errors.RunError(f"starting Ray: {reason}") from error
      ray.shutdown()


def _has_token() -> bool:
  """Returns True if there is a token where Ray looks for one."""
  return bool(
    {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ)
  ) or os.path.exists(os.path.expanduser("~/.ray/auth_token"))


def _check_address(address: str) -> None:
  """Raises UserError unless something listens there; Ray would wait long."""
  if address == "auto":
    return
  host, _, port = address.rpartition(":")
  if not host or not port.isdecimal() or "/" in address:
    raise errors.ArgumentError(
      f"ray_address={address}: allowed: HOST:PORT of a cluster's head, auto"
    )
  try:
    socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
  except (OSError, OverflowError) as error:
    raise errors.ArgumentError(
      f"ray_address={address}: nothing answers there ({error})"
    ) from error


def resources() -> str:
  """Returns the cluster's free and total resources, for messages."""
  import ray

  total = ray.cluster_resources()
  free = ray.available_resources()
  return ", ".join(
    f"{free.get(name, 0):g} of {total.get(name, 0):g} {name} free"
    for name in ("CPU", "GPU")
  )
