"""The JSON document of a checkpoint, stored next to the train state's arrays.

It holds dictionaries, lists, numbers, strings and NumPy arrays; reading it runs
no code.
"""

import base64
import json
import re
from typing import Any

import jax
import numpy as np

FORMAT = "adaland.checkpoint/1"


def encode(step: int, leaves: list[list[Any]], run: dict[str, Any]) -> str:
  """Returns the document's text.

  Args:
    step: The checkpoint's name.
    leaves: Path, shape and dtype of each array of the state.
    run: See `checkpoint.save`.
  """
  return json.dumps(
    {"format": FORMAT, "step": step, "leaves": leaves, "run": to_json(run)}
  )


def decode(data: bytes) -> tuple[list[list[Any]], dict[str, Any]]:
  """Reads text that `encode` returned.

  Returns:
    Path, shape and dtype of each array of the state; the `run` dictionary.

  Raises:
    ValueError: If the text is not such a document.
  """
  try:
    document = json.loads(data.decode("utf-8"))
    if not isinstance(document, dict) or document.get("format") != FORMAT:
      raise ValueError(f"its text is not a checkpoint's: expected {FORMAT}")
    leaves, run = document.get("leaves"), document.get("run")
    if not isinstance(leaves, list) or not all(map(_is_leaf, leaves)):
      raise ValueError("its 'leaves' are not a list of [path, shape, dtype]")
    if not isinstance(run, dict):
      raise ValueError("it has no 'run'")
    return leaves, {key: from_json(value) for key, value in run.items()}
  except RecursionError:
    raise ValueError("it is nested too deeply") from None


def _is_leaf(value: Any) -> bool:
  """Returns True if a value has the form of a leaf's description."""
  return (
    isinstance(value, list)
    and len(value) == 3
    and isinstance(value[0], str)
    and isinstance(value[1], list)
    and isinstance(value[2], str)
  )


def to_json(value: Any) -> Any:
  """Replaces NumPy arrays and scalars by exact JSON values."""
  if isinstance(value, dict):
    for key in value:
      if not isinstance(key, str):
        raise TypeError(f"key {key!r} of a checkpoint: must be a string")
    return {key: to_json(item) for key, item in value.items()}
  if isinstance(value, list | tuple):
    return [to_json(item) for item in value]
  if isinstance(value, np.generic):
    return value.item()
  if isinstance(value, np.ndarray | jax.Array):
    array = np.asarray(value)
    data = np.ascontiguousarray(array).tobytes()
    return {
      "__array__": base64.b64encode(data).decode("ascii"),
      "dtype": array.dtype.str,
      "shape": list(array.shape),
    }
  return value


def from_json(value: Any) -> Any:
  """Inverts `to_json`.

  Raises:
    ValueError: If it contains a broken array.
  """
  if isinstance(value, list):
    return [from_json(item) for item in value]
  if not isinstance(value, dict):
    return value
  if "__array__" in value:
    try:
      return _array_from_json(
        value["__array__"], value.get("dtype"), value.get("shape")
      )
    except (OverflowError, TypeError, ValueError) as error:
      raise ValueError(f"an array in it is broken: {error}") from error
  return {key: from_json(item) for key, item in value.items()}


def _array_from_json(text: Any, dtype: Any, shape: Any) -> np.ndarray:
  # Only names in the form of `dtype.str`: NumPy would accept others, even
  # objects.
  if not re.fullmatch(r"[<>|][biufcSUV][0-9]{1,6}", dtype):
    raise ValueError("its dtype is unknown")
  if not all(isinstance(n, int) and n >= 0 for n in shape):
    raise ValueError("its shape is not a list of whole numbers")
  data = base64.b64decode(text, validate=True)
  return np.frombuffer(data, np.dtype(dtype)).reshape(shape).copy()
