"""Tests of the single-process trainer with physics that stays on a device.

They run on Warp's CPU device; the host does the same with an accelerator.
"""

import contextlib
import io
import multiprocessing
import os
import threading
import unittest
from unittest import mock

import jax.numpy as jnp
import pytest
from absl.testing import absltest

from adaland.launch import builder
from adaland.launch.acting import episode_records
from adaland.launch.run import progress, rundir
from adaland.launch.runtimes.single import preflight
from adaland.launch.runtimes.single.trainer import Trainer
from tests.envs.physics import backends
from tests.launch.runtimes.single import configs

# One process compiles Warp's kernels, and lends its worlds to all of these.
pytestmark = pytest.mark.xdist_group("warp")

_SETTINGS = (
  "env.backend=gpu",
  "env.device=cpu",
  "env.num_slots=6",
  "actor.envs_per_actor=2",
)


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class GpuTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(mock.patch.dict(os.environ))

    def make(backend, num_envs, num_slots, num_players, num_threads, device):
      self.assertEqual((backend, device), ("gpu", "cpu"))
      return backends.lend(self, num_envs, num_slots, num_players)

    self.enter_context(mock.patch("adaland.envs.physics.backends.make", make))

  def test_acting_waits_for_nothing_but_records(self):
    from tests.envs.physics import tracing

    config = configs.tiny(*_SETTINGS)
    made = builder.agent(config)
    cut, ended = [], []
    curriculum = builder.curriculum(config)
    actor = builder.device_actor(
      config,
      made,
      lambda: curriculum.next_tasks(1)[0],
      curriculum.report,
      lambda unrolls, num: cut.append(num),
      lambda number: None,
    )

    def add(self, time, row, *what):
      del self, what
      ended.append((time, row))

    def act() -> None:
      params = made.network.init(jnp.zeros(2, jnp.uint32))
      for _ in range(70):
        actor.step(params, 0)

    # Records are reported some steps later, when a trace has no values.
    with mock.patch.object(episode_records.EpisodeRecords, "add", add):
      tracing.trace(act)
    self.assertGreater(len(ended), 1)
    self.assertGreater(len(cut), 10)

  @contextlib.contextmanager
  def trainer(self, folder, *settings):
    config = configs.tiny(*_SETTINGS, *settings)
    preflight.prepare(config)
    run = rundir.RunDir(folder)
    with run.begin(config, ("run.max_steps",)):
      line = progress.Progress(io.StringIO())
      made = Trainer(config, run, line)
      try:
        yield made
      finally:
        made.close()

  def test_trains_on_prefetched_tasks_and_resumes_with_new_episodes(self):
    folder = os.path.join(self.create_tempdir().full_path, "run")
    before = set(threading.enumerate())
    with self.trainer(folder, "run.max_steps=200") as first:
      first.train()
      prefetcher = first._prefetcher
      assert prefetcher is not None
    counters = first.counters()
    self.assertGreater(counters["episodes"], 2)
    self.assertGreater(counters["updates"], 5)
    # The tasks taken, plus as many ahead as there are environments.
    drawn = first._curriculum.curriculum_metrics()["tasks_drawn"]
    self.assertEqual(drawn, prefetcher.taken + 2)
    self.assertGreater(prefetcher.taken, counters["episodes"])
    self.assertEmpty(multiprocessing.active_children())
    self.assertEmpty(set(threading.enumerate()) - before)
    with self.trainer(folder, "run.max_steps=260") as again:
      self.assertEqual(again.counters(), counters)
      again.train()
    self.assertGreater(again.counters()["episodes"], counters["episodes"])


if __name__ == "__main__":
  absltest.main()
