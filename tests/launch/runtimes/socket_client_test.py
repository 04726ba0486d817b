"""Tests of adaland.launch.runtimes.socket_client."""

import os
import time
from unittest import mock

import numpy as np
from absl.testing import absltest

from adaland.launch.runtimes import socket_client
from tests.launch.runtimes import control_case


class ControlClientTest(control_case.ControlCase):
  def test_records_and_steps_arrive(self):
    client = self.make_client()
    for key in range(5):
      client.report(control_case.record(key))
      client.count_steps(10)
    control_case.until(
      lambda: len(self.role.records) == 5 and self.role.steps == 50
    )
    self.assertEqual([r.key for r in self.role.records], list(range(5)))

  def test_an_actor_says_that_it_lives(self):
    with mock.patch.object(socket_client, "_ALIVE_SECONDS", 0.05):
      client = self.make_client()
      control_case.until(lambda: os.getpid() in self.server.heard)
      first = self.server.heard[os.getpid()]
      control_case.until(lambda: self.server.heard[os.getpid()] > first)
      client.close()
    self.assertLess(abs(time.monotonic() - first), 20.0)

  def test_close_sends_what_is_queued(self):
    client = self.make_client()
    client.report(control_case.record(7))
    client.count_steps(3)
    client.close()
    self.assertEqual([r.key for r in self.role.records], [7])
    self.assertEqual(self.role.steps, 3)

  def test_only_newer_params_come_and_only_once(self):
    client = self.make_client()
    self.assertIsNone(client.new_params())
    self.publisher.publish(0, {"w": np.arange(3)})
    got = []
    control_case.until(lambda: got.append(client.new_params()) or got[-1])
    self.assertEqual(got[-1].version, 0)
    np.testing.assert_array_equal(got[-1].params["w"], [0, 1, 2])
    self.assertIsNone(client.new_params())
    self.publisher.publish(5, {"w": np.ones(3)})
    control_case.until(lambda: got.append(client.new_params()) or got[-1])
    self.assertEqual(got[-1].version, 5)

  def test_an_actor_without_a_server_stops(self):
    client = self.make_client()
    client.next_task()
    self.server.close()

    def drain():
      while True:
        client.next_task()

    with self.assertRaisesRegex(ConnectionError, "learner went away"):
      drain()

  def test_sender_returns_when_stored(self):
    send = socket_client.Sender(self.server.address, self.server.key)
    send(b"unroll")
    self.assertEqual(self.role.unrolls, [b"unroll"])
    send.close()


if __name__ == "__main__":
  absltest.main()
