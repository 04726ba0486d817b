"""Tests of adaland.launch.runtimes.supervision on a runtime made of events."""

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.roles import role
from adaland.launch.runtimes import program, runtime, supervision
from tests.launch.runtimes import fakes

_NAME = "actor 0"
_SPEC = program.RoleSpec(_NAME, 1, 0, {})
_FAILURE = role.Failure("ValueError: x", False, False)


def _answer(**more):
  return runtime.Heartbeat(_NAME, fakes.COMMON | more)


class SupervisionTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.now = 100.0
    self.said = []
    self.place = fakes.FakeRuntime()
    self.made = supervision.Supervision(
      self.place, 10.0, self.said.append, lambda: self.now
    )
    self.made.start([_SPEC])

  @property
  def handle(self):
    return self.made.roles[_NAME]

  def poll(self, *events, at=None):
    """Polls once, at a time, with these events."""
    self.now = self.now if at is None else at
    self.place.events.append(list(events))
    self.made.poll(0.0)

  def test_it_keeps_the_last_answer(self):
    self.assertEqual(self.made.stats(_NAME), {})
    self.poll(_answer(steps=3))
    self.assertEqual(self.made.stats(_NAME)["steps"], 3)
    self.poll(_answer(steps=5), at=101.0)
    self.assertEqual(self.made.stats(_NAME)["steps"], 5)
    self.assertEqual(self.handle.last_heartbeat, 101.0)
    self.assertEqual(self.made.stats("nobody"), {})

  def test_a_message_is_shown_once(self):
    self.poll(_answer(messages=["x"]))
    self.poll(_answer(messages=["x", "y"]))
    self.poll(runtime.Died(_NAME), _answer(messages=["x"]))
    self.assertEqual(self.said, ["x", "y", "actor 0 died; restarted", "x"])
    self.assertEqual(self.handle.restarts, 1)

  def test_a_hung_role_is_restarted_and_then_gets_twice_the_time(self):
    for at, restarts in (
      (109.0, 0),
      (110.0, 0),
      (111.0, 1),
      (130.0, 1),
      (132.0, 2),
      (171.0, 2),
    ):
      self.poll(at=at)
      self.assertLen(self.place.restarted, restarts, f"at {at}")
    self.assertEqual(
      self.said[0], "actor 0 is unresponsive for 11 s; restarting"
    )
    # Once it has answered, the timeout is as before.
    self.poll(_answer(), at=172.0)
    self.poll(at=181.0)
    self.assertLen(self.place.restarted, 2)
    self.poll(at=183.0)
    self.assertLen(self.place.restarted, 3)

  def test_the_hang_timeout_is_doubled_six_times_at_most(self):
    for timeout in (10, 20, 40, 80, 160, 320, 640, 640, 640):
      before = len(self.place.restarted)
      self.poll(at=self.now + timeout)
      self.assertLen(self.place.restarted, before)
      self.poll(at=self.now + 1.0)
      self.assertLen(self.place.restarted, before + 1)

  def test_an_answer_that_was_waiting_counts_first(self):
    # As on a machine that was suspended for a while.
    self.poll(_answer(), at=1000.0)
    self.assertEmpty(self.place.restarted)

  def test_the_hang_timeout_of_a_restarted_role_starts_with_it(self):
    self.poll(runtime.Died(_NAME), at=109.0)
    self.poll(at=118.0)
    self.assertEmpty(self.place.restarted)

  def test_a_role_that_is_killed_again_and_again_ends_the_run(self):
    with self.assertRaisesRegex(errors.RunError, "enough memory"):
      for _ in range(30):
        self.poll(runtime.Died(_NAME), at=self.now + 5.0)
    self.assertEqual(self.handle.restarts, 20)

  def test_a_role_that_is_killed_now_and_then_does_not(self):
    for _ in range(99):
      self.poll(runtime.Died(_NAME), _answer(), at=self.now + 31.0)
    self.assertEqual(self.handle.restarts, 99)

  def test_a_late_death_ends_a_row_of_deaths(self):
    for seconds in [1.0] * 19 + [30.0] + [1.0] * 19:
      self.poll(_answer(), runtime.Died(_NAME), at=self.now + seconds)
    with self.assertRaisesRegex(errors.RunError, "20 times in a row"):
      self.poll(runtime.Died(_NAME), at=self.now + 1.0)

  def test_a_late_failure_is_the_first_of_a_row(self):
    for seconds in [1.0] * 3 + [30.0] + [1.0] * 2:
      ended, died = runtime.Ended(_NAME, _FAILURE), runtime.Died(_NAME)
      self.poll(_answer(steps=1), ended, died, at=self.now + seconds)
    with self.assertRaisesRegex(errors.RunError, "actor 0: ValueError: x"):
      self.poll(runtime.Ended(_NAME, _FAILURE), at=self.now + 1.0)

  def test_a_role_that_ended_as_it_was_told_to_is_done(self):
    self.made.stop(_NAME)
    self.assertEqual(self.place.stopped, {_NAME})
    self.place.stopped.clear()
    self.poll(runtime.Ended(_NAME, None))
    self.assertTrue(self.handle.done)
    # It no longer needs to answer, nor to be told again.
    self.poll(at=500.0)
    self.made.stop(_NAME)
    self.assertEmpty(self.place.restarted)
    self.assertEmpty(self.place.stopped)

  def test_a_role_that_fails_is_restarted_a_few_times(self):
    for _ in range(3):
      self.poll(runtime.Ended(_NAME, _FAILURE))
    self.assertEqual(self.place.restarted, 3 * [_NAME])
    self.assertEqual(self.said[0], "actor 0 failed; restarting: ValueError: x")
    with self.assertRaisesRegex(errors.RunError, "actor 0: ValueError: x"):
      self.poll(runtime.Ended(_NAME, _FAILURE))

  def test_a_role_that_fails_now_and_then_is_restarted(self):
    for _ in range(20):
      ended = runtime.Ended(_NAME, _FAILURE)
      self.poll(_answer(steps=1), ended, at=self.now + 99.0)
      self.poll(runtime.Died(_NAME))
    self.assertLen(self.place.restarted, 20)

  def test_a_role_that_fails_each_time_before_it_has_worked_ends_the_run(self):
    # As a learner whose first update needs more memory than there is.
    self.made.start([program.RoleSpec("learner", 1, 0, {})])
    for name, stats in ((_NAME, {"steps": 0}), ("learner", {"count": 0})):
      answer = runtime.Heartbeat(name, fakes.COMMON | stats)
      ended = runtime.Ended(name, _FAILURE)
      for _ in range(3):
        self.poll(answer, ended, runtime.Died(name), at=self.now + 99.0)
      with self.assertRaisesRegex(errors.RunError, f"{name}: ValueError: x"):
        self.poll(answer, ended, at=self.now + 99.0)

  def test_a_failure_that_a_restart_can_t_help_ends_the_run_at_once(self):
    for failure, error in (
      (role.Failure("bad file", True, True), errors.UserError),
      (role.Failure("disk full", False, True), errors.RunError),
    ):
      with self.assertRaisesRegex(error, failure.reason):
        self.poll(runtime.Ended(_NAME, failure))
    self.assertEmpty(self.place.restarted)

  def test_a_removed_role_is_forgotten(self):
    self.made.remove(_NAME)
    self.assertEqual(self.place.removed, [_NAME])
    self.assertEmpty(self.made.roles)
    self.poll(_answer(), runtime.Died(_NAME))
    self.assertEmpty(self.said)


if __name__ == "__main__":
  absltest.main()
