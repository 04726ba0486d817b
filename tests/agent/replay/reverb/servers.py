"""Reverb servers of small stores."""

import dataclasses
import importlib.util
import socket
import unittest

from absl.testing import absltest

from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.reverb import owner
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples

_INSTALLED = importlib.util.find_spec("reverb") is not None
_WHY = "Reverb is not installed: THE STORE BETWEEN PROCESSES IS NOT TESTED."


def spec(length=5):
  return UnrollSpec.from_unroll(examples.unroll(length=length))


def config(**values):
  base = ReplayConfig(
    kind="reverb", capacity=50, batch_size=2, insert_timeout=10.0
  )
  return dataclasses.replace(base, **values)


def free_port():
  with socket.create_server(("", 0)) as server:
    return server.getsockname()[1]


@unittest.skipUnless(_INSTALLED, _WHY)
class TestCase(absltest.TestCase):
  """A test with real servers."""

  def start(self, checkpoint_dir=None, **values):
    replay = owner.start_server(config(**values), spec(), checkpoint_dir)
    self.addCleanup(replay.close)
    return replay
