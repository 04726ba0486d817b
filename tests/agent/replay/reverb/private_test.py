"""Tests of adaland.agent.replay.reverb.private."""

import ctypes
import importlib.util
import os
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import unittest

from absl.testing import absltest

from adaland.agent.replay.reverb import private

_INSTALLED = importlib.util.find_spec("reverb") is not None
_WHY = "Reverb is not installed: THAT ITS SERVER IS PRIVATE IS NOT TESTED."


class FolderTest(absltest.TestCase):
  def test_it_is_the_user_s_alone(self):
    folder = private.make_folder()
    self.addCleanup(os.rmdir, folder)
    self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
    self.assertEqual(os.stat(folder).st_uid, os.getuid())
    self.assertEqual(os.path.dirname(folder), tempfile.gettempdir())

  def test_every_spelling_of_its_socket_fits(self):
    deep = os.path.join(self.create_tempdir().full_path, 70 * "é")
    os.mkdir(deep)
    with absltest.mock.patch.object(tempfile, "tempdir", deep):
      folder = private.make_folder()
    self.addCleanup(os.rmdir, folder)
    self.assertEqual(os.path.dirname(folder), "/tmp")
    address = private.address(folder)
    self.assertEqual(address, f"unix:{folder}/1")
    spellings = {
      private.spelling(address, k) for k in range(private.NUM_SPELLINGS)
    }
    self.assertLen(spellings, 256)
    for spelling in spellings:
      path = spelling.removeprefix("unix:")
      self.assertEqual(os.path.normpath(path), f"{folder}/1")
      # A socket's path is limited in length, and so is any path leading to it.
      with socket.socket(socket.AF_UNIX) as probe:
        self.assertRaises(FileNotFoundError, probe.connect, path)


class PortsTest(absltest.TestCase):
  def test_ports_that_are_listened_on_are_found(self):
    before = private.tcp_ports()
    with (
      socket.create_server(("127.0.0.1", 0)) as four,
      socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
      socket.create_connection(four.getsockname()),
    ):
      found = set(private.tcp_ports()) - set(before)
      self.assertEqual(found, {four.getsockname()[1], six.getsockname()[1]})
    self.assertEqual(private.tcp_ports(), before)


class ConstantTest(absltest.TestCase):
  """Tests on a piece of memory that stands in for the library."""

  def setUp(self):
    super().setUp()
    self.memory = ctypes.create_string_buffer(b"a\0[::]:\0b", 100)
    start = ctypes.addressof(self.memory)
    mapping = (start, start + 100, "r-xp")
    self.enter_context(
      absltest.mock.patch.object(private, "_mappings", return_value=[mapping])
    )
    self.protect = self.enter_context(
      absltest.mock.patch.object(private, "_protect")
    )

  def test_it_is_replaced_and_its_rights_are_what_they_were(self):
    private.make_private()
    self.assertEqual(self.memory.raw[:10], b"a\0unix:\0b\0")
    address = ctypes.addressof(self.memory) + 2
    self.assertEqual(
      [call.args for call in self.protect.mock_calls],
      [(address, 3), (address, 5)],
    )

  def test_another_build_is_left_alone(self):
    for content, times in ((b"[::]:\0", 0), (b"\0[::]:\0\0[::]:\0", 2)):
      self.memory.raw = content.ljust(100, b".")
      with self.assertRaisesRegex(OSError, f"holds .* {times} times"):
        private.make_private()
      self.assertEqual(self.memory.raw, content.ljust(100, b"."))

  def test_a_system_that_does_not_let_it_sees_no_change(self):
    for effects in ([OSError("no")], [None, OSError("no")]):
      self.protect.side_effect = effects
      with self.assertRaisesRegex(OSError, "no"):
        private.make_private()
      self.assertEqual(self.memory.raw[:10], b"a\0[::]:\0b\0")


@unittest.skipUnless(_INSTALLED, _WHY)
class LibraryTest(absltest.TestCase):
  def test_the_library_in_memory_is_changed_once_and_the_file_is_not(self):
    code = """
      import re, sys
      from adaland.agent.replay.reverb import binding, private
      module = binding.load()
      with open(module.__file__, "rb") as file:
        before = file.read()
      def rights():
        return [
          flags for start, end, flags in private._mappings()
          for _ in range(start, end, 4096)
        ]

      wanted = rights()
      private.make_private()
      assert rights() == wanted
      with open(module.__file__, "rb") as file:
        assert file.read() == before
      try:
        private.make_private()
      except OSError as error:
        print(error)
    """
    result = subprocess.run(
      [sys.executable, "-c", textwrap.dedent(code)],
      capture_output=True,
      text=True,
      timeout=600,
      check=False,
    )
    self.assertEqual(
      result.stdout, "libpybind.so holds [::]: 0 times\n", result.stderr
    )


if __name__ == "__main__":
  absltest.main()
