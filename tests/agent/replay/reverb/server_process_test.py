"""Tests of server_process; small programs stand in for servers."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time
from unittest import mock

from absl.testing import absltest

from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.reverb import server_process
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples


class ReverbProcessTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.scratch = self.create_tempdir().full_path

  def start(self, code, port=0, root="where/checkpoints/are"):
    """Starts a program instead of a server, with the command's settings."""
    popen = subprocess.Popen

    def start(command, **options):
      process = popen(
        [sys.executable, "-c", textwrap.dedent(code), command[-1]], **options
      )
      self.addCleanup(process.kill)
      return process

    with mock.patch.object(subprocess, "Popen", start):
      return server_process.start(
        ReplayConfig(kind="reverb", capacity=7),
        UnrollSpec.from_unroll(examples.unroll()),
        port,
        root,
        self.scratch,
      )

  def test_the_server_gets_its_settings_and_tells_its_address(self):
    # The settings come back as its address.
    process, address = self.start(
      """
      import json, sys
      print(json.dumps({"address": sys.argv[-1]}), flush=True)
      sys.stdin.read()
      """,
      port=12,
    )
    settings = json.loads(address)
    self.assertEqual(settings["capacity"], 7)
    self.assertEqual(settings["port"], 12)
    self.assertEqual(settings["root"], "where/checkpoints/are")
    self.assertEqual(settings["scratch"], self.scratch)
    self.assertIsNone(process.poll())
    # It ends by itself when its stdin closes.
    server_process.stop(process)
    self.assertEqual(process.returncode, 0)
    server_process.stop(process)  # Stopping again does nothing.

  def test_where_it_is_open_it_says_so(self):
    with self.assertLogs(level="WARNING") as logs:
      process, address = self.start(
        """
        print('{"address": "127.0.0.1:7", "open": "another build"}', flush=True)
        """
      )
    self.assertEqual(address, "127.0.0.1:7")
    self.assertRegex(logs.output[0], "open to every host .*: another build")
    server_process.stop(process)

  def test_what_it_says_against_its_start_is_a_value_error(self):
    with self.assertRaisesRegex(ValueError, "not start: Port 7 is in use"):
      self.start(
        """
        import sys
        print('{"error": "Port 7 is in use"}', flush=True)
        sys.stdin.read()
        """
      )

  def test_one_that_dies_is_told_by_its_last_words(self):
    with self.assertRaisesRegex(RuntimeError, "not start: KeyError: 'reverb'"):
      self.start("raise KeyError('reverb')")
    os.unlink(os.path.join(self.scratch, "server.log"))
    with self.assertRaisesRegex(RuntimeError, "not start: it wrote no output"):
      self.start("")

  def test_one_that_never_answers_is_killed(self):
    with (
      mock.patch.object(server_process, "_START_TIMEOUT", 0.5),
      self.assertRaisesRegex(RuntimeError, "not start: it wrote no output"),
    ):
      self.start("import time; time.sleep(60)")

  def test_one_with_a_large_checkpoint_gets_more_time(self):
    root = pathlib.Path(self.create_tempdir().full_path)
    (root / "2026" / "tables").mkdir(parents=True)
    (root / "2026" / "tables" / "items").write_bytes(bytes(600))
    with (
      mock.patch.object(server_process, "_START_TIMEOUT", 0.1),
      mock.patch.object(server_process, "_LOAD_BYTES_PER_SECOND", 10.0),
    ):
      process, address = self.start(
        """
        import time
        time.sleep(0.5)
        print('{"address": "there"}', flush=True)
        """,
        root=str(root),
      )
    self.assertEqual(address, "there")
    server_process.stop(process)

  def test_one_that_hangs_is_stopped_by_force(self):
    process, _ = self.start(
      """
      import time
      print('{"address": "there"}', flush=True)
      time.sleep(60)
      """
    )
    os.kill(process.pid, signal.SIGSTOP)
    start = time.monotonic()
    with mock.patch.object(server_process, "_STOP_TIMEOUT", 0.1):
      server_process.stop(process)
    self.assertEqual(process.returncode, -signal.SIGKILL)
    self.assertLess(time.monotonic() - start, 50.0)


if __name__ == "__main__":
  absltest.main()
