"""A control channel under test: a role that remembers, a server, clients."""

import threading
import time

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.envs.tasks import literals
from adaland.envs.tasks import task as task_lib
from adaland.launch.runtimes import socket_client, socket_rpc

_TASK = task_lib.Task(
  task_lib.World(),
  (),
  (task_lib.PlayerSpec(literals.parse_literal("see(player1, black cube)")),),
)


class FakeRole:
  """Hands out numbered assignments and remembers what it is told."""

  def __init__(self):
    self.lock = threading.Lock()
    self.given = 0
    self.records = []
    self.fails = False
    self.steps = 0
    self.unrolls = []

  def next_tasks(self, n):
    with self.lock:
      first = self.given
      self.given += n
      return [base.Assignment(first + i, _TASK, True) for i in range(n)]

  def report(self, record):
    with self.lock:
      if self.fails:
        raise KeyError(record.key)
      self.records.append(record)

  def count_steps(self, steps):
    with self.lock:
      self.steps += steps

  def insert_encoded(self, data):
    with self.lock:
      self.unrolls.append(data)


def record(key):
  """An episode's."""
  return base.EpisodeRecord(key, True, np.zeros(2, np.float32), 0.0, 0.0, 0.0)


def until(condition, seconds=10.0):
  """Waits until a condition holds."""
  deadline = time.monotonic() + seconds
  while not condition():
    if time.monotonic() > deadline:
      raise AssertionError("did not come true in time")
    time.sleep(0.005)


class ControlCase(absltest.TestCase):
  """Tests get `role`, `publisher`, `server` and `make_client`."""

  def setUp(self):
    super().setUp()
    self.role = FakeRole()
    self.publisher = socket_rpc.Publisher()
    self.server = socket_rpc.Server(self.role, self.publisher)
    self.addCleanup(self.server.close)

  def make_client(self):
    """Returns another actor's end."""
    client = socket_client.Client(self.server.address, self.server.key, 0.01)
    self.addCleanup(client.close)
    return client
