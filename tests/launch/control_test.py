"""Tests of launch.local.control."""

import errno
import multiprocessing
import os
import socket
import threading
import time
from multiprocessing import connection
from unittest import mock

import numpy as np
from absl.testing import absltest

from curriculum import base
from envs import literals
from envs import task as task_lib
from launch.local import control

_TASK = task_lib.Task(
  task_lib.World(),
  (),
  (task_lib.PlayerSpec(literals.parse_literal("see(player1, black cube)")),),
)


class FakeRole:
  """Hands out numbered assignments and remembers what it is told."""

  def __init__(self):
    self.lock = threading.Lock()
    self.given = 0
    self.records = []
    self.fails = False
    self.steps = 0
    self.unrolls = []

  def next_tasks(self, n):
    with self.lock:
      first = self.given
      self.given += n
      return [base.Assignment(first + i, _TASK, True) for i in range(n)]

  def report(self, record):
    with self.lock:
      if self.fails:
        raise KeyError(record.key)
      self.records.append(record)

  def count_steps(self, steps):
    with self.lock:
      self.steps += steps

  def insert_encoded(self, data):
    with self.lock:
      self.unrolls.append(data)


def _record(key):
  return base.EpisodeRecord(key, True, np.zeros(2, np.float32), 0.0, 0.0, 0.0)


def _until(condition, seconds=10.0):
  deadline = time.monotonic() + seconds
  while not condition():
    if time.monotonic() > deadline:
      raise AssertionError("did not come true in time")
    time.sleep(0.005)


class ControlTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.role = FakeRole()
    self.publisher = control.Publisher()
    self.server = control.Server(self.role, self.publisher)
    self.addCleanup(self.server.close)

  def _client(self):
    client = control.Client(self.server.address, self.server.key, 0.01)
    self.addCleanup(client.close)
    return client

  def test_tasks_are_given_once_to_any_number_of_actors(self):
    clients = [self._client() for _ in range(3)]
    keys = [c.next_task().key for _ in range(20) for c in clients]
    self.assertLen(set(keys), 60)

  def test_records_and_steps_arrive(self):
    client = self._client()
    for key in range(5):
      client.report(_record(key))
      client.count_steps(10)
    _until(lambda: len(self.role.records) == 5 and self.role.steps == 50)
    self.assertEqual([r.key for r in self.role.records], list(range(5)))

  def test_an_actor_says_that_it_lives(self):
    with mock.patch.object(control, "_ALIVE_SECONDS", 0.05):
      client = self._client()
      _until(lambda: os.getpid() in self.server.heard)
      first = self.server.heard[os.getpid()]
      _until(lambda: self.server.heard[os.getpid()] > first)
      client.close()
    self.assertLess(abs(time.monotonic() - first), 20.0)

  def test_close_sends_what_is_queued(self):
    client = self._client()
    client.report(_record(7))
    client.count_steps(3)
    client.close()
    self.assertEqual([r.key for r in self.role.records], [7])
    self.assertEqual(self.role.steps, 3)

  def test_only_newer_params_come_and_only_once(self):
    client = self._client()
    self.assertIsNone(client.new_params())
    self.publisher.publish(0, {"w": np.arange(3)})
    got = []
    _until(lambda: got.append(client.new_params()) or got[-1])
    self.assertEqual(got[-1].version, 0)
    np.testing.assert_array_equal(got[-1].params["w"], [0, 1, 2])
    self.assertIsNone(client.new_params())
    self.publisher.publish(5, {"w": np.ones(3)})
    _until(lambda: got.append(client.new_params()) or got[-1])
    self.assertEqual(got[-1].version, 5)

  def test_an_actor_without_a_server_stops(self):
    client = self._client()
    client.next_task()
    self.server.close()

    def drain():
      while True:
        client.next_task()

    with self.assertRaisesRegex(ConnectionError, "learner went away"):
      drain()

  def test_an_actor_killed_within_a_message_does_not_disturb_the_others(self):
    broken = connection.Client(
      control.socket_name(self.server.address),
      "AF_UNIX",
      authkey=self.server.key,
    )
    os.write(broken.fileno(), b"\0\0\0\x10half")
    broken.close()
    client = self._client()
    self.assertLen({client.next_task().key for _ in range(10)}, 10)
    self.server.check()

  def test_who_has_no_key_or_says_nothing_holds_nobody_up(self):
    name = control.socket_name(self.server.address)
    silent = socket.socket(socket.AF_UNIX)
    self.addCleanup(silent.close)
    silent.connect(name)
    with self.assertRaises(multiprocessing.AuthenticationError):
      connection.Client(name, "AF_UNIX", authkey=b"guessed")
    self.assertLen({self._client().next_task().key for _ in range(3)}, 3)
    self.server.check()

  def test_another_user_is_not_listened_to(self):
    with (
      mock.patch.object(os, "getuid", return_value=os.getuid() + 1),
      self.assertRaises((EOFError, OSError)),
    ):
      self._client()
    self.assertEqual(self._client().next_task().key, 0)

  def test_a_fault_that_stays_is_told_to_the_owner(self):
    full = OSError(errno.EMFILE, "Too many open files")
    listener = mock.Mock(**{"accept.side_effect": full})
    with (
      mock.patch.object(connection, "Listener", return_value=listener),
      mock.patch.object(control, "_FAULT_SECONDS", 0.001),
    ):
      server = control.Server(self.role, self.publisher)
      with self.assertRaisesRegex(OSError, "no actor can connect") as caught:
        _until(server.check)
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
      mock.patch.object(control, "_FAULT_SECONDS", 0.001),
    ):
      self._client().next_task()  # Lets go of the accept that waits.
      self.assertLen({self._client().next_task().key for _ in range(3)}, 3)
    self.server.check()

  def test_a_failing_role_is_told_to_the_owner(self):
    self.role.fails = True
    client = self._client()
    self.server.check()
    client.report(_record(1))
    with self.assertRaises(KeyError):
      _until(self.server.check)

  def test_sender_returns_when_stored(self):
    send = control.Sender(self.server.address, self.server.key)
    send(b"unroll")
    self.assertEqual(self.role.unrolls, [b"unroll"])
    send.close()


if __name__ == "__main__":
  absltest.main()
