"""Tests of adaland.launch.runtimes.ray_peer on a stand-in for Ray."""

import pickle
import types
from typing import Any

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.roles import peer
from adaland.launch.runtimes import ray_peer
from tests.launch.roles import fakes


class RayPeerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    fake: Any = fakes.FakeRay()
    self.ray = fake
    self.enter_context(fakes.installed(self.ray))
    self.enter_context(
      absltest.mock.patch.object(ray_peer, "_AGAIN_SECONDS", 0.001)
    )

  def peer(self, *answers):
    self.method = fakes.Method(*answers)
    self.ray.actors["learner"] = types.SimpleNamespace(call=self.method)
    # As another process receives it.
    return pickle.loads(pickle.dumps(ray_peer.RayPeer("learner")))

  def test_a_call(self):
    self.assertEqual(self.peer(7).call("ask", 1, 2), 7)
    self.assertEqual(self.method.calls, [("ask", 1, 2)])

  def test_a_role_that_is_being_restarted_is_called_again(self):
    peer = self.peer(fakes.ActorUnavailableError(), 7)
    self.assertEqual(peer.call("ask"), 7)
    self.assertLen(self.method.calls, 2)

  def test_a_timeout_bounds_the_wait(self):
    peer = self.peer(fakes.ActorUnavailableError())
    with self.assertRaisesRegex(TimeoutError, "ask: no answer"):
      peer.call("ask", timeout=0.01)
    with self.assertRaises(TimeoutError):
      self.peer(fakes.Reference(ready=False)).call("ask", timeout=0.01)

  def test_a_role_that_is_gone(self):
    with self.assertRaisesRegex(ConnectionError, "ask: the role is gone"):
      self.peer(fakes.RayActorError()).call("ask")

  def test_an_error_of_the_role_is_one_line_without_a_traceback(self):
    for cause, kind, text in (
      (errors.UserError("x is 3"), errors.UserError, "x is 3"),
      (errors.RunError("disk\nfull"), errors.RunError, "disk full"),
      (KeyError("y"), peer.RemoteError, "KeyError: 'y'"),
    ):
      with self.assertRaises(kind) as caught:
        self.peer(fakes.RayTaskError(cause)).call("ask")
      self.assertIs(type(caught.exception), kind)
      self.assertEqual(str(caught.exception), text)

  def test_a_role_that_met_a_restart_is_not_called_again(self):
    class Both(fakes.RayTaskError, fakes.ActorUnavailableError):
      """Ray's error of a call is of the class of its cause too."""

    error = Both(fakes.ActorUnavailableError("gone"))
    with self.assertRaisesRegex(peer.RemoteError, "Unavailable.*: gone"):
      self.peer(error, 7).call("ask")


class RayStoreTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    fake: Any = fakes.FakeRay()
    self.ray = fake
    self.ray.put = fakes.Reference
    self.enter_context(fakes.installed(self.ray))

  def test_a_reference_travels_inside_a_tuple(self):
    made = ray_peer.RayStore()
    (reference,) = made.put({"w": 1})
    self.assertEqual(made.get((reference,)), {"w": 1})

  def test_lost_parameters_are_none(self):
    lost = fakes.Reference(fakes.RayError("lost"))
    self.assertIsNone(ray_peer.RayStore().get((lost,)))


if __name__ == "__main__":
  absltest.main()
