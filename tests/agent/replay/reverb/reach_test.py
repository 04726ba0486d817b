"""Tests of who reaches a Reverb server, and where."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from unittest import mock

from absl.testing import absltest

from adaland.agent.replay.reverb import (
  client,
  connection,
  owner,
  private,
)
from tests.agent.replay import examples
from tests.agent.replay.reverb import servers


def _listening(pid):
  """Returns the TCP ports that a process listens on, from /proc."""
  own = set()
  for name in os.listdir(f"/proc/{pid}/fd"):
    with contextlib.suppress(FileNotFoundError):
      own.add(os.readlink(f"/proc/{pid}/fd/{name}"))
  ports = set()
  for table in ("tcp", "tcp6"):
    with open(f"/proc/net/{table}") as file:
      for line in file.read().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == "0A" and f"socket:[{rest[5]}]" in own:
          ports.add(int(local.rsplit(":", 1)[1], 16))
  return sorted(ports)


class ReachTest(servers.TestCase):
  def test_no_one_else_reaches_it_unless_a_port_is_given(self):
    replay = self.start()
    path = replay.address.removeprefix("unix:")
    self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode))
    folder = os.stat(os.path.dirname(path))
    self.assertEqual(stat.S_IMODE(folder.st_mode), 0o700)
    self.assertEqual(folder.st_uid, os.getuid())
    self.assertEqual(_listening(replay.pid), [])
    first = replay.pid
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 120
    while replay.pid == first and time.monotonic() < deadline:
      time.sleep(0.05)
    self.assertNotEqual(replay.pid, first)
    self.assertEqual(_listening(replay.pid), [])
    replay.close()
    self.assertFalse(os.path.exists(os.path.dirname(path)))
    port = servers.free_port()
    self.assertEqual(_listening(self.start(port=port).pid), [port])

  def test_a_second_server_on_the_socket_is_refused(self):
    replay = self.start()
    folder = os.path.dirname(replay.address.removeprefix("unix:"))
    writer = replay.writer()
    writer.insert(examples.unroll())
    with (
      mock.patch.object(private, "make_folder", return_value=folder),
      mock.patch.object(shutil, "rmtree"),
      self.assertRaisesRegex(ValueError, "is in use by another replay server"),
    ):
      owner.start_server(servers.config(), servers.spec())
    writer.close()
    self.assertEqual(replay.info().size, 1)

  def test_where_it_is_open_it_says_so(self):
    code = """
      import sys
      from adaland.agent.replay.reverb import private, server

      def fail():
        raise OSError("another build")

      private.make_private = fail
      server.main(__import__("json").loads(sys.argv[-1]))
    """
    popen = subprocess.Popen

    def start(command, **options):
      return popen(
        [sys.executable, "-c", textwrap.dedent(code), command[-1]], **options
      )

    with (
      mock.patch.object(subprocess, "Popen", start),
      self.assertLogs(level="WARNING") as logs,
    ):
      replay = self.start()
    self.assertRegex(logs.output[0], "open to every host .*: another build")
    port = int(replay.address.removeprefix("127.0.0.1:"))
    self.assertEqual(_listening(replay.pid), [port])

  def test_a_second_server_on_the_port_is_refused(self):
    port = servers.free_port()
    replay = self.start(port=port)
    with self.assertRaisesRegex(ValueError, f"Port {port} is in use"):
      owner.start_server(servers.config(port=port), servers.spec())
    writer = replay.writer()
    writer.insert(examples.unroll())
    writer.close()
    self.assertEqual(replay.info().size, 1)

  def test_a_port_that_someone_else_serves_is_refused(self):
    with socket.create_server(("", 0)) as other:
      port = other.getsockname()[1]
      with self.assertRaisesRegex(ValueError, f"Port {port} is in use"):
        owner.start_server(servers.config(port=port), servers.spec())

  def test_other_fields_are_refused_by_name_at_connection(self):
    replay = self.start()
    for connect in (
      lambda: client.ReverbWriter(replay.address, servers.spec(6)),
      lambda: client.ReverbSampler(replay.address, servers.spec(6), 2),
    ):
      with self.assertRaisesRegex(
        ValueError, r"observation\['entities'\] is .*\[6, .* but .*\[5, .*serv"
      ):
        connect()

  def test_no_server_is_a_timeout(self):
    port = servers.free_port()
    with self.assertRaisesRegex(TimeoutError, f"127.0.0.1:{port}"):
      connection.Connection(f"127.0.0.1:{port}", servers.spec(), timeout=0.5)


if __name__ == "__main__":
  absltest.main()
