"""Tests of adaland.launch.run.json_lines."""

import io
import os
import pathlib
import unittest

from absl.testing import absltest

from adaland.launch.run import json_lines
from tests.launch.run import file_limit


class AppendTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path, "rows.jsonl")
    self.path.write_text("first\n")

  def test_lines_that_fit_in_parts_are_whole(self):
    class Slow(io.FileIO):
      def write(self, data, /):
        return super().write(bytes(data)[:5])

    with Slow(self.path, "a") as file:
      json_lines.append(file, b"a long line\nand another\n")
    self.assertEqual(self.path.read_text(), "first\na long line\nand another\n")

  def test_a_part_of_a_line_is_removed(self):
    with open(self.path, "ab", 0) as file:
      for room in (5, 0):
        with (
          file_limit.at(len("first\n") + room),
          self.assertRaisesRegex(OSError, "File too large"),
        ):
          json_lines.append(file, b"a long line\n")
        self.assertEqual(self.path.read_text(), "first\n")
      json_lines.append(file, b"second\n")
    self.assertEqual(self.path.read_text(), "first\nsecond\n")

  @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
  def test_a_special_file_keeps_its_error(self):
    with (
      open("/dev/full", "ab", 0) as file,
      self.assertRaisesRegex(OSError, "No space left"),
    ):
      json_lines.append(file, b"line\n")

  def test_a_pipe_is_written_too(self):
    reader, writer = os.pipe()
    self.addCleanup(os.close, reader)
    with open(writer, "ab", 0) as file:
      json_lines.append(file, b"line\n")
    self.assertEqual(os.read(reader, 10), b"line\n")


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

  def test_half_a_line_is_cut_off_a_file_longer_than_a_line_may_be(self):
    text = '{"at": 1}\n' * 5
    with absltest.mock.patch.object(json_lines, "_LONGEST_LINE", 15):
      self.assertEqual(self.left(text + '{"at"', 9), text)

  def test_only_whole_numbers_of_objects_are_steps(self):
    text = '[9]\n{"at": "9"}\n{"at": null}\n' + "[" * 9999 + "\n"
    self.assertEqual(self.left(text, 0), text)

  def test_half_a_line_is_cut_off_and_other_lines_are_kept(self):
    self.assertEqual(self.left('{"at": 1}\n{"at": ', 9), '{"at": 1}\n')
    self.assertEqual(self.left('no row\n{"b": 7}\n', 0), 'no row\n{"b": 7}\n')
    self.assertEqual(self.left("half", 0), "")


if __name__ == "__main__":
  absltest.main()
