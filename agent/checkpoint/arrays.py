"""The arrays of a checkpoint, written and read by Orbax.

Orbax writes with TensorStore, whose threads use the time of day: after the
clock is set back by an hour, TensorStore starts no thread for an hour (0.1.74,
0.1.86), and a write that needs one hangs for that long. After such a jump the
arrays are written by a new process, which has not seen a later time.
"""

import concurrent.futures
import io
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
from typing import Any

import jax
import numpy as np

# A smaller jump back makes a write hang for no longer than the jump.
_JUMP_SECONDS = 1.0
_POLL_SECONDS = 0.1
# A write during which the clock was set back may still end in this time.
_GRACE_SECONDS = 10.0
_TIMEOUT_SECONDS = 600.0
_DTYPES = "dtypes"


class _Clock:
  """A detector of jumps back in the time of day."""

  def __init__(self) -> None:
    self._latest = time.time()

  def is_back(self) -> bool:
    """Returns True if the time of day is before one that was seen."""
    now = time.time()
    self._latest = max(self._latest, now)
    return now < self._latest - _JUMP_SECONDS


_clock = _Clock()


def write(path: pathlib.Path, leaves: dict[str, np.ndarray]) -> None:
  """Writes arrays.

  Args:
    path: Folder to make. Folders beside it with names that begin with its
      name are the remains of an unfinished write, and are removed.
    leaves: The arrays by name.

  Raises:
    Exception: Any error of Orbax.
  """
  if _clock.is_back():
    _write_apart(path, leaves)
    return
  written: concurrent.futures.Future[None] = concurrent.futures.Future()
  # A daemon, so that a hanging write does not keep the process alive.
  threading.Thread(
    target=_write_here,
    args=(written, path, leaves),
    name="checkpoint-writer",
    daemon=True,
  ).start()
  while not concurrent.futures.wait([written], _POLL_SECONDS).done:
    if not _clock.is_back():
      continue
    if concurrent.futures.wait([written], _GRACE_SECONDS).done:
      break
    for remains in path.parent.glob(f"{path.name}*"):
      shutil.rmtree(remains, ignore_errors=True)
    _write_apart(path, leaves)
    return
  written.result()


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
    ValueError: If one is of another shape or dtype.
    Exception: Any error of Orbax.
  """
  leaves = jax.tree_util.tree_leaves(template)
  wanted = {
    f"{i:05d}": np.zeros(x.shape, x.dtype)
    for i, x in zip(chosen, leaves, strict=True)
  }
  import orbax.checkpoint

  how = {
    name: orbax.checkpoint.RestoreArgs(restore_type=np.ndarray)
    for name in wanted
  }
  log = logging.getLogger("absl")
  log.addFilter(_is_for_users)
  try:
    with _checkpointer() as checkpointer:
      # No transformations: arrays that were not asked for are skipped.
      leaves = checkpointer.restore(
        path, item=wanted, restore_args=how, transforms={}
      )
  finally:
    log.removeFilter(_is_for_users)
  found = {name: np.asarray(leaves[name]) for name in sorted(leaves)}
  for name, array in found.items():
    like = wanted[name]
    if array.shape != like.shape or array.dtype != like.dtype:
      raise ValueError(
        f"array {name} is {array.dtype}{list(array.shape)}, not "
        f"{like.dtype}{list(like.shape)}"
      )
  return list(found.values())


def _is_for_users(record: logging.LogRecord) -> bool:
  """Returns True if a log record of Orbax matters to users.

  Orbax raises an error for a faulty file. Its warnings concern its design: the
  future of `transforms`, the only way to read some of the arrays that Orbax
  0.11.5 and 0.12.8 share, and the sharing of caches.
  """
  return record.levelno > logging.WARNING


def _checkpointer() -> Any:
  # Imported where used: most processes of a run never touch a checkpoint.
  import orbax.checkpoint

  # The default waits for the other learner processes, which take no part:
  # the arrays written here are whole and lie on the host.
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


def _write_here(
  written: concurrent.futures.Future[None],
  path: pathlib.Path,
  leaves: dict[str, np.ndarray],
) -> None:
  try:
    _save(path, leaves)
  except BaseException as error:  # Every error goes to the caller.
    written.set_exception(error)
  else:
    written.set_result(None)


def _write_apart(path: pathlib.Path, leaves: dict[str, np.ndarray]) -> None:
  """Writes arrays in another process.

  Raises:
    OSError: If the arrays can't be written.
  """
  logging.warning(
    "The clock was set back: %s is written by another process.", path
  )
  # Raw bytes: the file format has no bfloat16.
  raw = {name: x.view(f"V{x.itemsize}") for name, x in leaves.items()}
  dtypes = np.array([x.dtype.name for x in leaves.values()])
  sent = io.BytesIO()
  np.savez(sent, **{_DTYPES: dtypes}, **raw)
  root = str(pathlib.Path(__file__).parents[3])
  search = [root, os.environ.get("PYTHONPATH", "")]
  try:
    subprocess.run(
      [sys.executable, "-m", "adaland.agent.checkpoint.arrays", str(path)],
      input=sent.getbuffer(),
      stdout=subprocess.DEVNULL,
      stderr=subprocess.PIPE,
      check=True,
      timeout=_TIMEOUT_SECONDS,
      env={
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
        "JAX_PLATFORMS": "cpu",
      },
    )
  except subprocess.CalledProcessError as error:
    lines = error.stderr.decode(errors="replace").split("\n")
    said = [line for line in lines if line.strip()] or ["it said nothing"]
    raise OSError(said[-1].strip()) from error


def _main() -> None:
  """Writes the arrays that are read from the standard input."""
  path = pathlib.Path(sys.argv[1])
  sent = io.BytesIO(sys.stdin.buffer.read())
  with np.load(sent, allow_pickle=False) as loaded:
    names = [name for name in loaded.files if name != _DTYPES]
    leaves = {
      name: loaded[name].view(np.dtype(str(dtype)))
      for name, dtype in zip(names, loaded[_DTYPES], strict=True)
    }
  _save(path, leaves)


if __name__ == "__main__":
  _main()
