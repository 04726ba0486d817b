"""Tests of adaland.launch.roles.replay_server, without Reverb."""

import os
import threading
from typing import Any

from absl.testing import absltest

from adaland.agent.replay import base
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import parameters, replay_server
from adaland.launch.roles.role import Failure, Setup
from tests.launch.roles import fakes


class _Server:
  """A stand-in for ReverbReplay."""

  pid = 77
  restarts = 2

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


class ReplayServerTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.servers: list[_Server] = []
    self.busy: list[int] = []

    for target, name, value in (
      (replay_server.builder, "agent", lambda config: None),
      (replay_server.builder, "unroll_spec", lambda config, made: None),
      (replay_server, "_PUBLISH_SECONDS", 0.01),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, value))

  def make(self, *settings, many_machines=False):
    config = overrides.apply(preset_configs.smoke(), settings)
    setup = Setup(
      config, self.folder, many_machines=many_machines, address="10.0.0.7"
    )
    self.parameters = parameters.ParameterServer(setup)
    return replay_server.ReplayServer(
      setup, fakes.Peer(self.parameters), self.start_server
    )

  def start_server(self, config, spec, folder, hung_seconds):
    if config.port in self.busy:
      self.busy.pop()
      raise ValueError(f"port {config.port} is in use")
    self.assertEqual(hung_seconds, 60.0)  # As in the config.
    self.servers.append(_Server(config, spec, folder))
    return self.servers[-1]

  def serving(self, role):
    thread = threading.Thread(target=role.run, daemon=True)
    thread.start()
    fakes.until(lambda: "samples" in role.stats())
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
    self.assertEqual(stats["server_restarts"], 2)
    self.assertEqual(self.parameters.read(0).replay_address, "unix:/x")
    self.parameters.set_replay_address("")  # As after a restart.
    fakes.until(lambda: self.parameters.read(0).replay_address == "unix:/x")
    self.assertEqual(role.checkpoint(), "")
    self.assertEqual(server.path, os.path.join(self.folder, "replay"))
    role.stop()
    fakes.until(lambda: server.closed)

  def test_a_checkpoint_that_fails_returns_the_reason(self):
    role = self.make()
    server = self.serving(role)
    for error in (OSError(28, "No space left"), RuntimeError("No space\nleft")):
      server.error = error
      self.assertEqual(role.checkpoint(), "No space left")

  def test_without_a_server_nobody_waits_for_its_checkpoint(self):
    self.enter_context(
      absltest.mock.patch.object(replay_server, "_START_SECONDS", 0.01)
    )
    role = self.make("replay.port=5")
    self.busy = [5]
    self.assertIsNotNone(role.run())
    self.assertIsNone(role.checkpoint())

  def test_on_many_machines_it_comes_back_on_its_port(self):
    self.enter_context(
      absltest.mock.patch.object(replay_server.time, "sleep", lambda _: None)
    )
    spec: Any = None
    role = self.make(many_machines=True)
    role._replay = role._start(spec)
    port = self.servers[0].config.port
    self.assertGreater(port, 0)
    self.assertEqual(role._address(), f"10.0.0.7:{port}")
    self.busy = [port, port]  # The killed server's port, for a moment.
    self.make(many_machines=True)._start(spec)
    self.assertEqual(self.servers[1].config.port, port)
    self.make("replay.port=4321", many_machines=True)._start(spec)
    self.assertEqual(self.servers[2].config.port, 4321)

  def test_a_server_that_can_t_start_is_bad_input(self):
    self.busy = [5]
    failure = self.make("replay.port=5").run()
    self.assertEqual(failure, Failure("port 5 is in use", True, True))


class ConnectTest(absltest.TestCase):
  def test_a_role_told_to_end_does_not_wait_for_a_server(self):
    setup = Setup(preset_configs.smoke(), "/run")
    server = fakes.Peer(parameters.ParameterServer(setup))
    stop = threading.Event()
    stop.set()
    spec: Any = None
    self.assertIsNone(replay_server.sampler(setup, server, spec, stop))
    reader = parameters.Reader(server, 3600.0)
    with self.assertRaises(replay_server.NoServerError):
      replay_server.writer(spec, reader, 1.0, stop)


if __name__ == "__main__":
  absltest.main()
