"""Tests of how the Reverb server's owner starts it, without Reverb."""

import itertools
import os
import subprocess
import sys
import time
from unittest import mock

from absl.testing import absltest

from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.reverb import connection, owner, server_process
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples

_LATE = TimeoutError("No replay server at unix:/x for 10 s.")


def _start():
  config = ReplayConfig(kind="reverb", capacity=50, batch_size=2)
  return owner.start_server(config, UnrollSpec.from_unroll(examples.unroll()))


class StartTest(absltest.TestCase):
  """Tests with a small program in place of the server."""

  def setUp(self):
    super().setUp()
    self.processes: list[subprocess.Popen] = []
    self.address = "unix:/x"
    self.started = self.enter_context(
      mock.patch.object(server_process, "start", side_effect=self.start)
    )

  def start(self, *_):
    process = subprocess.Popen(
      [sys.executable, "-c", "import sys; sys.stdin.read()"],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
    )
    self.addCleanup(process.kill)
    self.processes.append(process)
    return process, self.address

  def connect(self, *answers):
    """Makes connections that are as given, the last one again and again."""
    answers = itertools.chain(answers, itertools.repeat(answers[-1]))
    self.enter_context(
      mock.patch.object(connection, "Connection", side_effect=answers)
    )

  def test_a_server_that_does_not_answer_in_time_is_stopped(self):
    for answers in ([_LATE], [mock.Mock(), _LATE]):
      self.connect(*answers)
      # Not an OSError, which would be the user's mistake.
      with self.assertRaisesRegex(RuntimeError, "^No replay server at unix:/x"):
        _start()
      self.assertIsNotNone(self.processes[-1].returncode)
      *_, scratch = self.started.call_args.args
      self.assertFalse(os.path.exists(scratch))

  def test_it_is_restarted_at_its_address(self):
    self.connect(mock.Mock())
    for address, port in (("unix:/x", 0), ("127.0.0.1:4711", 4711)):
      self.address = address
      replay = _start()
      self.addCleanup(replay.close)
      with self.assertLogs(level="WARNING"):
        self.processes[-1].kill()
        deadline = time.monotonic() + 60
        while not replay.restarts and time.monotonic() < deadline:
          time.sleep(0.01)
      _, _, asked, _, _ = self.started.call_args.args
      self.assertEqual((asked, replay.restarts), (port, 1))
      replay.close()

  def test_a_restart_is_an_answer(self):
    silent = {"answers.return_value": False, "renew.return_value": False}
    self.connect(mock.Mock(), mock.Mock(**silent), _LATE)
    replay = _start()
    self.addCleanup(replay.close)
    before = replay.answered
    with self.assertLogs(level="WARNING") as logs:
      self.processes[0].kill()
      deadline = time.monotonic() + 60
      while len(logs.output) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    self.assertIn("died (-9); restarting it", logs.output[0])
    self.assertIn("No replay server at unix:/x", logs.output[1])
    self.assertIsNone(self.processes[1].poll())
    self.assertGreater(replay.answered, before)
    self.assertEqual(replay.restarts, 1)


if __name__ == "__main__":
  absltest.main()
