"""Text as a NumPy array holds it: four bytes a letter, whatever they say."""

import sys

import numpy as np


def read(array: np.ndarray) -> str:
  """Returns the text of an array that holds one.

  Raises:
    ValueError: If it holds something else, or numbers that are no letters;
      of these NumPy would make a text that Python can't handle.
  """
  if array.dtype.kind != "U" or array.shape:
    raise ValueError(f"{array.dtype}{list(array.shape)} is not one text")
  numbers = np.frombuffer(array.tobytes(), f"{array.dtype.byteorder}u4")
  if numbers.max(initial=0) > sys.maxunicode:
    raise ValueError("a text holds numbers that are no letters")
  return str(array)
