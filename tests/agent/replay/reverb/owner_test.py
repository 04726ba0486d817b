"""Tests specific to the Reverb store; see also contract_test."""

import contextlib
import dataclasses
import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from unittest import mock

from absl.testing import absltest

from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.reverb import (
  client,
  connection,
  owner,
  private,
)
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples

_INSTALLED = importlib.util.find_spec("reverb") is not None
_WHY = "Reverb is not installed: THE STORE BETWEEN PROCESSES IS NOT TESTED."


def _spec(length=5):
  return UnrollSpec.from_unroll(examples.unroll(length=length))


def _config(**values):
  base = ReplayConfig(
    kind="reverb", capacity=50, batch_size=2, insert_timeout=10.0
  )
  return dataclasses.replace(base, **values)


def _run(code, timeout=600):
  """Runs a program in a new process; returns its output."""
  return subprocess.run(
    [sys.executable, "-c", textwrap.dedent(code)],
    capture_output=True,
    text=True,
    timeout=timeout,
    check=False,
  )


@unittest.skipUnless(_INSTALLED, _WHY)
class ReverbReplayTest(absltest.TestCase):
  def start(self, checkpoint_dir=None, **values):
    replay = owner.start_server(_config(**values), _spec(), checkpoint_dir)
    self.addCleanup(replay.close)
    return replay

  def test_no_one_else_reaches_it_unless_a_port_is_given(self):
    replay = self.start()
    path = replay.address.removeprefix("unix:")
    self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode))
    folder = os.stat(os.path.dirname(path))
    self.assertEqual(stat.S_IMODE(folder.st_mode), 0o700)
    self.assertEqual(folder.st_uid, os.getuid())
    self.assertEqual(_listening(replay.pid), [])
    first = replay.pid
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 120
    while replay.pid == first and time.monotonic() < deadline:
      time.sleep(0.05)
    self.assertNotEqual(replay.pid, first)
    self.assertEqual(_listening(replay.pid), [])
    replay.close()
    self.assertFalse(os.path.exists(os.path.dirname(path)))
    port = _free_port()
    self.assertEqual(_listening(self.start(port=port).pid), [port])

  def test_a_second_server_on_the_socket_is_refused(self):
    replay = self.start()
    writer = replay.writer()
    writer.insert(examples.unroll())
    with (
      mock.patch.object(private, "make_folder", return_value=replay._scratch),
      mock.patch.object(shutil, "rmtree"),
      self.assertRaisesRegex(ValueError, "is in use by another replay server"),
    ):
      owner.start_server(_config(), _spec())
    writer.close()
    self.assertEqual(replay.info().size, 1)

  def test_where_it_is_open_it_says_so(self):
    code = """
      import sys
      from adaland.agent.replay.reverb import private, server

      def fail():
        raise OSError("another build")

      private.make_private = fail
      server.main(__import__("json").loads(sys.argv[-1]))
    """
    popen = subprocess.Popen

    def start(command, **options):
      return popen(
        [sys.executable, "-c", textwrap.dedent(code), command[-1]], **options
      )

    with (
      mock.patch.object(subprocess, "Popen", start),
      self.assertLogs(level="WARNING") as logs,
    ):
      replay = self.start()
    self.assertRegex(logs.output[0], "open to every host .*: another build")
    port = int(replay.address.removeprefix("127.0.0.1:"))
    self.assertEqual(_listening(replay.pid), [port])

  def test_a_second_server_on_the_port_is_refused(self):
    port = _free_port()
    replay = self.start(port=port)
    with self.assertRaisesRegex(ValueError, f"Port {port} is in use"):
      owner.start_server(_config(port=port), _spec())
    writer = replay.writer()
    writer.insert(examples.unroll())
    writer.close()
    self.assertEqual(replay.info().size, 1)

  def test_a_port_that_someone_else_serves_is_refused(self):
    with socket.create_server(("", 0)) as other:
      port = other.getsockname()[1]
      with self.assertRaisesRegex(ValueError, f"Port {port} is in use"):
        owner.start_server(_config(port=port), _spec())

  def test_other_fields_are_refused_by_name_at_connection(self):
    replay = self.start()
    for connect in (
      lambda: client.ReverbWriter(replay.address, _spec(6)),
      lambda: client.ReverbSampler(replay.address, _spec(6), 2),
    ):
      with self.assertRaisesRegex(
        ValueError, r"observation\['entities'\] is .*\[6, .* but .*\[5, .*serv"
      ):
        connect()

  def test_no_server_is_a_timeout(self):
    port = _free_port()
    with self.assertRaisesRegex(TimeoutError, f"127.0.0.1:{port}"):
      connection.Connection(f"127.0.0.1:{port}", _spec(), timeout=0.5)

  def test_writer_and_sampler_survive_the_server_s_death(self):
    path = self.create_tempdir().full_path
    replay = self.start(path, capacity=8)
    writer, sampler = replay.writer(), replay.sampler()
    for number in range(4):
      writer.insert(examples.unroll(number))
    writer.settle(10.0)
    replay.checkpoint(path)
    first = replay.pid
    os.kill(first, signal.SIGKILL)
    start = time.monotonic()
    for number in range(4, 8):
      writer.insert(examples.unroll(number))
    writer.settle(10.0)
    self.assertNotEqual(replay.pid, first)
    self.assertEqual(replay.info().size, 8)
    seen = set()
    while seen != set(range(8)) and time.monotonic() - start < 120:
      seen |= set(sampler.sample(timeout=120).params_version.tolist())
    self.assertEqual(seen, set(range(8)))
    writer.close()
    sampler.close()

  def test_a_hung_server_is_killed_and_waited_for(self):
    path = self.create_tempdir().full_path
    replay = owner.start_server(_config(), _spec(), path, hung_seconds=5.0)
    self.addCleanup(replay.close)
    writer, sampler = replay.writer(), replay.sampler()
    writer.insert(examples.unroll(1))
    writer.settle(10.0)
    replay.checkpoint(path)
    first = replay.pid
    # Longer than the hang timeout, although it answers throughout.
    time.sleep(6.0)
    self.assertEqual(replay.restarts, 0)
    os.kill(first, signal.SIGSTOP)
    replay.checkpoint(path)  # Waits for the next one.
    self.assertNotEqual(replay.pid, first)
    self.assertEqual(replay.restarts, 1)
    writer.insert(examples.unroll(2))
    writer.settle(10.0)
    self.assertEqual(replay.info().size, 2)
    self._draw_new(sampler, 2)
    writer.close()
    sampler.close()

  def _draw_new(self, sampler, number):
    """Draws with short timeouts until a new unroll is seen."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
      with contextlib.suppress(TimeoutError):
        if number in sampler.sample(timeout=0.1).params_version:
          return
    self.fail(f"unroll {number} was not drawn")

  def test_a_checkpoint_waits_for_the_next_server(self):
    path = self.create_tempdir().full_path
    replay = self.start(path)
    writer = replay.writer()
    writer.insert(examples.unroll(1))
    writer.close()
    replay.checkpoint(path)
    os.kill(replay.pid, signal.SIGKILL)
    replay.checkpoint(path)
    self.assertEqual(replay.info().size, 1)

  def test_a_checkpoint_that_can_t_be_written_is_a_runtime_error(self):
    folder = self.create_tempdir().full_path
    replay = self.start(folder)
    full = IndexError("items.tfrecord; No space left on device")
    with (
      mock.patch.object(replay._connection, "client") as reverb,
      self.assertRaisesRegex(RuntimeError, "items.tfrecord; No space left"),
    ):
      reverb.Checkpoint.side_effect = full
      replay.checkpoint(folder)

  def test_a_checkpoint_goes_nowhere_else(self):
    folder = self.create_tempdir().full_path
    replay = self.start(folder)
    with self.assertRaisesRegex(
      ValueError, f"'/elsewhere', allowed: '{folder}'"
    ):
      replay.checkpoint("/elsewhere")

  def test_a_server_starts_with_its_last_checkpoint_of_the_same_table(self):
    path = self.create_tempdir().full_path
    replay = self.start(path)
    writer = replay.writer()
    writer.insert(examples.unroll(1))
    writer.close()
    replay.checkpoint(path)
    replay.close()
    self.assertEqual(self.start(path).info().size, 1)
    self.assertEqual(self.start(path, capacity=49).info().size, 0)

  def test_the_newest_is_the_last_one_though_the_clock_was_put_back(self):
    path = self.create_tempdir().full_path
    replay = self.start(path)
    writer = replay.writer()
    writer.insert(examples.unroll(1))
    writer.settle(10.0)
    replay.checkpoint(path)
    # Reverb names checkpoints by date and time; this one has a wrong clock.
    [name] = os.listdir(replay._root)
    os.rename(
      os.path.join(replay._root, name), os.path.join(replay._root, "2100")
    )
    writer.insert(examples.unroll(2))
    writer.close()
    replay.checkpoint(path)
    replay.close()
    self.assertEqual(self.start(path).info().size, 2)

  def test_a_broken_checkpoint_is_set_aside(self):
    path = self.create_tempdir().full_path
    replay = self.start(path)
    writer = replay.writer()
    writer.insert(examples.unroll(1))
    writer.close()
    replay.checkpoint(path)
    replay.close()
    for folder, _, files in os.walk(path):
      for file in files:
        if file.endswith(".tfrecord"):
          whole = os.path.join(folder, file)
          os.truncate(whole, os.path.getsize(whole) // 2)
    self.assertEqual(self.start(path).info().size, 0)
    self.assertLen([n for n in os.listdir(path) if "broken-1" in n], 1)

  def test_the_server_ends_with_its_owner(self):
    with tempfile.NamedTemporaryFile("w+") as file:
      code = textwrap.dedent(f"""
            import time
            from adaland.agent.replay import config, spec
            from adaland.agent.replay.reverb import owner
            from tests.agent.replay import examples
            replay = owner.start_server(
              config.ReplayConfig(batch_size=2),
              spec.UnrollSpec.from_unroll(examples.unroll()))
            with open({file.name!r}, 'w') as file:
              print(replay.pid, file=file)
            time.sleep(60)
          """)
      process = subprocess.Popen(
        [sys.executable, "-c", code],
      )
      deadline = time.monotonic() + 120
      text = ""
      while not text.endswith("\n") and time.monotonic() < deadline:
        time.sleep(0.05)
        with open(file.name) as again:
          text = again.read()
    server = int(text)
    process.kill()
    process.wait()
    while _alive(server) and time.monotonic() < deadline:
      time.sleep(0.05)
    self.assertFalse(_alive(server))

  def test_a_process_whose_sampler_waits_can_end(self):
    replay = self.start(min_size=5)
    result = _run(f"""
      from adaland.agent.replay import spec
      from adaland.agent.replay.reverb import client
      from tests.agent.replay import examples
      columns = spec.UnrollSpec.from_unroll(examples.unroll())
      sampler = client.ReverbSampler({replay.address!r}, columns, 2)
      try:
        sampler.sample(timeout=0.2)
      except TimeoutError:
        print('waited')
      sampler.close()
    """)
    self.assertEqual((result.returncode, result.stdout), (0, "waited\n"))

  def test_the_counts_are_read_from_the_server(self):
    replay = self.start(sampling="queue")
    writer, sampler = replay.writer(), replay.sampler()
    for number in range(2):
      writer.insert(examples.unroll(number))
    sampler.sample(timeout=60)
    for number in range(301):
      writer.insert(examples.unroll(number))
      if number % 2:
        sampler.sample(timeout=60)
    writer.close()
    info = replay.info()
    self.assertEqual(info.inserts, 303)
    self.assertBetween(info.samples, 302, 303)
    self.assertEqual(info.size, info.inserts - info.samples)
    sampler.close()


def _free_port():
  with socket.create_server(("", 0)) as server:
    return server.getsockname()[1]


def _listening(pid):
  """Returns the TCP ports that a process listens on, from /proc."""
  own = set()
  for name in os.listdir(f"/proc/{pid}/fd"):
    with contextlib.suppress(FileNotFoundError):
      own.add(os.readlink(f"/proc/{pid}/fd/{name}"))
  ports = set()
  for table in ("tcp", "tcp6"):
    with open(f"/proc/net/{table}") as file:
      for line in file.read().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == "0A" and f"socket:[{rest[5]}]" in own:
          ports.add(int(local.rsplit(":", 1)[1], 16))
  return sorted(ports)


def _alive(pid):
  try:
    with open(f"/proc/{pid}/stat") as file:
      return file.read().rsplit(")", 1)[1].split()[0] != "Z"
  except FileNotFoundError:
    return False


if __name__ == "__main__":
  absltest.main()
