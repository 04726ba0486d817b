"""Tests of adaland.launch.runtimes.local_main; local_test uses processes."""

import contextlib
import io
import os
import threading
import time

from absl.testing import absltest

from adaland.launch import cli, errors
from adaland.launch.config import preset_configs
from adaland.launch.roles import role
from adaland.launch.runtimes import local_main
from tests.launch.roles import fakes


class _Owner:
  """A runtime that records its calls."""

  def __init__(self):
    self.heartbeats = []
    self.ends = []

  def heartbeat(self, name, stats):
    self.heartbeats.append((name, stats))

  def ended(self, name, pid, failure):
    self.ends.append((name, pid, failure))


class _Role(role.Role):
  def __init__(self):
    super().__init__("actor 1", role.Setup(preset_configs.smoke(), "/run"))

  def stats(self):
    return super().stats() | {"steps": 5}


class WorkerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.owner = _Owner()
    self.made = local_main.Worker("actor 1", fakes.Peer(self.owner), 0.01)

  def test_heartbeats_begin_before_the_role_is_made(self):
    ready = threading.Event()

    def make():
      ready.wait(20)
      made = _Role()
      threading.Timer(0.1, made.stop).start()
      return made

    thread = threading.Thread(target=self.made.run, args=(make,))
    thread.start()
    fakes.until(lambda: self.owner.heartbeats)
    name, stats = self.owner.heartbeats[0]
    self.assertEqual((name, stats["pid"]), ("actor 1", os.getpid()))
    self.assertNotIn("steps", stats)
    ready.set()
    thread.join()
    self.assertEqual(self.owner.heartbeats[-1][1]["steps"], 5)
    self.assertEqual(self.owner.ends, [("actor 1", os.getpid(), None)])
    count = len(self.owner.heartbeats)
    time.sleep(0.05)
    self.assertLessEqual(len(self.owner.heartbeats), count + 1)

  def test_a_role_that_can_t_be_made_is_a_failure(self):
    def make():
      raise errors.UserError("no such thing")

    self.made.run(make)
    failure = role.Failure("no such thing", True, True)
    self.assertEqual(self.owner.ends, [("actor 1", os.getpid(), failure)])


class FlagsTest(absltest.TestCase):
  def test_all_are_needed(self):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
      code = cli.main(local_main.make_parser, local_main.run, ["--workdir=x"])
    self.assertEqual(code, 2)
    self.assertIn("--control", said.getvalue())


if __name__ == "__main__":
  absltest.main()
