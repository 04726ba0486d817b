"""Tests that runtimes/deploy's files agree with each other, the code and Ray.

There is no cluster to run them on. ray_hosts_test runs the Slurm script with
stand-ins for Slurm's commands.
"""

import pathlib
import re
import shlex
import subprocess
import sys
from typing import Any

import yaml
from absl.testing import absltest

from adaland.launch import errors, train
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.runtimes import ray_cluster

_ROOT = pathlib.Path(__file__).parents[3]
_FOLDER = _ROOT / "launch" / "runtimes" / "deploy"


def _ray_version() -> str:
  """Returns the version that --launcher=ray asks for."""
  with absltest.mock.patch.dict(sys.modules, {"ray": None}):
    try:
      ray_cluster.require()
    except errors.UserError as error:
      return str(error).split("ray==")[1]
  raise AssertionError("Ray was found although it is not there.")


def _config(command: str) -> ExperimentConfig:
  """Returns the flags of a command line of launch.train."""
  module = "launch.train"
  words = shlex.split(command)
  args = train.make_parser().parse_args(words[words.index(module) + 1 :])
  assert args.launcher == "ray"
  return train.choose_config(args)


class KubernetesTest(absltest.TestCase):
  documents: dict[str, dict[str, Any]]

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    text = (_FOLDER / "kuberay.yaml").read_text()
    cls.documents = {d["kind"]: d for d in yaml.safe_load_all(text)}

  def setUp(self):
    super().setUp()
    self.job = self.documents["RayJob"]["spec"]
    self.cluster = self.job["rayClusterSpec"]
    self.workers = {
      group["groupName"]: group for group in self.cluster["workerGroupSpecs"]
    }
    self.pods = [
      group["template"]["spec"]
      for group in (self.cluster["headGroupSpec"], *self.workers.values())
    ]

  def limits(self, group):
    (container,) = self.workers[group]["template"]["spec"]["containers"]
    resources = container["resources"]
    self.assertEqual(resources["limits"], resources["requests"])
    return resources["limits"]

  def test_every_part_is_there_in_one_namespace(self):
    self.assertEqual(
      {kind: d["apiVersion"] for kind, d in self.documents.items()},
      {
        "PersistentVolumeClaim": "v1",
        "NetworkPolicy": "networking.k8s.io/v1",
        "RayJob": "ray.io/v1",
      },
    )
    namespaces = {d["metadata"]["namespace"] for d in self.documents.values()}
    self.assertEqual(namespaces, {"adaland"})

  def test_versions_are_those_that_are_pinned(self):
    version = _ray_version()
    self.assertEqual(self.cluster["rayVersion"], version)
    dockerfile = (_FOLDER / "Dockerfile").read_text()
    self.assertIn(f'"ray[default]=={version}"', dockerfile)
    self.assertIn("\nFROM python:3.11-slim", dockerfile)
    for name in ("kuberay.yaml", "slurm.sbatch"):
      text = " ".join((_FOLDER / name).read_text().split())
      self.assertRegex(text, rf"Ray {version}( #)? on (# )?Python 3.11")

  def test_strangers_are_kept_out(self):
    self.assertEqual(self.cluster["authOptions"], {"mode": "token"})
    policy = self.documents["NetworkPolicy"]["spec"]
    self.assertEqual(policy["podSelector"], {})
    own, operator = policy["ingress"]
    # Without a namespaceSelector: of this namespace only.
    self.assertEqual(own, {"from": [{"podSelector": {}}]})
    self.assertEqual(operator["ports"], [{"port": 8265}])

  def test_all_pods_run_the_same_image_and_see_the_run(self):
    experiment = train.make_parser().parse_args(
      shlex.split(self.job["entrypoint"])[3:]
    )
    for pod in self.pods:
      (container,) = pod["containers"]
      self.assertEqual(
        container["image"], self.pods[0]["containers"][0]["image"]
      )
      (mount,) = container["volumeMounts"]
      (volume,) = pod["volumes"]
      self.assertEqual(mount["name"], volume["name"])
      claim = volume["persistentVolumeClaim"]["claimName"]
      stored = self.documents["PersistentVolumeClaim"]
      self.assertEqual(claim, stored["metadata"]["name"])
      self.assertEqual(stored["spec"]["accessModes"], ["ReadWriteMany"])
      self.assertTrue(experiment.workdir.startswith(mount["mountPath"] + "/"))
      self.assertIn(
        {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"}, container["env"]
      )

  def test_the_roles_of_the_run_fill_the_pods_exactly(self):
    experiment = _config(self.job["entrypoint"])
    takes = experiment.cluster
    self.assertEqual(
      self.cluster["headGroupSpec"]["rayStartParams"], {"num-cpus": "0"}
    )
    learner = self.limits("learner")
    self.assertEqual(self.workers["learner"]["replicas"], 1)
    # No room is left there for an actor, which would slow down the learner.
    self.assertEqual(
      float(learner["cpu"]),
      takes.learner_cpus + takes.replay_cpus + takes.evaluator_cpus,
    )
    self.assertEqual(int(learner["nvidia.com/gpu"]), takes.learner_gpus)
    self.assertEqual(
      self.workers["actors"]["replicas"] * float(self.limits("actors")["cpu"]),
      experiment.actor.num_actors * takes.actor_cpus,
    )


class SlurmTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.text = (_FOLDER / "slurm.sbatch").read_text()

  def test_it_is_a_script_of_bash(self):
    done = subprocess.run(
      ["bash", "-n", str(_FOLDER / "slurm.sbatch")],
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual((done.returncode, done.stderr), (0, ""))

  def test_its_example_is_a_command_of_ours(self):
    example = re.search(
      r"sbatch --nodes=\d+ launch/runtimes/deploy/slurm.sbatch (.*?)\n#\n",
      self.text,
      re.DOTALL,
    )
    assert example
    flags = example[1].replace("\\\n#", " ")
    experiment = _config(f"launch.train --launcher=ray {flags}")
    self.assertEqual(experiment.actor.num_actors, 32)

  def test_it_asks_slurm_for_time_to_write_a_checkpoint(self):
    options = re.findall(r"^#SBATCH (--\S+)$", self.text, re.MULTILINE)
    self.assertIn("--signal=B:TERM@600", options)
    self.assertIn("--requeue", options)
    # Slurm reads them only before the first command.
    before = self.text.split("set -euo pipefail")[0]
    self.assertEqual(before.count("\n#SBATCH"), self.text.count("#SBATCH"))


if __name__ == "__main__":
  absltest.main()
