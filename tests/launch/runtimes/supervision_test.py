"""Tests of adaland.launch.runtimes.supervision, without Ray."""

import types
from typing import Any

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.roles import role
from adaland.launch.runtimes import supervision
from tests.launch.roles import fakes


def _stats(birth, **more):
  return {"birth": birth, "pid": 1, **more}


def _handle(run, *stats):
  return types.SimpleNamespace(
    run=fakes.Method(*run), stats=fakes.Method(*stats)
  )


class SupervisorTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.ray = fakes.FakeRay()
    self.enter_context(fakes.installed(self.ray))
    clock = absltest.mock.patch.object(supervision.time, "monotonic")
    self.clock = self.enter_context(clock)
    self.clock.return_value = 100.0
    self.said = []
    self.made = supervision.Supervisor(10.0, self.said.append)
    self.running = fakes.Reference(ready=False)

  def add(self, *stats, run=None) -> Any:
    handle = _handle(run or [self.running], *stats)
    self.made.add("actor 0", handle)
    return handle

  def test_it_asks_and_keeps_the_answer(self):
    self.add(_stats("a", steps=3), _stats("a", steps=5))
    self.assertEqual(self.made.stats("actor 0"), {})
    self.made.poll(0.1)
    self.assertEqual(self.made.stats("actor 0")["steps"], 3)
    self.clock.return_value = 101.0
    self.made.poll(0.1)
    self.assertEqual(self.made.stats("actor 0")["steps"], 5)
    self.assertEqual(self.made.roles["actor 0"].answered, 101.0)
    self.assertEqual(self.made.stats("nobody"), {})

  def test_what_a_role_says_is_said_once(self):
    self.add(
      _stats("a", said=["x"]),
      _stats("a", said=["x", "y"]),
      _stats("b", said=["x"]),
    )
    for _ in range(3):
      self.made.poll(0.1)
    self.assertEqual(
      self.said, ["x", "y", "actor 0 died and was started again", "x"]
    )
    self.assertEqual(self.made.roles["actor 0"].restarts, 1)

  def test_a_hung_role_is_killed_to_be_started_again(self):
    handle = self.add(fakes.Reference(ready=False))
    self.made.poll(0.1)
    self.clock.return_value = 109.0
    self.made.poll(0.1)
    self.assertEmpty(self.ray.killed)
    self.clock.return_value = 111.0
    self.made.poll(0.1)
    self.assertEqual(self.ray.killed, [(handle, False)])
    # Its start may take longer: it gets twice the time now.
    self.clock.return_value = 130.0
    self.made.poll(0.1)
    self.assertLen(self.ray.killed, 1)
    self.clock.return_value = 132.0
    self.made.poll(0.1)
    self.assertLen(self.ray.killed, 2)
    # Asked once: the answer comes when the role is back.
    self.assertLen(handle.stats.calls, 1)

  def test_a_role_on_its_way_back_is_asked_again(self):
    self.add(fakes.ActorUnavailableError(), _stats("a"))
    self.made.poll(0.1)
    self.made.poll(0.1)
    self.assertEqual(self.made.stats("actor 0")["birth"], "a")

  def test_one_that_is_killed_again_and_again_ends_the_run(self):
    self.add(*[_stats(str(i)) for i in range(30)])
    with self.assertRaisesRegex(errors.RunError, "enough memory"):
      for _ in range(30):
        self.clock.return_value += 5.0
        self.made.poll(0.1)
    self.assertEqual(self.made.roles["actor 0"].restarts, 20)

  def test_one_that_is_killed_now_and_then_does_not(self):
    self.add(*[_stats(str(i)) for i in range(100)])
    for _ in range(99):
      self.clock.return_value += 31.0
      self.made.poll(0.1)
    self.assertEqual(self.made.roles["actor 0"].restarts, 98)

  def test_one_that_ended_as_it_should_is_done(self):
    self.add(_stats("a"), run=[fakes.Reference(None)])
    self.made.poll(0.1)
    self.assertTrue(self.made.roles["actor 0"].done)
    self.assertEmpty(self.ray.killed)

  def test_one_that_failed_is_started_again_a_few_times(self):
    failure = role.Failure("ValueError: x", False, False)
    handle = self.add(_stats("a"), run=[fakes.Reference(failure)])
    for _ in range(3):
      self.made.poll(0.1)
    self.assertEqual(self.ray.killed, 3 * [(handle, False)])
    self.assertLen(handle.run.calls, 4)
    with self.assertRaisesRegex(errors.RunError, "actor 0: ValueError: x"):
      self.made.poll(0.1)

  def test_one_that_failed_after_a_long_time_is_started_again(self):
    failure = role.Failure("ValueError: x", False, False)
    handle = self.add(_stats("a"), run=[fakes.Reference(failure)])
    for _ in range(20):
      self.clock.return_value += 100.0
      self.made.roles["actor 0"].born = self.clock.return_value - 99.0
      self.made.poll(0.1)
    self.assertLen(handle.run.calls, 21)

  def test_what_can_t_be_helped_ends_the_run_at_once(self):
    for failure, error in (
      (role.Failure("bad file", True, True), errors.UserError),
      (role.Failure("disk full", False, True), errors.RunError),
      (fakes.RayActorError("gone"), errors.RunError),
    ):
      self.add(_stats("a"), run=[fakes.Reference(failure)])
      with self.assertRaises(error):
        self.made.poll(0.1)

  def test_remove(self):
    handle = self.add(_stats("a"))
    self.made.remove("actor 0")
    self.assertEqual(self.ray.killed, [(handle, True)])
    self.assertEmpty(self.made.roles)


if __name__ == "__main__":
  absltest.main()
