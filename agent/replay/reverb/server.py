"""The Reverb server's process, started by its owner.

It answers on stdout with one line of JSON, {"address": text, "open": text} or
{"error": text}, and serves until its stdin closes; so it ends with the process
that started it, however that process ends.

Without a port it listens on a Unix socket in a folder of its owner's. A port is
open on every interface without authentication, so only trusted machines may be
able to reach it. Reverb would silently share a socket or a port with a second
server, which would take some or all of the traffic, so both are locked first.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, Any

from adaland.agent.replay.reverb import binding, private

TABLE = "unrolls"
# Clients compare field names, which Reverb does not do; an unused table carries
# them in its name, which `ServerInfo` returns.
COLUMNS_PREFIX = "columns:"


def main(settings: dict[str, Any]) -> None:
  """Serves one table until stdin closes.

  Args:
    settings: `sampling` and `capacity` as in ReplayConfig, `limits` as in
      RateLimits, `columns` (UnrollSpec.to_json), `port`, 0 for a Unix socket,
      `root`, the directory of checkpoints, and `scratch`, where the socket is,
      to be removed if the owner dies.
  """
  # The owner ends it, after a last checkpoint. Service managers send SIGTERM to
  # all processes of a run at once.
  signal.signal(signal.SIGTERM, signal.SIG_IGN)
  owner = os.getppid()
  with contextlib.ExitStack() as stack:
    try:
      number, answer = _take_address(settings, stack)
      server = _start(settings, number)
      if answer["address"].startswith(private.PREFIX):
        _check_closed()
    except (OSError, RuntimeError, ValueError) as error:
      _answer({"error": " ".join(str(error).split())})
      return
    _answer(answer)
    sys.stdin.read()
    # The server itself now holds the address that the locks reserved.
    stack.close()
    if os.getppid() != owner:
      shutil.rmtree(settings["scratch"], ignore_errors=True)
    # Stopping waits for calls in flight, and some of them may wait forever.
    timer = threading.Timer(2.0, os._exit, (0,))
    timer.daemon = True
    timer.start()
    server.Stop()
    os._exit(0)


def _take_address(
  settings: dict[str, Any], stack: contextlib.ExitStack
) -> tuple[int, dict[str, str]]:
  """Returns the port number to serve on, and the answer to the owner.

  The answer holds the address. If a Unix socket is wanted but not possible, it
  also says why the server is `open`.

  Args:
    settings: See `main`.
    stack: Receives the locks that keep other servers off the address.

  Raises:
    OSError: If another server has the address.
  """
  answer = {}
  if not settings["port"]:
    folder = settings["scratch"]
    stack.enter_context(_lock_folder(folder))
    binding.load()
    try:
      private.make_private()
    except OSError as error:
      answer["open"] = str(error)
    else:
      os.chdir(folder)
      answer["address"] = private.address(folder)
      return private.NUMBER, answer
  port, lock = _reserve_port(settings["port"])
  stack.enter_context(lock)
  stack.callback(_remove, lock.name)
  answer["address"] = f"127.0.0.1:{port}"
  return port, answer


def _check_closed() -> None:
  """Checks that the server listens on no TCP port.

  Raises:
    RuntimeError: If it does.
  """
  ports = private.tcp_ports()
  if ports:
    raise RuntimeError(
      f"it listens on port {ports[0]}, not on a Unix socket; set replay.port "
      "where only trusted machines reach that port."
    )


def _remove(path: str) -> None:
  with contextlib.suppress(OSError):
    os.unlink(path)


def _answer(message: dict[str, Any]) -> None:
  print(json.dumps(message), flush=True)


def _start(settings: dict[str, Any], port: int) -> Any:
  """Returns a server with the newest checkpoint's content.

  A checkpoint that can't be read would also stop every later start, so it is
  renamed aside and the server starts empty.
  """
  root = settings["root"]
  os.makedirs(root, exist_ok=True)
  try:
    return _serve(settings, port)
  except (RuntimeError, ValueError) as error:
    if not os.listdir(root):
      raise
    n = 1
    while os.path.exists(aside := f"{root}.broken-{n}"):
      n += 1
    os.rename(root, aside)
    os.makedirs(root)
    logging.warning("Replay starts empty: %s; moved to %s.", error, aside)
    return _serve(settings, port)


def _serve(settings: dict[str, Any], port: int) -> Any:
  pybind = binding.load()
  sampling = settings["sampling"]
  selector = {
    "queue": pybind.FifoSelector,
    "uniform": pybind.UniformSelector,
  }[sampling]()
  ratio, min_size, min_diff, max_diff = settings["limits"]
  table = pybind.Table(
    TABLE,
    selector,
    pybind.FifoSelector(),
    settings["capacity"],
    1 if sampling == "queue" else 0,
    pybind.RateLimiter(
      ratio,
      min_size,
      max(min_diff, -sys.float_info.max),
      min(max_diff, sys.float_info.max),
    ),
    [],
    None,
  )
  names = pybind.Table(
    COLUMNS_PREFIX + settings["columns"],
    pybind.FifoSelector(),
    pybind.FifoSelector(),
    1,
    0,
    pybind.RateLimiter(1.0, 1, 0.0, 1.0),
    [],
    None,
  )
  checkpointer = pybind.create_default_checkpointer(settings["root"], "", None)
  return pybind.Server([table, names], port, checkpointer)


def _reserve_port(port: int) -> tuple[int, IO[str]]:
  """Returns a free port, and the lock that keeps Adaland's other servers off.

  Args:
    port: The port wanted; 0 for any.

  Raises:
    OSError: If it is in use.
  """
  for _ in range(1 if port else 20):
    with socket.socket() as probe:
      # Accepts a port in TIME_WAIT, but not one with a listener.
      probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      try:
        probe.bind(("", port))
      except OSError as error:
        raise OSError(_in_use(port, f"({error.strerror})")) from error
      found = probe.getsockname()[1]
      lock = _lock(found)
      if lock is not None:
        return found, lock
  raise OSError(_in_use(port, "by another replay server"))


def _in_use(port: int, by: str) -> str:
  return f"Port {port} is in use {by}; replay.port may be 0, for no port."


@contextlib.contextmanager
def _lock_folder(path: str) -> Iterator[None]:
  """Locks a folder among Adaland's servers; /tmp cleaners respect the lock."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      raise OSError(f"{path} is in use by another replay server") from error
    yield
  finally:
    os.close(descriptor)


def _lock(port: int) -> IO[str] | None:
  """Locks a port among Adaland's servers until the process ends."""
  name = f"adaland-replay-{os.getuid()}-{port}.lock"
  path = os.path.join(tempfile.gettempdir(), name)
  # Held until the process ends.
  lock = open(path, "w", opener=_open_no_link)  # noqa: SIM115
  try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except OSError:
    lock.close()
    return None
  return lock


def _open_no_link(path: str, flags: int) -> int:
  """Opens a file in a folder that others can write to; follows no link."""
  return os.open(path, flags | os.O_NOFOLLOW, 0o600)


if __name__ == "__main__":
  main(json.loads(sys.argv[1]))
