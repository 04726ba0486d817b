"""The reader of the in-memory store's checkpoints."""

import json
from typing import IO

import numpy as np

from adaland.agent import array_text
from adaland.agent.replay.spec import UnrollSpec


class _BrokenError(ValueError):
  """An error in the content of a checkpoint."""


def load(
  file: IO[bytes], spec: UnrollSpec, name: str
) -> tuple[dict[str, np.ndarray], np.random.PCG64]:
  """Reads a checkpoint that `InMemoryReplay.checkpoint` wrote.

  Args:
    file: The checkpoint.
    spec: Spec of the unrolls that the store holds.
    name: Name of the checkpoint, for errors.

  Returns:
    Its arrays, complete and with the shapes of the spec, and the generator of
    the store's draws.

  Raises:
    ValueError: If it is broken or holds other fields.
  """
  try:
    saved = _load(file)
    spec.check_columns(_text(saved["columns"]), name)
    _check_shapes(saved, spec)
    return saved, _generator(_text(saved["generator"]))
  except _BrokenError as error:
    raise ValueError(f"{name} is broken: {error}") from error


def _load(file: IO[bytes]) -> dict[str, np.ndarray]:
  """Returns a checkpoint's arrays, all read in full."""
  try:
    with np.load(file, allow_pickle=False) as arrays:
      saved = {name: arrays[name] for name in arrays.files}
  except Exception as error:
    # On damaged bytes zipfile, zlib and NumPy raise errors of many types.
    raise _BrokenError(str(error) or repr(error)) from error
  if not all(isinstance(array, np.ndarray) for array in saved.values()):
    raise _BrokenError("it holds more than arrays")
  missing = {"columns", "counters", "generator", "column_0"} - set(saved)
  if missing:
    raise _BrokenError(f"it has no {min(missing)!r}")
  return saved


def _text(array: np.ndarray) -> str:
  try:
    return array_text.read(array)
  except ValueError as error:
    raise _BrokenError(str(error)) from error


def _generator(text: str) -> np.random.PCG64:
  """Returns a generator with the saved state."""
  generator = np.random.PCG64()
  try:
    generator.state = json.loads(text)
  except (
    ArithmeticError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
  ) as error:
    raise _BrokenError(f"generator: {error!r}") from error
  return generator


def _check_shapes(saved: dict[str, np.ndarray], spec: UnrollSpec) -> None:
  stored = len(np.atleast_1d(saved["column_0"]))
  wanted = {
    f"column_{i}": (column.wire_dtype, (stored, *column.shape))
    for i, column in enumerate(spec.columns)
  }
  wanted["counters"] = np.dtype(np.int64), (2,)
  for name, (dtype, shape) in wanted.items():
    array = saved.get(name)
    if array is None:
      raise _BrokenError(f"it has no {name!r}")
    if array.dtype != dtype or array.shape != shape:
      raise _BrokenError(
        f"{name!r} is {array.dtype}{list(array.shape)}, not "
        f"{dtype}{list(shape)}"
      )
  inserts, samples = saved["counters"]
  if inserts < stored or samples < 0:
    raise _BrokenError("its counters are inconsistent")
