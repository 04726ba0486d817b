"""Damaged zip files of arrays."""

import io
import random
import warnings
import zipfile

import numpy as np

from tests.fuzz import mutate

_WHOLE = (-1, 0, 1, 4, 127, 809, 810, 2**15, 2**31 - 1, -(2**63), 2**63 - 1)
_FLOATS = (-0.5, 0.0, 1.5, 1e4, 1e-320, np.nan, np.inf, -np.inf)


class Archive:
  """A format that is a zip file of arrays.

  Args:
    whole: Undamaged files.
  """

  def __init__(self, whole: list[bytes]):
    self._whole = whole

  def damage(self, rng: random.Random) -> bytes:
    data = rng.choice(self._whole)
    if rng.random() < 0.3:
      return mutate.raw(data, rng)
    # Inside the members; the zip format's own checks would refuse the rest.
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
      members = [(n, archive.read(n)) for n in archive.namelist()]
    i = rng.randrange(len(members))
    name, content = members[i]
    way = rng.randrange(10)
    if way == 0:
      del members[i]
    elif way == 1:
      members.append((name, rng.choice(members)[1]))
    elif way == 2:
      members[i] = rng.choice(members)[0], content
    elif way == 3:
      members[i] = name, _array(rng)
    elif way == 4:
      members[i] = name, _text_within(content, rng)
    elif way == 5:
      members[i] = name, _header(content, rng)
    elif way <= 8:
      members[i] = name, _numbers(content, rng)
    else:
      members[i] = name, mutate.raw(content, rng)
    kind = rng.choice(
      20 * [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
      + [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
    )
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", kind) as archive:
      warnings.simplefilter("ignore")  # On duplicate names.
      for member, inner in members:
        info = zipfile.ZipInfo(member)
        info.compress_type = kind
        archive.writestr(info, inner)
    whole = out.getvalue()
    return mutate.raw(whole, rng) if rng.random() < 0.1 else whole


def _array(rng: random.Random) -> bytes:
  """Returns the file of another array."""
  dtype = rng.choice(("i1", "u8", "f2", "f8", "U3", "S2", "?", "c8", "M8[s]"))
  shape = rng.choice(((), (0,), (1,), (3,), (15, 6), (0, 6), (2, 3, 4)))
  array = np.zeros(shape, np.dtype(dtype))
  if array.dtype.kind == "f" and array.size:
    array.reshape(-1)[0] = rng.choice((np.nan, np.inf, -1.0, 1e4))
  out = io.BytesIO()
  np.save(out, array)
  return out.getvalue()


def _numbers(content: bytes, rng: random.Random) -> bytes:
  """Changes numbers of an array, its length, its axes or its type."""
  array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
  if array.dtype.kind not in "iuf":
    return content
  way = rng.randrange(8)
  if way == 0:
    array = array[:-1] if array.ndim else array[None]
  elif way == 1:
    array = np.concatenate(2 * [np.atleast_1d(array)], -rng.randrange(2))
  elif way == 2:
    kind = rng.choice(("i1", "<i8", ">i4", "u8", "f4", "f8", "?"))
    array = array.astype(kind)
  elif array.size:
    i = rng.randrange(array.size)
    values = array.reshape(-1)
    size = rng.choice((1, 1, 2, array.size))
    values[i : i + size] = _number(array.dtype, rng)
  out = io.BytesIO()
  np.save(out, array)
  return out.getvalue()


def _number(dtype: np.dtype, rng: random.Random) -> np.ndarray:
  """Returns a number of a given type, which may be out of range."""
  if dtype.kind == "f":
    return np.array(rng.choice(_FLOATS)).astype(dtype)
  return np.array(rng.choice(_WHOLE)).astype(dtype)


def _text_within(content: bytes, rng: random.Random) -> bytes:
  """Changes an array's content as text."""
  array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
  text = str(array)
  try:
    changed = mutate.json_text(text, rng).decode("utf-8", "replace")
  except ValueError:
    changed = mutate.text(text[:200], rng)
  out = io.BytesIO()
  # NumPy can't hold half a surrogate pair.
  np.save(out, np.array(changed.encode("utf-8", "replace").decode()))
  return out.getvalue()


def _header(content: bytes, rng: random.Random) -> bytes:
  """Changes type or shape in an array file's header."""
  end = content.index(b"\n") + 1
  descr = rng.choice(
    (
      "'<f4'",
      "'|O'",
      "'|V999999999'",
      "'<U99999999'",
      "[('a', '<i4')]",
      "'|V0'",
    )
  )
  shape = rng.choice(
    (
      "(99999999999,)",
      f"({2**62}, 8)",
      "(-1,)",
      "(0, 6)",
      "(1e9,)",
      "()",
      "(10**5,)",
      f"({'(' * 50}{')' * 50},)",
      "(1, 2",
    )
  )
  text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"
  if rng.random() < 0.5:
    text = mutate.text(content[10:end].decode("latin-1"), rng)
  header = text.encode("latin-1", "replace")
  size = len(header).to_bytes(2, "little")
  return content[:8] + size + header + content[end:]
