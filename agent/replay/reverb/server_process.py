"""Functions that start and stop the process of a Reverb server (`server`)."""

import contextlib
import json
import logging
import os
import pathlib
import subprocess
import sys
import threading

from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec

# The folder that holds the package `adaland`.
_PACKAGE_ROOT = str(pathlib.Path(__file__).absolute().parents[4])
_START_TIMEOUT = 60.0
# A server loads its checkpoint before it answers; a server that is killed too
# early starts no faster the next time. On a busy machine it loaded 34 MB/s.
_LOAD_BYTES_PER_SECOND = 5e6
_STOP_TIMEOUT = 5.0


def start(
  config: ReplayConfig,
  spec: UnrollSpec,
  port: int,
  root: str,
  scratch: str,
) -> tuple[subprocess.Popen, str]:
  """Starts a server, which ends with this process, and waits until it is ready.

  Args:
    config: The table's settings.
    spec: Fields, shapes and dtypes of one unroll.
    port: Port to listen on; 0 for a Unix socket.
    root: Directory of the table's checkpoints.
    scratch: Directory for its socket and its log.

  Returns:
    The process and the server's address.

  Raises:
    ValueError: If it answers with an error, for example if the port is in use.
    RuntimeError: If it ends or hangs without an answer.
  """
  settings = {
    "sampling": config.sampling,
    "capacity": config.capacity,
    "limits": config.rate_limits(),
    "columns": spec.to_json(),
    "port": port,
    "root": root,
    "scratch": scratch,
  }
  timeout = _START_TIMEOUT + _num_bytes(root) / _LOAD_BYTES_PER_SECOND
  path = [_PACKAGE_ROOT, os.environ.get("PYTHONPATH", "")]
  log_path = os.path.join(scratch, "server.log")
  with open(log_path, "ab") as log:
    # A new program, not a fork: a fork after any use of gRPC hangs. It gets
    # a new process group, so that Ctrl-C reaches its owner first.
    process = subprocess.Popen(
      [
        sys.executable,
        "-m",
        "adaland.agent.replay.reverb.server",
        json.dumps(settings),
      ],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      stderr=log,
      env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
      start_new_session=True,
    )
  timer = threading.Timer(timeout, process.kill)
  timer.start()
  try:
    assert process.stdout is not None
    line = process.stdout.readline()
  finally:
    timer.cancel()
  answer = json.loads(line) if line else {}
  if "address" in answer:
    if "open" in answer:
      logging.warning(
        "The replay server is open to every host that can reach its port on "
        "any interface of this machine, as it can't be kept to this user: %s.",
        answer["open"],
      )
    return process, answer["address"]
  process.kill()
  process.wait()
  if "error" in answer:
    raise ValueError(f"The replay server does not start: {answer['error']}")
  raise RuntimeError(
    f"The replay server does not start: {_last_words(log_path)}"
  )


def _num_bytes(root: str) -> int:
  """Returns the total size of the files in a folder; 0 if it is missing."""
  total = 0
  for folder, _, names in os.walk(root):
    for name in names:
      # An earlier server that is ending may still be removing files.
      with contextlib.suppress(OSError):
        total += os.path.getsize(os.path.join(folder, name))
  return total


def _last_words(log_path: str) -> str:
  with open(log_path, errors="replace") as log:
    lines = log.read().strip().splitlines()
  return lines[-1] if lines else "it wrote no output."


def stop(process: subprocess.Popen) -> None:
  """Stops a server; kills it after five seconds.

  Args:
    process: Returned by `start`; it may have ended already.
  """
  with contextlib.suppress(OSError):
    if process.stdin is not None:
      process.stdin.close()
  try:
    process.wait(_STOP_TIMEOUT)
  except subprocess.TimeoutExpired:
    process.kill()
    process.wait()
  if process.stdout is not None:
    process.stdout.close()
