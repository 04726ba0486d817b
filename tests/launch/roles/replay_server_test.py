"""Tests of adaland.launch.roles.replay_server, without Ray or Reverb."""

import os
import threading
import types
from typing import Any, ClassVar

from absl.testing import absltest

from adaland.agent.replay import base
from adaland.agent.replay.reverb import client, owner
from adaland.launch.config import overrides, presets
from adaland.launch.roles import parameters, replay_server
from adaland.launch.roles import role as process
from tests.launch.roles import fakes


class _Server:
  """Stands in for ReverbReplay."""

  pid = 77

  def __init__(self, config, spec, folder):
    self.config = config
    self.folder = folder
    self.address = f"127.0.0.1:{config.port}" if config.port else "unix:/x"
    self.closed = False
    self.error = None

  def info(self):
    return base.Counts(1, 2, 3)

  def checkpoint(self, path):
    if self.error is not None:
      raise self.error
    self.path = path

  def close(self):
    self.closed = True


class ReplayRoleTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.board = parameters.Board()
    self.servers: list[_Server] = []
    self.busy: list[int] = []

    def start(config, spec, folder, hung_seconds):
      if config.port in self.busy:
        self.busy.pop()
        raise ValueError(f"port {config.port} is in use")
      self.assertEqual(hung_seconds, 60.0)  # As the config has it.
      self.servers.append(_Server(config, spec, folder))
      return self.servers[-1]

    for target, name, value in (
      (owner, "start_server", start),
      (replay_server.builder, "agent", lambda config: None),
      (replay_server.builder, "unroll_spec", lambda config, made: None),
      (replay_server, "_POST_SECONDS", 0.01),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, value))

  def make(self, *settings, many_machines=False):
    config = overrides.apply(presets.smoke(), settings)
    setup = process.Setup(config, self.folder, many_machines)
    return replay_server.ReplayRole(setup, fakes.Peer(self.board))

  def serving(self, role):
    thread = threading.Thread(target=role.run, daemon=True)
    thread.start()
    self.assertTrue(role._ready.wait(10.0))
    self.addCleanup(thread.join, 10.0)
    self.addCleanup(role.stop)
    return self.servers[-1]

  def test_it_serves_until_it_is_stopped(self):
    role = self.make()
    self.assertNotIn("size", role.stats())
    server = self.serving(role)
    self.assertEqual(server.folder, os.path.join(self.folder, "replay"))
    stats = role.stats()
    self.assertEqual((stats["server_pid"], stats["samples"]), (77, 3))
    while not self.board.read(0).replay:
      pass
    self.assertEqual(self.board.read(0).replay, "unix:/x")
    self.assertEqual(role.checkpoint(), "")
    self.assertEqual(server.path, os.path.join(self.folder, "replay"))
    role.stop()
    while not server.closed:
      pass

  def test_a_checkpoint_that_fails_says_why(self):
    role = self.make()
    server = self.serving(role)
    for error in (OSError(28, "No space left"), RuntimeError("No space\nleft")):
      server.error = error
      self.assertEqual(role.checkpoint(), "No space left")

  def test_on_many_machines_it_comes_back_on_its_port(self):
    ray = types.SimpleNamespace(
      util=types.SimpleNamespace(get_node_ip_address=lambda: "10.0.0.7")
    )
    self.enter_context(fakes.installed(ray))
    self.enter_context(
      absltest.mock.patch.object(replay_server.time, "sleep", lambda _: None)
    )
    spec: Any = None
    role = self.make(many_machines=True)
    role._replay = role._start(spec)
    port = self.servers[0].config.port
    self.assertGreater(port, 0)
    self.assertEqual(role._address(), f"10.0.0.7:{port}")
    self.busy = [port, port]  # Of the one that was killed, for a moment.
    self.make(many_machines=True)._start(spec)
    self.assertEqual(self.servers[1].config.port, port)
    self.make("replay.port=4321", many_machines=True)._start(spec)
    self.assertEqual(self.servers[2].config.port, 4321)

  def test_a_server_that_can_t_start_is_bad_input(self):
    self.busy = [5]
    failure = self.make("replay.port=5").run()
    self.assertEqual(failure, process.Failure("port 5 is in use", True, True))


class _End:
  """A writer or sampler at an address."""

  made: ClassVar[list[Any]] = []

  def __init__(self, address, *args, **kwargs):
    self.address = address
    self.args = args
    self.closed = False
    self.stored = []
    self.made.append(self)

  def insert(self, unroll):
    self.stored.append(unroll)

  def sample(self, timeout):
    return self.address

  def close(self):
    self.closed = True


class FollowingTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    _End.made = []
    self.address = ""
    for name in ("ReverbWriter", "ReverbSampler"):
      self.enter_context(absltest.mock.patch.object(client, name, _End))
    self.enter_context(
      absltest.mock.patch.object(replay_server, "_POST_SECONDS", 0.01)
    )

  def test_a_writer_goes_where_the_server_is(self):
    spec: Any = None
    writer = replay_server.FollowingWriter(spec, lambda: self.address, 10.0)
    unroll: Any = "u"
    with self.assertRaisesRegex(TimeoutError, "no replay server yet"):
      writer.insert(unroll)
    self.address = "a"
    writer.insert(unroll)
    writer.insert(unroll)
    self.address = "b"
    writer.insert(unroll)
    writer.close()
    first, second = _End.made
    self.assertEqual((first.address, len(first.stored)), ("a", 2))
    self.assertEqual((second.address, len(second.stored)), ("b", 1))
    self.assertTrue(first.closed and second.closed)

  def test_a_sampler_too(self):
    spec: Any = None
    sampler = replay_server.FollowingSampler(
      spec, lambda: self.address, 4, True
    )
    with self.assertRaisesRegex(TimeoutError, "no replay server yet"):
      sampler.sample(0.01)
    for address in ("a", "a", "b"):
      self.address = address
      self.assertEqual(sampler.sample(0.01), address)
    sampler.close()
    self.assertLen(_End.made, 2)
    self.assertTrue(all(end.closed for end in _End.made))


if __name__ == "__main__":
  absltest.main()
