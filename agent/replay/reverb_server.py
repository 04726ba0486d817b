"""The Reverb server's process: `python -m agent.replay.reverb_server SETTINGS`.

It answers on stdout with one line of JSON, {"port": n} or {"error": text}, and
serves until its stdin closes; so it ends with the process that started it,
however that one ends.

Reverb listens on every interface, without asking who calls; run it where only
friends can reach the port. It would also share the port with a second server
in silence, each getting some of the traffic, so the port is locked first.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import socket
import sys
import tempfile
import threading
from typing import IO, Any

from agent.replay import reverb_lite

TABLE = "unrolls"
# Clients compare field names, which Reverb does not; a table that is never
# written carries them in its name, where `ServerInfo` shows them.
COLUMNS_PREFIX = "columns:"


def main(settings: dict[str, Any]) -> None:
  """Serves one table until stdin closes.

  Args:
    settings: `sampling` and `capacity` as in ReplayConfig, `limits` as in
      RateLimits, `columns` (UnrollSpec.to_json), `port`, `root`, the directory
      of checkpoints, and `scratch`, to be removed if the owner dies.
  """
  owner = os.getppid()
  with contextlib.ExitStack() as stack:
    try:
      port, lock = _reserve_port(settings["port"])
      stack.enter_context(lock)
      server = _start(settings, port)
    except (OSError, RuntimeError, ValueError) as error:
      _answer({"error": " ".join(str(error).split())})
      return
    _answer({"port": port})
    sys.stdin.read()
    with contextlib.suppress(OSError):
      os.unlink(lock.name)  # The port itself is held until the end.
    if os.getppid() != owner:
      shutil.rmtree(settings["scratch"], ignore_errors=True)
    # Stopping waits for calls in flight, and some of them may wait for ever.
    timer = threading.Timer(2.0, os._exit, (0,))
    timer.daemon = True
    timer.start()
    server.Stop()
    os._exit(0)


def _answer(message: dict[str, Any]) -> None:
  print(json.dumps(message), flush=True)


def _start(settings: dict[str, Any], port: int) -> Any:
  """Returns a server with the newest checkpoint's content.

  A checkpoint that can't be read would stop every later start as well, so it
  is renamed aside and the server starts empty.
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
  pybind = reverb_lite.load()
  sampling = settings["sampling"]
  selector = {
    "queue": pybind.FifoSelector,
    "uniform": pybind.UniformSelector,
    "prioritized": lambda: pybind.PrioritizedSelector(1.0),
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
  """Returns a port that nobody serves, and the lock that keeps ours off it.

  Args:
    port: The port wanted; 0 for any.

  Raises:
    OSError: If it is in use.
  """
  for _ in range(1 if port else 20):
    with socket.socket() as probe:
      # Lets a port in TIME_WAIT pass, but not one that is listened on.
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
  return f"Port {port} is in use {by}; replay.port may be 0, for any free one."


def _lock(port: int) -> IO[str] | None:
  """Locks a port among our servers until the process ends."""
  name = f"adaland-replay-{os.getuid()}-{port}.lock"
  path = os.path.join(tempfile.gettempdir(), name)
  lock = open(path, "w")  # noqa: SIM115 (held until the process ends)
  try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except OSError:
    lock.close()
    return None
  return lock


if __name__ == "__main__":
  main(json.loads(sys.argv[1]))
