"""Tests of a whole run on a Ray cluster, and of requests for too much.

The run has a user's own memory, curriculum, environment and tasks.
"""

import io
import json
import os
import pathlib
import sys
import unittest

import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import factory
from adaland.launch import errors, train
from adaland.launch.config import factories, overrides, preset_configs
from adaland.launch.evaluation import trained_agent
from adaland.launch.recipes import extensions, recipe
from adaland.launch.run import progress, rundir, status_file
from adaland.launch.runtimes import driver, ray_cluster
from adaland.launch.runtimes.ray import RayRuntime
from tests.launch.recipes import own_module

# One process has the module's cluster: a second one would not start in it.
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("ray")]


def setUpModule():
  unittest.addModuleCleanup(ray_cluster.Cluster("", "adaland-test").stop)


class TrainTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    import ray

    class Shared:
      """The module's cluster, which stays for other tests; roles end."""

      def __init__(self, address, namespace):
        del address, namespace

      def stop(self):
        for name in ray.util.list_named_actors():
          ray.kill(ray.get_actor(name))

    self.enter_context(
      absltest.mock.patch.object(ray_cluster, "Cluster", Shared)
    )
    self.stream = io.StringIO()

  def own_parts(self):
    """Returns a config with a user's own parts, and the folder of their module.

    Like the command, it lets all processes import the module.
    """
    folder = pathlib.Path(self.create_tempdir().full_path)
    own_module.write(folder)
    self.enter_context(absltest.mock.patch.dict(os.environ))
    self.enter_context(
      absltest.mock.patch.object(sys, "path", [*sys.path, str(folder)])
    )
    self.addCleanup(sys.modules.pop, own_module.NAME, None)
    config = recipe.load(own_module.FACTORIES["recipe"])
    extensions.check(config)
    return config, folder

  def make(self, config, *settings, address=""):
    config = overrides.apply(config, ["cluster.eval_minutes=0", *settings])
    run = rundir.RunDir(os.path.join(self.create_tempdir().full_path, "run"))
    lock = run.begin(config)
    self.addCleanup(lock.close)
    line = progress.Progress(self.stream, 0.0)
    made = driver.Trainer(config, run, line, RayRuntime(address))
    self.addCleanup(made.close)
    return made, run

  def test_a_run(self):
    config, folder = self.own_parts()
    made, run = self.make(config, "run.max_steps=400", "run.max_minutes=0")
    made.train()
    used = own_module.used(folder)
    self.assertEqual(
      set(used), {"memory", "curriculum", "environment", "tasks"}
    )
    # This process has tried the parts; learner and actor have used them.
    self.assertGreaterEqual(len(used["memory"]), 3)
    self.assertGreaterEqual(len(used["environment"]), 2)
    self.assertLen(used["curriculum"], 1)
    self.assertEmpty(used["environment"] & used["curriculum"])
    self.assertEqual(
      trained_agent.load_config(str(run.path), own_parts=True).factories,
      factories.FactoriesConfig(**own_module.FACTORIES),
    )
    counters = made.counters()
    self.assertGreaterEqual(counters["env_steps"], 400)
    self.assertGreater(counters["updates"], 0)
    self.assertEqual(checkpoint.steps(run.checkpoints)[-1], counters["updates"])
    left = trained_agent.load(str(run.path), own_parts=True)
    self.assertBetween(left.training.env_steps, 400, counters["env_steps"])
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    row = json.loads(lines[-1])
    self.assertEqual(row["env_steps"], counters["env_steps"])
    for name in (
      "actor/steps_per_s",
      "learner/wait_share",
      "params_lag",
      "loss/total",
      "reward/episode",
    ):
      self.assertTrue(any(name in json.loads(line) for line in lines), name)
    status = status_file.read(run)
    self.assertEqual((status["launcher"], status["state"]), ("ray", "ended"))
    self.assertEqual(status["roles"]["actor 0"]["restarts"], 0)
    again = driver.Trainer(
      config,
      run,
      progress.Progress(self.stream, 0.0),
      RayRuntime(),
    )
    self.addCleanup(again.close)
    again.train()  # Finished: nothing is started.
    found = again.counters()
    self.assertGreaterEqual(found.pop("seconds"), counters.pop("seconds"))
    self.assertEqual(found, counters)

  def test_what_no_machine_has(self):
    made, _ = self.make(
      preset_configs.smoke(),
      "cluster.learner_cpus=100000",
      "cluster.ready_seconds=1",
      address="x:1",
    )
    with_server = factory.resolve_kind("auto") == "reverb"
    with self.assertRaisesRegex(
      errors.UserError,
      f"no machine of the cluster has {100_000 + with_server} CPU",
    ):
      made.train()


class CommandTest(absltest.TestCase):
  def test_bad_flags(self):
    folder = os.path.join(self.create_tempdir().full_path, "run")
    for flags, reason in (
      (("--ray_address=auto",), "--ray_address: only with launcher ray"),
      (
        ("--launcher=ray", "--ray_address=x"),
        "--ray_address=x: allowed: HOST:PORT",
      ),
      (("--launcher=rai",), "did you mean 'ray'?"),
    ):
      error = io.StringIO()
      with absltest.mock.patch.object(train.cli.sys, "stderr", error):
        code = train.main([f"--workdir={folder}", "--preset=smoke", *flags])
      self.assertEqual(code, 2)
      self.assertIn(reason, error.getvalue())


if __name__ == "__main__":
  absltest.main()
