"""Reading of untrusted npz files, without pickles and in bounded memory.

A zip file of a few megabytes can hold gigabytes of zeros, and an array's header
can request more memory than its file has bytes. Every size is checked before
memory is allocated for it.
"""

import io
import math
import warnings
import zipfile
from collections.abc import Sequence

import numpy as np

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Version 3 is for field names; no array that is read here has any.
_HEADERS = {
  (1, 0): np.lib.format.read_array_header_1_0,
  (2, 0): np.lib.format.read_array_header_2_0,
}


def read(
  data: bytes, names: Sequence[str], max_bytes: int
) -> dict[str, np.ndarray]:
  """Reads arrays of an npz file.

  Args:
    data: Content of the file.
    names: Names of the arrays to read; the file may have others.
    max_bytes: Maximum size of the file, and of all arrays together.

  Returns:
    The arrays by name, read-only.

  Raises:
    ValueError: If an array is missing, damaged or has Python objects, or if the
      file or the arrays are too large.
  """
  if len(data) > max_bytes:
    raise ValueError(f"larger than {max_bytes} bytes, allowed for such a file")
  try:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
      return _read(archive, names, max_bytes)
  except ValueError:
    raise
  except Exception as error:
    # On damaged bytes zipfile, zlib and NumPy raise errors of many types.
    raise ValueError(str(error) or type(error).__name__) from error


def _read(
  archive: zipfile.ZipFile, names: Sequence[str], max_bytes: int
) -> dict[str, np.ndarray]:
  there = set(archive.namelist())
  for name in names:
    if f"{name}.npy" not in there:
      raise ValueError(f"lacks the array {name}, needed: {', '.join(names)}")
  members = {name: archive.getinfo(f"{name}.npy") for name in names}
  if sum(info.file_size for info in members.values()) > max_bytes:
    raise ValueError(
      f"its arrays are larger than {max_bytes} bytes, allowed for such a file"
    )
  arrays = {}
  for name, info in members.items():
    # An LZMA dictionary may take gigabytes, whatever it unpacks.
    if info.compress_type not in _COMPRESSIONS:
      raise ValueError(f"its {name} is compressed in an unknown way")
    with archive.open(info) as stream:
      # Without a size, zipfile would unpack up to 2 GiB and then truncate.
      content = stream.read(info.file_size)
    arrays[name] = _array(name, content)
  return arrays


def _array(name: str, content: bytes) -> np.ndarray:
  """Returns the array in an npy file's content, whose memory it shares."""
  stream = io.BytesIO(content)
  version = np.lib.format.read_magic(stream)
  if version not in _HEADERS:
    raise ValueError(f"its {name} is of an unknown version, {version}")
  with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Warnings about Python 2 headers.
    shape, columns_first, dtype = _HEADERS[version](stream)
  if dtype.hasobject:
    raise ValueError(f"its {name} is of objects, allowed: numbers or a text")
  begin = stream.tell()
  size = math.prod(shape) * dtype.itemsize
  if min(shape, default=0) < 0 or size != len(content) - begin:
    raise ValueError(
      f"its {name} has {len(content) - begin} bytes, not those of "
      f"{dtype}{list(shape)}"
    )
  order = "F" if columns_first else "C"
  return np.ndarray(shape, dtype, content, begin, order=order)
