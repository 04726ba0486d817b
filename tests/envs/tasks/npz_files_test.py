"""Tests of adaland.envs.tasks.npz_files."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.tasks import npz_files

_MAX_BYTES = 10_000


def npy(array: np.ndarray) -> bytes:
  out = io.BytesIO()
  np.save(out, array)
  return out.getvalue()


def archive(kind: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
  out = io.BytesIO()
  with zipfile.ZipFile(out, "w", kind) as file:
    for name, content in members.items():
      file.writestr(f"{name}.npy", content)
  return out.getvalue()


class ReadTest(parameterized.TestCase):
  def refused(self, data: bytes, message: str):
    with self.assertRaisesRegex(ValueError, message):
      npz_files.read(data, ("a",), _MAX_BYTES)

  def test_arrays_come_back(self):
    given = {
      "a": np.arange(6.0).reshape(2, 3),
      "b": np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
      "c": np.array("text é"),
      "d": np.zeros((0, 3), np.uint8),
      "e": np.array(True),
    }
    for save in (np.savez, np.savez_compressed):
      out = io.BytesIO()
      save(out, **given, other=np.ones(3))
      read = npz_files.read(out.getvalue(), tuple(given), _MAX_BYTES)
      self.assertEqual(list(read), list(given))
      for name, array in given.items():
        np.testing.assert_array_equal(read[name], array, strict=True)

  def test_sizes_are_bounded(self):
    whole = npy(np.zeros(4000, np.uint8))
    self.assertLen(
      npz_files.read(archive(a=whole, b=whole), ("a", "b"), _MAX_BYTES), 2
    )
    with self.assertRaisesRegex(ValueError, "arrays are larger than 10000"):
      npz_files.read(archive(a=whole, b=whole, c=whole), "abc", _MAX_BYTES)
    self.refused(bytes(_MAX_BYTES + 1), "^larger than 10000 bytes")

  def test_a_member_larger_than_it_says_takes_no_memory(self):
    data = bytearray(archive(a=npy(np.zeros(2**25, np.uint8))))
    entry = data.index(b"PK\x01\x02")  # In the list at the file's end.
    data[entry + 24 : entry + 28] = struct.pack("<I", 9000)
    tracemalloc.start()
    try:
      with self.assertRaises(ValueError):
        npz_files.read(bytes(data), ("a",), 100_000)
      self.assertLess(tracemalloc.get_traced_memory()[1], 2**20)
    finally:
      tracemalloc.stop()

  @parameterized.parameters(
    ((10**12,), "<f8"), ((-1, -3), "u1"), ((2,), "u1"), ((4,), "u1")
  )
  def test_headers_that_ask_for_other_sizes_are_refused(self, shape, kind):
    out = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, header)
    self.refused(archive(a=out.getvalue() + b"123"), "its a has 3 bytes, not")

  def test_other_content_is_refused(self):
    whole = npy(np.zeros(3))
    self.refused(b"PK", "not a zip file")
    self.refused(archive(b=whole), "lacks the array a, needed: a")
    self.refused(archive(a=b"text"), ".")
    self.refused(archive(a=whole[:-1]), "its a has 23 bytes")
    self.refused(archive(a=whole[:6] + b"\3" + whole[7:]), "unknown version")
    self.refused(archive(zipfile.ZIP_LZMA, a=whole), "in an unknown way")
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}]), allow_pickle=True)
    self.refused(archive(a=pickled.getvalue()), "its a is of objects, allowed")
    damaged = bytearray(archive(a=whole))
    damaged[35:39] = b"\xff" * 4
    self.refused(bytes(damaged), ".")


if __name__ == "__main__":
  absltest.main()
