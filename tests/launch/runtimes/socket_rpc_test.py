"""Tests of adaland.launch.runtimes.socket_rpc."""

import errno
import multiprocessing
import os
import socket
from multiprocessing import connection
from unittest import mock

from absl.testing import absltest

from adaland.launch.runtimes import socket_rpc
from tests.launch.runtimes import control_case


class ControlTest(control_case.ControlCase):
  def test_tasks_are_given_once_to_any_number_of_actors(self):
    clients = [self.make_client() for _ in range(3)]
    keys = [c.next_task().key for _ in range(20) for c in clients]
    self.assertLen(set(keys), 60)

  def test_an_actor_killed_within_a_message_does_not_disturb_the_others(self):
    broken = socket_rpc.connect(self.server.address, self.server.key)
    os.write(broken.fileno(), b"\0\0\0\x10half")
    broken.close()
    client = self.make_client()
    self.assertLen({client.next_task().key for _ in range(10)}, 10)
    self.server.check()

  def test_who_has_no_key_or_says_nothing_holds_nobody_up(self):
    silent = socket.socket(socket.AF_UNIX)
    self.addCleanup(silent.close)
    silent.connect(socket_rpc.socket_name(self.server.address))
    with self.assertRaises(multiprocessing.AuthenticationError):
      socket_rpc.connect(self.server.address, b"guessed")
    self.assertLen({self.make_client().next_task().key for _ in range(3)}, 3)
    self.server.check()

  def test_another_user_is_not_listened_to(self):
    with (
      mock.patch.object(os, "getuid", return_value=os.getuid() + 1),
      self.assertRaises((EOFError, OSError)),
    ):
      self.make_client()
    self.assertEqual(self.make_client().next_task().key, 0)

  def test_a_fault_that_stays_is_told_to_the_owner(self):
    full = OSError(errno.EMFILE, "Too many open files")
    listener = mock.Mock(**{"accept.side_effect": full})
    with (
      mock.patch.object(connection, "Listener", return_value=listener),
      mock.patch.object(socket_rpc, "_FAULT_SECONDS", 0.001),
    ):
      server = socket_rpc.Server(self.role, self.publisher)
      with self.assertRaisesRegex(OSError, "no actor can connect") as caught:
        control_case.until(server.check)
    self.assertEqual(caught.exception.errno, errno.EMFILE)
    self.assertEqual(listener.accept.call_count, 50)
    server.close()

  def test_a_fault_that_goes_away_is_nothing(self):
    accept = self.server._listener.accept
    faults = iter(49 * [OSError(errno.EMFILE, "Too many open files")])

    def accept_at_last():
      for fault in faults:
        raise fault
      return accept()

    with (
      mock.patch.object(self.server._listener, "accept", accept_at_last),
      mock.patch.object(socket_rpc, "_FAULT_SECONDS", 0.001),
    ):
      self.make_client().next_task()  # Lets go of the accept that waits.
      self.assertLen({self.make_client().next_task().key for _ in range(3)}, 3)
    self.server.check()

  def test_a_failing_role_is_told_to_the_owner(self):
    self.role.fails = True
    client = self.make_client()
    self.server.check()
    client.report(control_case.record(1))
    with self.assertRaises(KeyError):
      control_case.until(self.server.check)


if __name__ == "__main__":
  absltest.main()
