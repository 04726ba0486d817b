"""The wire format of unrolls: named columns, checked at both ends.

Stores do not handle pytrees. They hold columns: the leaves of an `Unroll`, in
the tree's order, each with a name such as `observation['goal']`, a shape and a
dtype. Both ends hash the list; if the hashes differ, the error names the field
that differs (Reverb itself does not compare names).
"""

import dataclasses
import functools
import hashlib
import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from adaland.agent import types

_MAGIC = b"adunroll"
_HEADER = struct.Struct("<8s16s")
_ALIGNMENT = 64


class Column(NamedTuple):
  """One leaf of an unroll: its name, its shape and the name of its dtype."""

  name: str
  shape: tuple[int, ...]
  dtype: str

  def __str__(self) -> str:
    return f"{self.dtype}{list(self.shape)}"

  @property
  def wire_dtype(self) -> np.dtype:
    """The dtype in stores, one of NumPy's own: bfloat16 is stored as uint16."""
    dtype = np.dtype(self.dtype)
    return np.dtype(f"u{dtype.itemsize}") if dtype.kind == "V" else dtype

  @property
  def num_bytes(self) -> int:
    """Bytes of one unroll's column."""
    return math.prod(self.shape) * self.wire_dtype.itemsize


@dataclasses.dataclass(frozen=True)
class UnrollSpec:
  """Names, shapes and dtypes of one unroll, and the tree that holds them.

  Attributes:
    columns: The leaves, in the tree's order.
    treedef: The tree that holds them.
  """

  columns: tuple[Column, ...]
  treedef: Any

  @classmethod
  def from_unroll(cls, example: types.Unroll) -> "UnrollSpec":
    """Reads the spec off an example without a batch dimension."""
    leaves, treedef = jax.tree_util.tree_flatten_with_path(example)
    columns = []
    for path, leaf in leaves:
      array = np.asarray(leaf)
      if array.dtype.kind not in "biufV" or array.dtype.names:
        raise ValueError(
          f"Field {_name(path)} is {array.dtype}; an unroll holds numbers."
        )
      columns.append(Column(_name(path), array.shape, array.dtype.name))
    return cls(tuple(columns), treedef)

  @functools.cached_property
  def signature(self) -> str:
    """A hash of names, shapes and dtypes, 16 hexadecimal digits."""
    return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

  @property
  def num_bytes(self) -> int:
    """Bytes of one unroll."""
    return sum(column.num_bytes for column in self.columns)

  def to_json(self) -> str:
    """Returns the columns as text for `check_columns`."""
    return json.dumps([[c.name, list(c.shape), c.dtype] for c in self.columns])

  def check_columns(self, text: str, other_name: str) -> None:
    """Compares these columns with the `to_json` of another spec.

    Args:
      text: The other spec's columns.
      other_name: The other's name, for the error.

    Raises:
      ValueError: If they differ; the message names the first such field.
    """
    try:
      other = {n: Column(n, tuple(s), d) for n, s, d in json.loads(text)}
    except (RecursionError, TypeError, ValueError) as error:
      raise ValueError(f"The fields of {other_name} can't be read.") from error
    mine = {column.name: column for column in self.columns}
    for name, column in mine.items():
      if name not in other:
        raise ValueError(f"Field {name} ({column}) is unknown to {other_name}.")
      if other[name] != column:
        raise ValueError(
          f"Field {name} is {column} here but {other[name]} in {other_name}."
        )
    for name, column in other.items():
      if name not in mine:
        raise ValueError(
          f"Field {name} ({column}) of {other_name} is missing here."
        )
    if list(mine) != list(other):
      raise ValueError(f"The fields of {other_name} are in another order.")

  def flatten(self, unroll: types.Unroll) -> list[np.ndarray]:
    """Returns the columns as arrays of their wire dtype.

    The arrays are views where the leaves are contiguous arrays already.

    Raises:
      ValueError: If a field is missing or unknown, or has another shape or
        dtype; the message names it.
    """
    leaves, treedef = jax.tree_util.tree_flatten_with_path(unroll)
    if treedef != self.treedef:
      self._explain_fields([_name(path) for path, _ in leaves])
    arrays = []
    for (_, leaf), column in zip(leaves, self.columns, strict=True):
      array = np.asarray(leaf)
      if array.shape != column.shape or array.dtype.name != column.dtype:
        raise ValueError(
          f"Field {column.name} is {array.dtype.name}{list(array.shape)}; "
          f"replay holds {column}."
        )
      # ascontiguousarray alone would turn a scalar into a vector.
      if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
      arrays.append(array.view(column.wire_dtype))
    return arrays

  def unflatten(self, arrays: Sequence[np.ndarray]) -> types.Unroll:
    """Returns the unroll, or the batch of unrolls, made of the columns."""
    leaves = [
      np.asarray(array).view(np.dtype(column.dtype))
      for array, column in zip(arrays, self.columns, strict=True)
    ]
    return jax.tree_util.tree_unflatten(self.treedef, leaves)

  def stack(self, items: Sequence[Sequence[np.ndarray]]) -> types.Unroll:
    """Stacks items, each a list of columns, to a batch of leaves [B, ...]."""
    return self.unflatten(
      [np.stack(column) for column in zip(*items, strict=True)]
    )

  def encode(self, unroll: types.Unroll) -> bytes:
    """Returns the unroll as bytes, for a channel between processes."""
    parts: list[bytes | memoryview] = [
      _HEADER.pack(_MAGIC, self.signature.encode())
    ]
    size = len(parts[0])
    for array in self.flatten(unroll):
      padding = -size % _ALIGNMENT
      parts.append(bytes(padding))
      parts.append(array.reshape(-1).view(np.uint8).data)
      size += padding + array.nbytes
    return b"".join(parts)

  def decode(self, data: bytes) -> list[np.ndarray]:
    """Returns the columns as read-only views of `data`.

    Raises:
      ValueError: If the bytes are not an unroll of this spec.
    """
    if len(data) < _HEADER.size:
      raise ValueError(f"An unroll of {len(data)} bytes has no header.")
    magic, signature = _HEADER.unpack_from(data)
    if magic != _MAGIC:
      raise ValueError("The bytes received are not an unroll.")
    if signature != self.signature.encode():
      raise ValueError(
        f"An unroll with signature {signature!r} came; replay holds "
        f"{self.signature.encode()!r}: the sender has other fields, shapes or "
        "dtypes."
      )
    arrays, offset = [], _HEADER.size
    for column in self.columns:
      offset += -offset % _ALIGNMENT
      end = offset + column.num_bytes
      if end > len(data):
        raise ValueError(f"An unroll ended within field {column.name}.")
      arrays.append(np.ndarray(column.shape, column.wire_dtype, data, offset))
      offset = end
    return arrays

  def _explain_fields(self, names: Sequence[str]) -> None:
    """Raises ValueError for an unroll whose tree differs from the spec's."""
    mine = [column.name for column in self.columns]
    for name in mine:
      if name not in names:
        raise ValueError(f"Field {name} is missing from the unroll.")
    for name in names:
      if name not in mine:
        raise ValueError(f"Field {name} of the unroll is unknown to replay.")
    raise ValueError("The unroll has the fields of replay in another tree.")


class EncodedWriter:
  """An actor's end of an in-memory store that another process owns.

  It sends unrolls as bytes through a channel that the caller owns. The other
  end passes the bytes to `InMemoryReplay.insert_encoded`. They are a header and
  the raw columns; reading them runs no code.
  """

  def __init__(self, spec: UnrollSpec, send: Callable[[bytes], None]):
    """Makes a writer.

    Args:
      spec: Fields, shapes and dtypes of one unroll.
      send: Delivers the bytes, or raises TimeoutError when it can't.
    """
    self._spec = spec
    self._send = send

  def insert(self, unroll: types.Unroll) -> None:
    """Sends one unroll.

    Raises:
      ValueError: If the unroll does not fit the spec.
      TimeoutError: If `send` could not deliver it.
    """
    self._send(self._spec.encode(unroll))

  def close(self) -> None:
    """Does nothing: the channel belongs to the caller."""


def _name(path) -> str:
  """Returns a leaf's name, `observation['goal']`."""
  return jax.tree_util.keystr(path).lstrip(".")
