"""Text in NumPy arrays, which store four unchecked bytes per character."""

import sys

import numpy as np


def read(array: np.ndarray) -> str:
  """Returns the text of an array that holds one.

  Raises:
    ValueError: If the array does not hold one text, or holds numbers that are
      not characters, which NumPy would turn into a string that Python can't
      handle.
  """
  if array.dtype.kind != "U" or array.shape:
    raise ValueError(f"{array.dtype}{list(array.shape)} is not one text")
  numbers = np.frombuffer(array.tobytes(), f"{array.dtype.byteorder}u4")
  if numbers.max(initial=0) > sys.maxunicode:
    raise ValueError("a text holds numbers that are not characters")
  return str(array)
