"""Tests of adaland.launch.runtimes.ray_peer on a stand-in for Ray."""

import pickle
import types
from typing import Any

from absl.testing import absltest

from adaland.launch import errors
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

  def test_an_error_that_ends_a_run_keeps_its_type_and_text(self):
    for error in (errors.UserError("x is 3"), errors.RunError("disk full")):
      with self.assertRaisesRegex(type(error), f"^{error}$"):
        self.peer(fakes.task_error(error)).call("ask")

  def test_any_other_error_is_one_line_without_a_traceback(self):
    peer = self.peer(fakes.task_error(KeyError("y")))
    with self.assertRaisesRegex(RuntimeError, "^KeyError: 'y'$"):
      peer.call("ask")


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
