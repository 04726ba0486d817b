"""Tests of adaland.launch.roles.learner_metrics."""

import time

import numpy as np
from absl.testing import absltest

from adaland.launch.roles import learner_metrics, parameters
from tests.launch.roles import fakes


class PublisherTest(absltest.TestCase):
  def test_the_newest_hangs_on_the_board_and_is_told_again(self):
    target = parameters.Board()
    peer = fakes.Peer(target)
    with absltest.mock.patch.object(learner_metrics, "_POST_SECONDS", 3600.0):
      made = learner_metrics.Publisher(peer, lambda params: ("ref", params))
      self.addCleanup(made.close)
      made.post()
      self.assertEmpty(peer.calls)
      made._newest = 1, "a"
      made._newest = 2, "b"
      made.post()
      first = target.read(0)
      self.assertEqual(first.version, 2)
      self.assertEqual(first.params, (("ref", "b"),))
      target.__init__()
      made.post()
      self.assertEqual(target.read(0), first)

  def test_between_two_publications_it_is_quiet_but_at_the_end(self):
    target = parameters.Board()
    put = []
    with absltest.mock.patch.object(learner_metrics, "_POST_SECONDS", 3600.0):
      made = learner_metrics.Publisher(
        fakes.Peer(target), lambda params: put.append(params) or params, 3600.0
      )
      made.publish(1, "a")
      deadline = time.monotonic() + 10.0
      while target.read(0).version != 1 and time.monotonic() < deadline:
        time.sleep(0.01)
      made.publish(2, "b")
      made.publish(3, "c")
      time.sleep(0.05)
      self.assertEqual(target.read(0).version, 1)
      made.close()
    self.assertEqual(target.read(0).version, 3)
    self.assertEqual(put, ["a", "c"])


class SumsTest(absltest.TestCase):
  def test_sums(self):
    made = learner_metrics.Sums()
    made.add({"x": np.float32(1.5)}, 10, 2.0)
    made.add({"x": np.float32(2.5)}, 20, -7.0)
    expected = {"count": 2, "learned": 30, "lag_sum": 2.0, "sums": {"x": 4.0}}
    self.assertEqual(made.read(), expected)
    self.assertEqual(made.read(), expected)


if __name__ == "__main__":
  absltest.main()
