"""Checkpoints of a run's state, written atomically.

A checkpoint is a folder `<directory>/<step>` with the arrays of the train
state, written by Orbax, and `run.json`, which holds the rest of the run's
state and describes the arrays. It is written under another name and renamed
when complete, so that a folder whose name is a number is always complete,
whenever the writer was killed. Older checkpoints are removed only after that,
and are renamed first too.

Nothing here is pickled: reading a checkpoint runs no code from it.
"""

import os
import pathlib
import shutil
from typing import Any

import jax
import numpy as np

from adaland.agent.checkpoint import arrays, document

_TEMPORARY = "writing-"
_REPLACED = "writing-old-"
_ARRAYS = "arrays"
_RUN = "run.json"
_REASON = 300  # Maximum length of an Orbax error's text.


def steps(directory: str | os.PathLike[str]) -> list[int]:
  """Returns the steps of the checkpoints in a folder, oldest first."""
  return sorted(_folders(pathlib.Path(directory)))


def _folders(directory: pathlib.Path) -> dict[int, pathlib.Path]:
  """Returns the folder of each checkpoint, by step."""
  if not directory.is_dir():
    return {}
  names = [path.name for path in directory.iterdir()]
  # Folders set aside by a writer that was killed before its last rename.
  found = {
    int(name.removeprefix(_REPLACED).partition("-")[0]): directory / name
    for name in names
    if name.startswith(_REPLACED)
  }
  found |= {int(name): directory / name for name in names if name.isdecimal()}
  return found


def save(
  directory: str | os.PathLike[str],
  step: int,
  state: Any,
  run: dict[str, Any],
  keep: int = 2,
) -> pathlib.Path:
  """Writes a checkpoint, then removes those older than the newest `keep`.

  Args:
    directory: Folder of the run's checkpoints; created if it does not exist.
    step: Names the checkpoint; one of the same step is replaced.
    state: Pytree of arrays, such as `learner.TrainState`. With several learner
      processes, only the first one writes.
    run: Everything else: dictionaries with string keys, lists, numbers,
      strings, None, and NumPy arrays.
    keep: Number of checkpoints to keep, at least 1.

  Returns:
    The checkpoint's folder.

  Raises:
    OSError: If it can't be written, for instance because the disk is full;
      the earlier checkpoints are untouched.
  """
  if keep < 1:
    raise ValueError(f"keep is {keep}, allowed: at least 1")
  directory = pathlib.Path(directory).absolute()
  text = document.encode(step, _describe(state), run)
  temporary = directory / f"{_TEMPORARY}{step}-{os.getpid()}"
  final = directory / str(step)
  try:
    directory.mkdir(parents=True, exist_ok=True)
    _remove_remains(directory)
    temporary.mkdir()
    leaves = _numbered(jax.device_get(state))
    arrays.write(temporary / _ARRAYS, leaves)
    with open(temporary / _RUN, "w", encoding="utf-8") as file:
      file.write(text)
      file.flush()
      os.fsync(file.fileno())
    if final.exists():
      # Two renames: after an interruption between them the old copy counts.
      final.rename(directory / f"{_REPLACED}{step}-{os.getpid()}")
    temporary.rename(final)
    _sync_folder(directory)
  except Exception as error:
    shutil.rmtree(temporary, ignore_errors=True)
    reason = str(error).splitlines()[0] if str(error) else repr(error)
    raise OSError(f"cannot write checkpoint {final}: {reason}") from error
  for old in steps(directory)[:-keep]:
    # Renamed first: if the process is killed while it removes the folder, no
    # incomplete folder has a number for a name.
    (directory / str(old)).rename(
      directory / f"{_TEMPORARY}removed-{old}-{os.getpid()}"
    )
  _remove_remains(directory)
  return final


def restore(
  directory: str | os.PathLike[str], template: Any, step: int | None = None
) -> tuple[Any, dict[str, Any], int]:
  """Reads a checkpoint.

  Args:
    directory: Folder of the run's checkpoints.
    template: Pytree of the structure, shapes and dtypes that the state must
      have: arrays or `jax.ShapeDtypeStruct`. If the state is a dictionary, only
      the template's keys are read.
    step: Step of the checkpoint; None for the newest.

  Returns:
    The state, as NumPy arrays; the `run` dictionary; the step.

  Raises:
    ValueError: If there is no such checkpoint, or it is broken or belongs to
      another agent. The message is one line and names the folder.
  """
  available = steps(directory)
  if not available:
    raise ValueError(f"no checkpoint in {directory}")
  step = available[-1] if step is None else step
  if step not in available:
    raise ValueError(
      f"no checkpoint of step {step} in {directory}: there are {available}"
    )
  folder = _folders(pathlib.Path(directory).absolute())[step]
  described, run = _read_document(folder)
  chosen = _chosen(folder, described, template)
  _check_leaves(folder, [described[i] for i in chosen], _describe(template))
  try:
    leaves = arrays.read(folder / _ARRAYS, template, chosen)
  except Exception as error:
    reason = (str(error) or repr(error)).splitlines()[0][:_REASON]
    raise ValueError(f"broken checkpoint {folder}: {reason}") from error
  treedef = jax.tree_util.tree_structure(template)
  state = jax.tree_util.tree_unflatten(treedef, leaves)
  return state, run, step


def read_run(
  directory: str | os.PathLike[str], step: int | None = None
) -> dict[str, Any]:
  """Returns only the `run` dictionary of a checkpoint, by default the newest.

  Raises:
    ValueError: If there is no such checkpoint or it is broken.
  """
  available = steps(directory)
  if not available or (step is not None and step not in available):
    raise ValueError(f"no checkpoint in {directory}")
  step = available[-1] if step is None else step
  folder = _folders(pathlib.Path(directory).absolute())[step]
  return _read_document(folder)[1]


def _numbered(state: Any) -> dict[str, np.ndarray]:
  # Numbered, because names of modules aren't always valid file names.
  return {
    f"{i:05d}": np.asarray(x)
    for i, x in enumerate(jax.tree_util.tree_leaves(state))
  }


def _describe(state: Any) -> list[list[Any]]:
  """Lists path, shape and dtype of each leaf."""
  flat, _ = jax.tree_util.tree_flatten_with_path(state)
  return [
    [jax.tree_util.keystr(path), list(x.shape), np.dtype(x.dtype).name]
    for path, x in flat
  ]


def _read_document(
  folder: pathlib.Path,
) -> tuple[list[list[Any]], dict[str, Any]]:
  """Returns the description of the leaves, and the `run` dictionary."""
  try:
    return document.decode((folder / _RUN).read_bytes())
  except (OSError, ValueError) as error:
    raise ValueError(f"broken checkpoint {folder}: {error}") from error


def _chosen(
  folder: pathlib.Path, found: list[list[Any]], template: Any
) -> list[int]:
  """Returns the numbers of the leaves under the template's keys."""
  if not isinstance(template, dict):
    return list(range(len(found)))
  chosen = []
  for key in sorted(template):
    under = [
      i for i, leaf in enumerate(found) if leaf[0].startswith(f"[{key!r}]")
    ]
    if not under and jax.tree_util.tree_leaves(template[key]):
      raise ValueError(
        f"checkpoint {folder} is of another agent: it has no {key!r}"
      )
    chosen += under
  return chosen


def _check_leaves(
  folder: pathlib.Path, found: list[list[Any]], wanted: list[list[Any]]
) -> None:
  for have, want in zip(found, wanted, strict=False):
    if have != want:
      raise ValueError(
        f"checkpoint {folder} is of another agent: "
        f"it has {_leaf_text(have)} where {_leaf_text(want)} is needed"
      )
  if len(found) != len(wanted):
    raise ValueError(
      f"checkpoint {folder} is of another agent: "
      f"it has {len(found)} arrays where {len(wanted)} are needed"
    )


def _leaf_text(leaf: list[Any]) -> str:
  path, shape, dtype = leaf
  return f"{path} {dtype}{shape}"


def _remove_remains(directory: pathlib.Path) -> None:
  """Removes everything but checkpoints, such as unfinished writes."""
  for step, folder in _folders(directory).items():
    if not folder.name.isdecimal():
      folder.rename(directory / str(step))
  for path in directory.iterdir():
    if path.name.startswith(_TEMPORARY):
      shutil.rmtree(path, ignore_errors=True)


def _sync_folder(path: pathlib.Path) -> None:
  """Makes renames in a folder survive a power cut, if the system can."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)
