"""Tests of adaland.launch.runtimes.socket_rpc."""

import errno
import multiprocessing
import os
import resource
import socket
import sys
import threading
import time
from multiprocessing import connection
from unittest import mock

import numpy as np
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.roles import peer
from adaland.launch.runtimes import socket_rpc
from tests.launch.roles import fakes


class _Role:
  """A role that counts, fails, or waits."""

  def __init__(self):
    self.lock = threading.Lock()
    self.count = 0
    self.waiting = threading.Event()

  def next(self, by):
    with self.lock:
      self.count += by
      return self.count

  def fail(self, error=None):
    raise error or KeyError("x")

  def wait(self):
    self.waiting.wait(20)
    return "waited"


class SocketRpcTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.roles = {"one": _Role(), "two": _Role()}
    self.server = socket_rpc.Server(self.answer)
    self.addCleanup(self.server.close)

  def answer(self, name, method, args):
    return getattr(self.roles[name], method)(*args)

  def peer(self, name="one"):
    made = socket_rpc.SocketPeer(self.server.address, self.server.key, name)
    self.addCleanup(made.close)
    return made

  def test_each_role_is_called_by_its_name(self):
    peers = [self.peer("one") for _ in range(3)]
    found = [peer.call("next", 1) for _ in range(20) for peer in peers]
    self.assertEqual(found, list(range(1, 61)))
    self.assertEqual(self.peer("two").call("next", 5), 5)

  def test_threads_may_share_a_peer(self):
    peer, found = self.peer(), []
    threads = [
      threading.Thread(
        target=lambda: found.extend(peer.call("next", 1) for _ in range(50))
      )
      for _ in range(4)
    ]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    self.assertCountEqual(found, range(1, 201))

  def test_a_call_that_fails_is_an_error_of_the_caller_alone(self):
    caller = self.peer()
    with (
      self.assertLogs(level="ERROR"),
      self.assertRaisesRegex(peer.RemoteError, "KeyError: 'x'"),
    ):
      caller.call("fail")
    self.assertEqual(caller.call("next", 1), 1)
    self.server.check()

  def test_bad_input_and_faults_of_the_surroundings_stay_what_they_are(self):
    peer = self.peer()
    for error in (errors.UserError("x is 3"), errors.RunError("disk full")):
      with (
        self.assertNoLogs(level="ERROR"),
        self.assertRaisesRegex(type(error), f"^{error}$"),
      ):
        peer.call("fail", error)

  def test_a_late_answer_is_not_taken_for_the_next_one(self):
    peer = self.peer()
    with self.assertRaisesRegex(TimeoutError, "wait: no answer"):
      peer.call("wait", timeout=0.01)
    self.roles["one"].waiting.set()
    self.assertEqual(peer.call("next", 1), 1)

  def test_without_a_server_a_call_is_a_connection_error(self):
    peer = self.peer()
    peer.call("next", 1)
    self.server.close()
    with self.assertRaisesRegex(ConnectionError, "process has ended"):
      for _ in range(2):  # One call may still be answered.
        peer.call("next", 1)
    with self.assertRaises(ConnectionError):
      self.peer().call("next", 1)

  def test_a_child_killed_within_a_message_does_not_disturb_the_others(self):
    broken = socket_rpc.connect(self.server.address, self.server.key)
    os.write(broken.fileno(), b"\0\0\0\x10half")
    broken.close()
    self.assertEqual(self.peer().call("next", 1), 1)
    self.server.check()

  def test_a_peer_without_a_key_or_a_message_holds_up_nobody(self):
    silent = socket.socket(socket.AF_UNIX)
    self.addCleanup(silent.close)
    silent.connect(socket_rpc.socket_name(self.server.address))
    with self.assertRaises(multiprocessing.AuthenticationError):
      socket_rpc.connect(self.server.address, b"guessed")
    self.assertEqual(self.peer().call("next", 1), 1)
    self.server.check()

  def test_another_user_is_not_listened_to(self):
    with (
      mock.patch.object(os, "getuid", return_value=os.getuid() + 1),
      self.assertRaises(ConnectionError),
    ):
      self.peer().call("next", 1)
    self.assertEqual(self.peer().call("next", 1), 1)

  def test_a_fault_that_stays_is_raised_to_the_owner(self):
    full = OSError(errno.EMFILE, "Too many open files")
    listener = mock.Mock(**{"accept.side_effect": full})
    start = time.monotonic()
    server = socket_rpc.Server(
      self.answer, mock.Mock(return_value=listener), 0.002
    )
    self.addCleanup(server.close)
    with self.assertRaisesRegex(OSError, "no actor can connect") as caught:
      fakes.until(server.check)
    self.assertEqual(caught.exception.errno, errno.EMFILE)
    self.assertEqual(listener.accept.call_count, 50)
    self.assertGreaterEqual(time.monotonic() - start, 49 * 0.002)

  def test_faults_that_pass_are_nothing(self):
    full = OSError(errno.EMFILE, "Too many open files")
    # Twice, with a connection between them.
    faults = iter((49 * [full] + [None]) * 2)

    class Listener(connection.Listener):
      def accept(self):
        fault = next(faults, None)
        if fault is not None:
          raise fault
        return super().accept()

    server = socket_rpc.Server(self.answer, Listener, 0.001)
    self.addCleanup(server.close)
    for count in (1, 2, 3):
      peer = socket_rpc.SocketPeer(server.address, server.key, "one")
      self.addCleanup(peer.close)
      self.assertEqual(peer.call("next", 1), count)
    server.check()

  def test_a_thread_that_cannot_start_is_a_fault_that_may_pass(self):
    starts = iter([RuntimeError("can't start new thread")])
    start = threading.Thread.start

    def refuse_once(thread):
      error = next(starts, None)
      if error is not None:
        raise error
      start(thread)

    caller = self.peer()
    with mock.patch.object(threading.Thread, "start", refuse_once):
      with self.assertRaises(ConnectionError):
        caller.call("next", 1)
      self.assertEqual(self.peer().call("next", 1), 1)
    self.server.check()

  def test_the_last_free_descriptor_is_enough_for_a_connection(self):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)

    class Listener(connection.Listener):
      def accept(self):
        accepted = super().accept()
        # No number below the lowest free one is left for another descriptor.
        free = os.dup(accepted.fileno())
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        return accepted

    server = socket_rpc.Server(self.answer, Listener, fault_seconds=0.6)
    self.addCleanup(server.close)
    answers: list[int] = []

    def call():
      peer = socket_rpc.SocketPeer(server.address, server.key, "one")
      answers.append(peer.call("next", 1))
      peer.close()

    for count in (1, 2):
      # In a thread, as nobody would answer if the server had ended.
      threading.Thread(target=call, daemon=True).start()
      fakes.until(lambda count=count: len(answers) == count, 30.0)
      resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    self.assertEqual(answers, [1, 2])
    server.check()

  def test_names_of_sockets(self):
    self.assertEqual(socket_rpc.socket_name("@adaland-1"), "\0adaland-1")
    self.assertEqual(socket_rpc.socket_name("/tmp/a@b"), "/tmp/a@b")

  def test_where_names_need_a_file_it_is_in_a_folder_of_this_user(self):
    with mock.patch.object(sys, "platform", "darwin"):
      server = socket_rpc.Server(self.answer)
      self.addCleanup(server.close)
      peer = socket_rpc.SocketPeer(server.address, server.key, "one")
      self.addCleanup(peer.close)
      self.assertEqual(peer.call("next", 1), 1)
    folder = os.path.dirname(server.address)
    self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
    server.close()
    self.assertFalse(os.path.exists(folder))


class PickledStoreTest(absltest.TestCase):
  def test_parameters_come_back(self):
    store = socket_rpc.PickledStore()
    params = {"w": np.arange(3)}
    found = store.get(store.put(params))
    np.testing.assert_array_equal(found["w"], params["w"])


if __name__ == "__main__":
  absltest.main()
