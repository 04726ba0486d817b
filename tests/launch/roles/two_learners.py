"""A learner and a learner worker, with a model that counts."""

import os
import threading
import types
from typing import Any, NamedTuple

import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.replay.spec import UnrollSpec
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import (
  learner_group,
  learner_state,
  learner_worker,
  parameters,
  role,
  unroll_store,
)
from adaland.launch.roles.learner import Learner, jax_processes
from adaland.launch.run import rundir
from tests.agent.replay import examples
from tests.launch.roles import fakes

SPEC = UnrollSpec.from_unroll(examples.unroll())
_SECONDS = 60.0


class State(NamedTuple):
  """A learner's state."""

  target_params: Any


class _Curriculum:
  """A curriculum server with a state."""

  def state(self):
    return {"played": {"env_steps": 60}, "seconds": 2.5}


class _Sampler:
  """A sampler of a given number of batches of two unrolls."""

  def __init__(self, first, batches):
    self.first, self.batches = first, batches
    self.closed = False

  def sample(self, timeout=None):
    if not self.batches:
      raise TimeoutError
    self.batches -= 1
    self.first += 1
    rows = [examples.unroll(self.first)] * 2
    return jax.tree.map(lambda *x: np.stack(x), *rows)

  def close(self):
    self.closed = True


class ExitError(Exception):
  """The end of a process."""


class TestCase(absltest.TestCase):
  """A test of both."""

  def setUp(self):
    super().setUp()
    self.folder = os.path.join(self.create_tempdir().full_path, "run")
    self.config = overrides.apply(
      preset_configs.smoke(), ["replay.batch_size=4", "cluster.num_learners=2"]
    )
    rundir.RunDir(self.folder).begin(self.config).close()
    self.setup = role.Setup(self.config, self.folder, num_learners=2)
    learner = types.SimpleNamespace(
      init=lambda key: State({"w": np.zeros((), np.float32)}),
      load=lambda state: state,
      update=lambda state, batch, progress: (
        State({"w": np.float32(state.target_params["w"] + 1)}),
        {"loss/total": np.float32(batch.params_version.sum())},
      ),
    )
    self.joined: list[tuple[Any, ...]] = []
    self.samplers: dict[int, _Sampler] = {}
    self.left: list[str] = []
    for target, name, value in (
      (
        learner_state.builder,
        "agent",
        lambda config: types.SimpleNamespace(network=None),
      ),
      (learner_state.builder, "learner", lambda config, network: learner),
      (learner_state.builder, "unroll_spec", lambda config, made: SPEC),
      (learner_state, "SAMPLE_SECONDS", 0.01),
      (learner_group, "_ASK_SECONDS", 0.01),
      (learner_worker, "_JOIN_SECONDS", 0.001),
      (learner_worker, "_WATCH_SECONDS", 0.001),
      (learner_worker, "_CHECKPOINT_SECONDS", 0.01),
      (learner_worker, "_LOOK_SECONDS", 0.001),
      (
        learner_state.multihost_utils,
        "process_allgather",
        lambda tree, tiled: jax.tree.map(
          lambda x: np.concatenate([x, x]), tree
        ),
      ),
      (
        jax_processes,
        "join",
        lambda *args: self.joined.append(args),
      ),
      (jax_processes, "wait_for_all", lambda name: None),
      (role, "exit_process", self.exit_process),
    ):
      self.enter_context(absltest.mock.patch.object(target, name, value))
    self.enter_context(
      absltest.mock.patch.object(
        learner_worker.replay_server,
        "sampler",
        lambda *args: self.samplers[1],
      )
    )
    self.enter_context(
      absltest.mock.patch.object(
        unroll_store.UnrollStore, "sampler", lambda *args: self.samplers[0]
      )
    )

  def exit_process(self, reason):
    self.left.append(reason)
    raise ExitError

  def make(self, batches):
    """Makes the two roles, with samplers of given numbers of batches."""
    for rank, each in enumerate(batches):
      self.samplers[rank] = _Sampler(10 * rank, each)
    server = fakes.Peer(parameters.ParameterServer(self.setup))
    peers = fakes.Peer(None), fakes.Peer(None)
    replay: Any = types.SimpleNamespace(checkpoint=lambda: "")
    leader = Learner(
      self.setup,
      server,
      fakes.Peer(_Curriculum()),
      fakes.Peer(replay),
      [peers[1]],
      fakes.Store(),
    )
    worker = learner_worker.LearnerWorker(1, self.setup, server, peers[0])
    peers[0].role, peers[1].role = leader, worker
    return leader, worker

  def run_both(self, *roles):
    """Starts roles; returns their results by name, filled in as they end."""
    given: dict[str, Any] = {}
    threads = [
      threading.Thread(
        target=lambda made=made: given.update({made.name: made.run()}),
        daemon=True,
      )
      for made in roles
    ]
    for thread in threads:
      thread.start()
    return given, threads

  def wait(self, until):
    deadline = threading.Event()
    for _ in range(int(_SECONDS / 0.01)):
      if until():
        return
      deadline.wait(0.01)
    self.fail("it took too long")

  def end(self, threads):
    for thread in threads:
      thread.join(_SECONDS)
      self.assertFalse(thread.is_alive())
