"""The arrays of a checkpoint, written and read by Orbax.

Orbax uses TensorStore, whose threads depend on the time of day: if the clock is
set back by an hour, TensorStore starts no thread for an hour (0.1.74, 0.1.86),
and a write or a read that needs one hangs for that long. After such a jump a
new process, which has seen no later time, writes or reads the arrays.
"""

import concurrent.futures
import concurrent.futures.thread
import io
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

import jax
import numpy as np

# Smaller jumps are ignored: they make nothing hang for longer than this.
_JUMP_SECONDS = 1.0
_LOOK_SECONDS = 0.1
# A write or a read that is under way when the clock jumps may still finish.
_PATIENCE_SECONDS = 10.0
_APART_SECONDS = 600.0
_DTYPES = "dtypes"

_Result = TypeVar("_Result")


class _Clock:
  """A detector of jumps back in the time of day."""

  def __init__(self) -> None:
    self._latest = time.time()

  def is_back(self) -> bool:
    """Returns True if the time of day is earlier than one seen before."""
    now = time.time()
    self._latest = max(self._latest, now)
    return now < self._latest - _JUMP_SECONDS


_clock = _Clock()


def write(path: pathlib.Path, leaves: dict[str, np.ndarray]) -> None:
  """Writes arrays.

  Args:
    path: Folder to create. Sibling folders whose names begin with its name are
      the remains of an unfinished write, and are removed.
    leaves: The arrays by name.

  Raises:
    Exception: Any error of Orbax.
  """
  if not _clock.is_back():
    written = _watched(lambda: _save(path, leaves))
    if written is not None:
      written.result()
      return
    for remains in path.parent.glob(f"{path.name}*"):
      shutil.rmtree(remains, ignore_errors=True)
  _apart("write", path, _packed(leaves))


def read(
  path: pathlib.Path, template: Any, chosen: list[int]
) -> list[np.ndarray]:
  """Reads some of the arrays that were written as '00000', '00001' and so on.

  Args:
    path: Their folder.
    template: Pytree of the shapes and dtypes that they must have.
    chosen: The number of the array for each leaf of the template.

  Returns:
    The arrays, in the order of their names.

  Raises:
    ValueError: If one has another shape or dtype.
    Exception: Any error of Orbax.
  """
  leaves = jax.tree_util.tree_leaves(template)
  wanted = {
    f"{i:05d}": np.zeros(x.shape, x.dtype)
    for i, x in zip(chosen, leaves, strict=True)
  }
  done = None if _clock.is_back() else _watched(lambda: _load(path, wanted))
  if done is None:
    found = _unpacked(_apart("read", path, _packed(wanted)))
  else:
    found = done.result()
  for name, array in found.items():
    like = wanted[name]
    if array.shape != like.shape or array.dtype != like.dtype:
      raise ValueError(
        f"array {name} is {array.dtype}{list(array.shape)}, not "
        f"{like.dtype}{list(like.shape)}"
      )
  return list(found.values())


def _is_for_users(record: logging.LogRecord) -> bool:
  """Returns True if a log record of Orbax is of use to users.

  If a file is broken, Orbax raises an error. Its warnings concern its own
  design: the sharing of caches and the future of `transforms`, the only way to
  read some of the arrays that works in both Orbax 0.11.5 and 0.12.8.
  """
  return record.levelno > logging.WARNING


def _checkpointer() -> Any:
  # Imported where used: most processes of a run never touch a checkpoint.
  import orbax.checkpoint

  # The default waits for the other learner processes, which take no part:
  # the arrays written here are complete and on the host.
  own = jax.process_index()
  alone = orbax.checkpoint.options.MultiprocessingOptions(
    primary_host=own, active_processes={own}
  )
  return orbax.checkpoint.Checkpointer(
    orbax.checkpoint.PyTreeCheckpointHandler(multiprocessing_options=alone),
    multiprocessing_options=alone,
  )


def _save(path: pathlib.Path, leaves: dict[str, np.ndarray]) -> None:
  with _checkpointer() as checkpointer:
    checkpointer.save(path, leaves)


def _load(
  path: pathlib.Path, wanted: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
  import orbax.checkpoint

  how = {
    name: orbax.checkpoint.RestoreArgs(restore_type=np.ndarray)
    for name in wanted
  }
  log = logging.getLogger("absl")
  log.addFilter(_is_for_users)
  try:
    with _checkpointer() as checkpointer:
      # With `transforms`, arrays that are not in `item` are not read.
      leaves = checkpointer.restore(
        path, item=wanted, restore_args=how, transforms={}
      )
  finally:
    log.removeFilter(_is_for_users)
  return {name: np.asarray(leaves[name]) for name in sorted(leaves)}


def _watched(
  work: Callable[[], _Result],
) -> concurrent.futures.Future[_Result] | None:
  """Runs `work`; returns its future, or None if a clock jump made it hang."""
  done: concurrent.futures.Future[_Result] = concurrent.futures.Future()
  before = set(_joined_at_exit())

  def run() -> None:
    try:
      done.set_result(work())
    except BaseException as error:  # Every error goes to the caller.
      done.set_exception(error)

  # A daemon: work that hangs must not keep the process from exiting.
  threading.Thread(target=run, name="checkpoint-arrays", daemon=True).start()
  while not concurrent.futures.wait([done], _LOOK_SECONDS).done:
    if not _clock.is_back():
      continue
    if not concurrent.futures.wait([done], _PATIENCE_SECONDS).done:
      # Threads of the event loop that it uses hang too.
      for thread in set(_joined_at_exit()) - before:
        _joined_at_exit().pop(thread, None)
      return None
  return done


def _joined_at_exit() -> MutableMapping[threading.Thread, Any]:
  """Returns the executors' threads, which Python joins before it exits.

  There is no public way to exempt one of them.
  """
  threads: Any = concurrent.futures.thread._threads_queues
  return threads


def _apart(what: str, path: pathlib.Path, sent: bytes) -> bytes:
  """Writes or reads arrays in another process; returns its output.

  Args:
    what: "write" or "read".
    path: The arrays' folder.
    sent: The arrays to write, or arrays of the shapes and dtypes to read,
      packed.

  Raises:
    OSError: If the other process fails.
  """
  logging.warning(
    "The clock was set back: another process will %s %s.", what, path
  )
  root = str(pathlib.Path(__file__).parents[3])
  search = [root, os.environ.get("PYTHONPATH", "")]
  try:
    return subprocess.run(
      [sys.executable, "-m", "adaland.agent.checkpoint.arrays", what, path],
      input=sent,
      capture_output=True,
      check=True,
      timeout=_APART_SECONDS,
      env={
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
        "JAX_PLATFORMS": "cpu",
      },
    ).stdout
  except subprocess.CalledProcessError as error:
    lines = error.stderr.decode(errors="replace").split("\n")
    said = [line for line in lines if line.strip()] or ["it wrote no output"]
    raise OSError(said[-1].strip()) from error


def _packed(leaves: dict[str, np.ndarray]) -> bytes:
  # As raw bytes: the format has no name for bfloat16.
  bare = {name: x.view(f"V{x.itemsize}") for name, x in leaves.items()}
  dtypes = np.array([x.dtype.name for x in leaves.values()])
  content = io.BytesIO()
  np.savez(content, **{_DTYPES: dtypes}, **bare)
  return content.getvalue()


def _unpacked(content: bytes) -> dict[str, np.ndarray]:
  with np.load(io.BytesIO(content), allow_pickle=False) as loaded:
    names = [name for name in loaded.files if name != _DTYPES]
    return {
      name: loaded[name].view(np.dtype(str(dtype)))
      for name, dtype in zip(names, loaded[_DTYPES], strict=True)
    }


def _serve(what: str, path: pathlib.Path, sent: bytes) -> bytes:
  """Serves, in the other process, the request that `_apart` sent."""
  leaves = _unpacked(sent)
  if what == "read":
    return _packed(_load(path, leaves))
  _save(path, leaves)
  return b""


if __name__ == "__main__":
  sys.stdout.buffer.write(
    _serve(sys.argv[1], pathlib.Path(sys.argv[2]), sys.stdin.buffer.read())
  )
