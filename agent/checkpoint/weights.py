"""Parameters as one safetensors file, to share: no code, no optimiser state.

The format holds named arrays and nothing else
(https://github.com/huggingface/safetensors).
"""

import hashlib
import os
from typing import Any

import jax
import numpy as np

# Maximum bytes of names and shapes, in addition to those of the arrays.
_MAX_HEADER = 1_000_000
_REASON = 300  # Maximum length of a library's error text, in characters.


def encode(params: Any, half: bool = False) -> bytes:
  """Returns the content of a file.

  Args:
    params: Arrays in nested dictionaries.
    half: True to round float32 to float16, 11 significant bits, which halves
      the file.

  Raises:
    ValueError: If `half` is true and a number is not finite or is too large for
      float16.
  """
  import safetensors.numpy

  arrays = {
    name: np.asarray(x, order="C")
    for name, x in _named(jax.device_get(params)).items()
  }
  if half:
    arrays = {name: _halved(name, x) for name, x in arrays.items()}
  return safetensors.numpy.save(arrays)


def check_finite(params: Any) -> None:
  """Checks that parameters are finite.

  Raises:
    ValueError: If one is infinite or NaN; the message names its array.
  """
  for name, array in _named(jax.device_get(params)).items():
    _check_finite(name, array)


def fingerprint(params: Any) -> str:
  """Returns the SHA-256 of parameters, which identifies an agent."""
  return hashlib.sha256(encode(params)).hexdigest()


def read(path: str | os.PathLike[str], template: Any) -> Any:
  """Reads a file.

  Args:
    path: The file.
    template: Structure, shapes and dtypes that the parameters must have.

  Raises:
    OSError: If it can't be read.
    ValueError: See `decode`.
  """
  wanted = _named(template).values()
  most = _MAX_HEADER + sum(x.size * x.dtype.itemsize for x in wanted)
  with open(path, "rb") as file:
    data = file.read(most + 1)
  if len(data) > most:
    raise ValueError(f"is larger than {most} bytes, allowed for this network")
  return decode(data, template)


def decode(data: bytes, template: Any) -> Any:
  """Decodes the content of a file.

  Args:
    data: The content.
    template: Structure, shapes and dtypes that the parameters must have;
      float32 may be stored as float16.

  Returns:
    NumPy arrays in the template's structure.

  Raises:
    ValueError: If it is damaged, belongs to another network, or has numbers
      that are not finite.
  """
  import safetensors.numpy

  try:
    arrays = safetensors.numpy.load(data)
  except Exception as error:
    # Damaged bytes make the library raise errors of several kinds.
    reason = " ".join((str(error) or repr(error)).split())[:_REASON]
    raise ValueError(f"is no file of safetensors: {reason}") from error
  wanted = _named(template)
  for name in [*wanted, *arrays]:
    if name not in arrays or name not in wanted:
      what = "lacks" if name in wanted else "has"
      raise ValueError(
        f"is of another network: it {what} {name[:_REASON]!r}; it has "
        f"{len(arrays)} arrays, allowed: the {len(wanted)} of this network"
      )
  for name, like in wanted.items():
    array = arrays[name]
    if (array.dtype, like.dtype) == (np.float16, np.float32):
      array = arrays[name] = array.astype(np.float32)
    if array.shape != like.shape or array.dtype != like.dtype:
      raise ValueError(
        f"is of another network: {name} is {array.dtype}{list(array.shape)}, "
        f"allowed: {like.dtype}{list(like.shape)}"
      )
    _check_finite(name, array)
  treedef = jax.tree_util.tree_structure(template)
  return jax.tree_util.tree_unflatten(treedef, [arrays[n] for n in wanted])


def _check_finite(name: str, array: np.ndarray) -> None:
  if not np.isfinite(array).all():
    raise ValueError(f"{name} has numbers that are not finite")


def _halved(name: str, array: np.ndarray) -> np.ndarray:
  if array.dtype != np.float32:
    return array
  _check_finite(name, array)
  with np.errstate(over="ignore"):
    half = array.astype(np.float16)
  if not np.isfinite(half).all():
    most = np.finfo(np.float16).max
    raise ValueError(f"{name} has numbers above {most}, too large for float16")
  return half


def _named(params: Any) -> dict[str, Any]:
  """Returns the leaves by their paths of keys joined by slashes, in order."""
  flat, _ = jax.tree_util.tree_flatten_with_path(params)
  return {"/".join(str(key.key) for key in path): x for path, x in flat}
