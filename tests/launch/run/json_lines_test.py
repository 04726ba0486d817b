"""Tests of adaland.launch.run.json_lines."""

import errno
import io
import pathlib

from absl.testing import absltest

from adaland.launch.run import json_lines


class _FullDisk(io.FileIO):
  """A file on a disk with a little space, which is freed after an error."""

  space = 5

  def write(self, data):
    if self.space == 0:
      self.space = 100
      raise OSError(errno.ENOSPC, "No space left on device")
    data = data[: self.space]
    self.space -= len(data)
    return super().write(data)


class AppendTest(absltest.TestCase):
  def test_a_row_that_a_full_disk_cuts_short_is_removed(self):
    path = pathlib.Path(self.create_tempdir().full_path, "rows.jsonl")
    path.write_text('{"at": 1}\n')
    with _FullDisk(path, "ab") as file:
      with self.assertRaisesRegex(OSError, "No space left"):
        json_lines.append(file, b'{"at": 2}\n')
      self.assertEqual(path.read_text(), '{"at": 1}\n')
      json_lines.append(file, b'{"at": 3}\n')
    self.assertEqual(path.read_text(), '{"at": 1}\n{"at": 3}\n')


class DropLostTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path, "rows.jsonl")

  def left(self, text, newest):
    self.path.write_text(text)
    json_lines.drop_lost(str(self.path), "at", newest)
    return self.path.read_text()

  def test_a_missing_file_stays_missing(self):
    json_lines.drop_lost(str(self.path), "at", 3)
    self.assertFalse(self.path.exists())

  def test_rows_from_the_first_later_one_on_are_cut_off(self):
    text = '{"at": 1}\n{"at": 3}\n{"at": 4}\n{"at": 2}\n'
    self.assertEqual(self.left(text, 3), '{"at": 1}\n{"at": 3}\n')
    self.assertEqual(self.left(text, 4), text)
    self.assertEqual(self.left(text, 0), "")

  def test_half_a_line_is_cut_off_and_other_lines_are_kept(self):
    self.assertEqual(self.left('{"at": 1}\n{"at": ', 9), '{"at": 1}\n')
    self.assertEqual(self.left('no row\n{"b": 7}\n', 0), 'no row\n{"b": 7}\n')
    self.assertEqual(self.left("half", 0), "")


if __name__ == "__main__":
  absltest.main()
