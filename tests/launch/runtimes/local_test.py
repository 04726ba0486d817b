"""Tests of adaland.launch.runtimes.local with roles that do little.

train_test trains for real.
"""

import os
import signal
import threading
import time

from absl.testing import absltest

from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import role
from adaland.launch.run import rundir
from adaland.launch.runtimes import local, program, runtime
from tests.launch.runtimes import local_child

_SECONDS = 60.0


class _Role(role.Role):
  """A role that counts, calls another, or fails."""

  def __init__(self, name, setup, connect):
    super().__init__(name, setup)
    self.connect = connect
    self.counted = []
    self.fails = threading.Event()

  def count(self, number):
    self.counted.append(number)
    return len(self.counted)

  def _work(self):
    while not self._stop.wait(0.01):
      if self.fails.is_set():
        raise ValueError("broken")

  @property
  def aborted(self):
    return self._aborted


class LocalRuntimeTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    config = overrides.apply(preset_configs.smoke(), ["cluster.num_learners=2"])
    rundir.RunDir(self.folder).begin(config).close()
    self.made = local.LocalRuntime(
      lambda name, setup, connect, store: _Role(name, setup, connect),
      "tests.launch.runtimes.local_child",
    )
    self.addCleanup(self.made.close)
    self.setup = self.made.setup(config, self.folder)
    self.made.open()
    self.events = []

  def start(self, *names):
    self.made.start([program.RoleSpec(name, 1, 0, {}) for name in names])

  def actor(self, number):
    """Starts a child; returns its name."""
    self.start("curriculum", name := f"actor {number}")
    return name

  def thread(self, name) -> _Role:
    found = self.made.in_process(name)
    assert isinstance(found, _Role)
    return found

  def await_event(self, matches):
    """Polls until an event matches; returns it."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
      for event in self.made.poll(0.01):
        self.events.append(event)
        if matches(event):
          return event
    raise AssertionError(f"it took too long; there were {self.events[-5:]}")

  def await_heartbeat(self, name):
    event = self.await_event(
      lambda event: isinstance(event, runtime.Heartbeat) and event.name == name
    )
    assert isinstance(event, runtime.Heartbeat)
    return event

  def test_there_is_one_learner_whatever_the_config_has(self):
    self.assertEqual(self.setup.num_learners, 1)
    self.assertFalse(self.setup.restarts_alone)

  def test_roles_of_this_process_call_each_other(self):
    self.start("curriculum", "learner")
    peer = self.thread("learner").connect("curriculum")
    self.assertEqual(peer.call("count", 7), 1)
    self.assertEqual(self.thread("curriculum").counted, [7])
    with self.assertRaisesRegex(ConnectionError, "count: the role is gone"):
      self.thread("learner").connect("replay").call("count", 7)

  def test_a_role_of_this_process_answers_and_ends_when_it_is_told_to(self):
    self.start("learner")
    stats = self.await_heartbeat("learner").stats
    self.assertEqual(stats["pid"], os.getpid())
    self.made.stop("learner")
    ended = runtime.Ended("learner", None)
    self.await_event(lambda event: event == ended)
    self.assertFalse(self.thread("learner").aborted)

  def test_a_failed_role_of_this_process_is_made_again(self):
    self.start("learner")
    first = self.thread("learner")
    first.fails.set()
    failure = role.Failure("ValueError: broken", False, False)
    ended = runtime.Ended("learner", failure)
    with self.assertLogs(level="ERROR"):
      self.await_event(lambda event: event == ended)
    self.made.restart("learner")
    self.await_event(lambda event: event == runtime.Died("learner"))
    self.assertIsNot(self.thread("learner"), first)
    self.await_heartbeat("learner")

  def test_a_child_answers_and_calls_roles_of_this_process(self):
    name = self.actor(local_child.WORKS)
    stats = self.await_heartbeat(name).stats
    self.assertEqual(stats["pid"], self.made.pid(name))
    self.await_event(lambda event: self.thread("curriculum").counted == [0])

  def test_a_killed_child_is_started_again(self):
    name = self.actor(local_child.WORKS)
    self.await_heartbeat(name)
    pid = self.made.pid(name)
    os.kill(pid, signal.SIGKILL)
    self.await_event(lambda event: event == runtime.Died(name))
    self.assertNotEqual(self.made.pid(name), pid)
    stats = self.await_heartbeat(name).stats
    self.assertEqual(stats["pid"], self.made.pid(name))

  def test_a_hung_child_is_silent_until_it_is_restarted(self):
    name = self.actor(local_child.WORKS)
    self.await_heartbeat(name)
    os.kill(self.made.pid(name), signal.SIGSTOP)
    self.made.poll(0.5)  # A heartbeat may have been in flight.
    time.sleep(1.5)  # Longer than between two heartbeats.
    self.assertNotIn(name, [event.name for event in self.made.poll(0.0)])
    self.made.restart(name)
    self.await_event(lambda event: event == runtime.Died(name))
    self.await_heartbeat(name)

  def test_a_child_that_fails_reports_why_and_waits_for_its_restart(self):
    for number, failure in (
      (local_child.FAILS, role.Failure("ValueError: no flour", False, False)),
      (local_child.IS_REFUSED, role.Failure("no such flour", True, True)),
      (local_child.EXITS, role.Failure("out of flour", False, False)),
    ):
      name = self.actor(number)
      ended = self.await_event(lambda event: isinstance(event, runtime.Ended))
      self.assertEqual(ended, runtime.Ended(name, failure))
      pid = self.made.pid(name)
      self.made.poll(0.5)
      self.assertEqual(self.made.pid(name), pid)
      self.made.restart(name)
      self.assertNotEqual(self.made.pid(name), pid)
      self.await_event(lambda event, n=name: event == runtime.Died(n))
      self.made.remove(name)

  def test_a_child_that_ends_is_not_started_again(self):
    name = self.actor(local_child.ENDS)
    self.await_event(lambda event: event == runtime.Ended(name, None))
    pid = self.made.pid(name)
    self.made.poll(0.5)
    self.assertEqual(self.made.pid(name), pid)

  def test_a_child_that_is_told_to_stop_ends_at_once(self):
    name = self.actor(local_child.IS_SILENT)
    self.made.stop(name)
    self.await_event(lambda event: event == runtime.Ended(name, None))

  def test_a_removed_child_is_gone(self):
    name = self.actor(local_child.WORKS)
    self.await_heartbeat(name)
    pid = self.made.pid(name)
    self.made.remove(name)
    with self.assertRaises(ProcessLookupError):
      os.kill(pid, 0)
    self.made.poll(0.0)
    self.assertNotIn(name, [event.name for event in self.made.poll(0.0)])

  def test_a_child_s_log_is_named_like_its_role(self):
    name = self.actor(local_child.EXITS)
    self.await_event(lambda event: isinstance(event, runtime.Ended))
    self.assertEqual(name, "actor 5")
    with open(os.path.join(self.folder, "logs", "actor_5.log")) as log:
      self.assertIn("out of flour", log.read())

  def test_the_key_is_not_among_a_child_s_arguments(self):
    name = self.actor(local_child.IS_SILENT)
    command, arguments = f"/proc/{self.made.pid(name)}/cmdline", ""
    # Until its program begins it is a copy of this process.
    while "local_child" not in arguments:
      time.sleep(0.01)
      with open(command) as file:
        arguments = file.read()
    with open(f"/proc/{self.made.pid(name)}/environ") as file:
      (key,) = [
        text.partition("=")[2]
        for text in file.read().split("\0")
        if text.startswith("ADALAND_CONTROL_KEY")
      ]
    self.assertLen(bytes.fromhex(key), 16)
    self.assertNotIn(key, arguments)

  def test_closing_aborts_threads_and_kills_children(self):
    name = self.actor(local_child.WORKS)
    pid, thread = self.made.pid(name), self.thread("curriculum")
    self.made.close()
    self.assertTrue(thread.aborted)
    with self.assertRaises(ProcessLookupError):
      os.kill(pid, 0)
    with self.assertRaises(ConnectionError):
      thread.connect("curriculum").call("count", 1)
    self.made.close()


if __name__ == "__main__":
  absltest.main()
