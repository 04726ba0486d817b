"""Tests specific to the Reverb store; see also contract_test, reach_test."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from unittest import mock

from absl.testing import absltest

from adaland.agent.replay.reverb import owner
from tests.agent.replay import examples
from tests.agent.replay.reverb import servers


def _run(code, timeout=600):
  """Runs a program in a new process; returns its output."""
  return subprocess.run(
    [sys.executable, "-c", textwrap.dedent(code)],
    capture_output=True,
    text=True,
    timeout=timeout,
    check=False,
  )


class ReverbReplayTest(servers.TestCase):
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

  def test_a_server_outlives_a_sigterm_to_all_processes_of_a_run(self):
    replay = self.start()
    writer = replay.writer()
    writer.insert(examples.unroll(0))
    writer.settle(10.0)
    os.kill(replay.pid, signal.SIGTERM)
    writer.insert(examples.unroll(1))
    writer.settle(10.0)
    writer.close()
    self.assertEqual((replay.info().size, replay.restarts), (2, 0))

  def test_a_hung_server_is_killed_and_waited_for(self):
    path = self.create_tempdir().full_path
    replay = owner.start_server(
      servers.config(), servers.spec(), path, hung_seconds=5.0
    )
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


def _alive(pid):
  try:
    with open(f"/proc/{pid}/stat") as file:
      return file.read().rsplit(")", 1)[1].split()[0] != "Z"
  except FileNotFoundError:
    return False


if __name__ == "__main__":
  absltest.main()
