"""Tests of adaland.launch.roles.peer, without Ray."""

import pickle
import types

from absl.testing import absltest

from adaland.launch.roles import peer as peers
from tests.launch.roles import fakes


class RayPeerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.ray = fakes.FakeRay()
    self.enter_context(fakes.installed(self.ray))
    self.enter_context(
      absltest.mock.patch.object(peers, "_AGAIN_SECONDS", 0.001)
    )

  def peer(self, *answers):
    self.method = fakes.Method(*answers)
    self.ray.actors["desk"] = types.SimpleNamespace(ask=self.method)
    # As it comes out in another process.
    return pickle.loads(pickle.dumps(peers.RayPeer("desk")))

  def test_a_call(self):
    self.assertEqual(self.peer(7).call("ask", 1, 2), 7)
    self.assertEqual(self.method.calls, [(1, 2)])

  def test_a_role_that_is_being_restarted_is_called_again(self):
    peer = self.peer(fakes.ActorUnavailableError(), 7)
    self.assertEqual(peer.call("ask"), 7)
    self.assertLen(self.method.calls, 2)

  def test_for_no_longer_than_was_said(self):
    peer = self.peer(fakes.ActorUnavailableError())
    with self.assertRaisesRegex(TimeoutError, "ask: no answer"):
      peer.call("ask", timeout=0.01)
    with self.assertRaises(TimeoutError):
      self.peer(fakes.Reference(ready=False)).call("ask", timeout=0.01)

  def test_a_role_that_is_gone(self):
    with self.assertRaisesRegex(ConnectionError, "ask: the role is gone"):
      self.peer(fakes.RayActorError()).call("ask")


if __name__ == "__main__":
  absltest.main()
