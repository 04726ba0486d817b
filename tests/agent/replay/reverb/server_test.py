"""Tests of the server's ports and start-up, without Reverb."""

import contextlib
import io
import json
import os
import pathlib
import signal
import socket
import tempfile

from absl.testing import absltest

from adaland.agent.replay.reverb import server


def _answer_of_main(settings):
  """Returns all that a server's process says, and undoes what it changes."""
  out = io.StringIO()
  # A server ignores the signal, and so do all children of a process that does.
  handler = signal.getsignal(signal.SIGTERM)
  try:
    with contextlib.redirect_stdout(out):
      server.main(settings)
  finally:
    signal.signal(signal.SIGTERM, handler)
  return out.getvalue()


class PortTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.enter_context(
      absltest.mock.patch.object(tempfile, "tempdir", self.folder)
    )

  def test_a_free_port_is_held_against_our_own(self):
    port, lock = server._reserve_port(0)
    with lock:
      self.assertBetween(port, 1, 65535)
      self.assertEqual(os.path.dirname(lock.name), self.folder)
      with self.assertRaisesRegex(OSError, f"Port {port} .*another replay se"):
        server._reserve_port(port)
      other, other_lock = server._reserve_port(0)
      other_lock.close()
      self.assertNotEqual(other, port)
    again, lock = server._reserve_port(port)
    lock.close()
    self.assertEqual(again, port)

  def test_a_port_that_someone_listens_on_is_refused(self):
    with socket.create_server(("", 0)) as listener:
      port = listener.getsockname()[1]
      with self.assertRaisesRegex(OSError, rf"Port {port} is in use \(.*\)"):
        server._reserve_port(port)

  def test_a_fault_at_the_start_is_one_line_of_json(self):
    with absltest.mock.patch.object(
      server, "_start", side_effect=RuntimeError("no\nroom")
    ):
      port, lock = server._reserve_port(0)
      lock.close()
      answer = _answer_of_main({"port": port})
    self.assertEqual(answer.count("\n"), 1)
    self.assertEqual(json.loads(answer), {"error": "no room"})
    # The attempt leaves no trace.
    self.assertEqual(os.listdir(self.folder), [])

  def test_a_lock_is_put_through_no_one_s_link(self):
    port, lock = server._reserve_port(0)
    lock.close()
    os.unlink(lock.name)
    mine = os.path.join(self.folder, "mine")
    pathlib.Path(mine).write_text("text")
    os.symlink(mine, lock.name)
    with self.assertRaises(OSError):
      server._reserve_port(port)
    self.assertEqual(pathlib.Path(mine).read_text(), "text")


class PrivateTest(absltest.TestCase):
  """Tests of the steps before Reverb's server starts, without it."""

  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.addCleanup(os.chdir, os.getcwd())
    self.enter_context(
      absltest.mock.patch.object(tempfile, "tempdir", self.folder)
    )
    self.enter_context(absltest.mock.patch.object(server.binding, "load"))
    self.make_private = self.enter_context(
      absltest.mock.patch.object(server.private, "make_private")
    )
    self.stack = self.enter_context(contextlib.ExitStack())

  def take(self, port=0):
    settings = {"port": port, "scratch": self.folder}
    return server._take_address(settings, self.stack)

  def test_without_a_port_there_is_a_socket_in_the_folder(self):
    address = f"unix:{self.folder}/1"
    self.assertEqual(self.take(), (1, {"address": address}))
    self.assertEqual(os.getcwd(), os.path.realpath(self.folder))
    with self.assertRaisesRegex(OSError, f"{self.folder} is in use by another"):
      self.take()
    self.stack.close()
    self.assertEqual(self.take(), (1, {"address": address}))

  def test_a_port_is_opened_where_it_is_given(self):
    port, answer = self.take(_free_port())
    self.assertEqual(answer, {"address": f"127.0.0.1:{port}"})
    self.make_private.assert_not_called()

  def test_where_there_can_be_no_socket_it_is_said(self):
    self.make_private.side_effect = OSError("another build")
    port, answer = self.take()
    self.assertEqual(
      answer, {"address": f"127.0.0.1:{port}", "open": "another build"}
    )

  def test_a_port_that_opens_all_the_same_is_an_error(self):
    # Other tests in this process may have left ports open.
    others = set(server.private.tcp_ports())
    with (
      socket.create_server(("127.0.0.1", 0)) as listener,
      absltest.mock.patch.object(server, "_start"),
      absltest.mock.patch.object(
        server.private, "tcp_ports", _ports_besides(others)
      ),
    ):
      answer = _answer_of_main({"port": 0, "scratch": self.folder})
      port = listener.getsockname()[1]
    self.assertIn(
      f"listens on port {port}, not on a Unix", json.loads(answer)["error"]
    )

  def test_no_port_is_no_error(self):
    with absltest.mock.patch.object(
      server.private, "tcp_ports", return_value=[]
    ):
      server._check_closed()


def _ports_besides(others):
  """Returns a `private.tcp_ports` that leaves out the ports `others`."""
  tcp_ports = server.private.tcp_ports
  return lambda: [port for port in tcp_ports() if port not in others]


def _free_port():
  with socket.create_server(("", 0)) as listener:
    return listener.getsockname()[1]


class StartTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.root = os.path.join(self.create_tempdir().full_path, "table")
    self.settings = {"root": self.root}
    self.serve = self.enter_context(
      absltest.mock.patch.object(server, "_serve")
    )

  def test_its_checkpoints_have_a_folder(self):
    self.serve.return_value = "server"
    self.assertEqual(server._start(self.settings, 7), "server")
    self.assertEqual(os.listdir(self.root), [])

  def test_what_can_t_be_read_is_set_aside_and_kept(self):
    for number in (1, 2):
      os.makedirs(os.path.join(self.root, f"checkpoint-{number}"))
      self.serve.side_effect = [RuntimeError("bad chunk"), "server"]
      with self.assertLogs(level="WARNING") as logs:
        self.assertEqual(server._start(self.settings, 7), "server")
      self.assertIn(f"bad chunk; moved to {self.root}.broken-", logs.output[0])
      self.assertEqual(os.listdir(self.root), [])
      self.assertEqual(
        os.listdir(f"{self.root}.broken-{number}"), [f"checkpoint-{number}"]
      )

  def test_other_faults_are_no_fault_of_the_checkpoint(self):
    self.serve.side_effect = RuntimeError("port")
    with self.assertRaisesRegex(RuntimeError, "port"):
      server._start(self.settings, 7)
    self.assertEqual(os.listdir(os.path.dirname(self.root)), ["table"])


if __name__ == "__main__":
  absltest.main()
