"""Tests training on several hosts: two learn, and one of the others is cut off.

The Slurm script makes the cluster, with stand-ins for Slurm's own commands, so
this tests the script too.
"""

import shutil
import tempfile

import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import factory
from adaland.launch.bench.lib import live_run
from tests.launch.runtimes import fake_slurm, hosts, slow_land

_HOSTS = 4
_CPUS = 2
_SETTINGS = (
  *slow_land.SETTINGS,
  # The first learner and the replay server fill one host, each actor another;
  # the second learner leaves no room for an actor.
  "cluster.num_learners=2",
  "cluster.learner_cpus=1",
  "cluster.replay_cpus=1",
  "actor.num_actors=2",
  f"cluster.actor_cpus={_CPUS}",
  "cluster.eval_minutes=0",
  "run.max_steps=0",
  "run.max_minutes=60",
  "run.log_seconds=0.5",
  "run.eval_tasks=0",
)
# A host that does not answer for some ten seconds counts as lost; Ray's default
# is almost a minute.
_RAY = {
  "RAY_health_check_initial_delay_ms": "1000",
  "RAY_health_check_period_ms": "1000",
  "RAY_health_check_timeout_ms": "2000",
  "RAY_health_check_failure_threshold": "4",
  # With Ray's own 15, the roles would hardly run next to other tests.
  "RAY_worker_niceness": "0",
  "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": "100000000",
}
_SECONDS = 400.0


@pytest.mark.faults
@pytest.mark.long(seconds=120)
class HostsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    reason = hosts.missing_rights()
    if reason:
      self.skipTest(f"several hosts need network namespaces: {reason}")
    if factory.resolve_kind("auto") != "reverb":
      self.skipTest("Reverb is not installed; its wheels are for Python 3.11")
    self.folder = self.enter_context(
      tempfile.TemporaryDirectory(prefix="adaland-hosts-")
    )

  def make(self):
    """Makes hosts and a run on them that is not started yet."""
    self.network = self.enter_context(hosts.Network(_HOSTS))
    job = fake_slurm.environment(self.folder, self.network.hosts, _CPUS)
    ray_folder = f"/tmp/ray-{job['SLURM_JOB_ID']}"
    self.addCleanup(shutil.rmtree, ray_folder, ignore_errors=True)
    self.training = live_run.LiveRun(
      f"{self.folder}/run",
      _SETTINGS,
      command=self.network.hosts[0].command(["bash", fake_slurm.SCRIPT]),
      env=_RAY | job,
    )
    self.addCleanup(self.training.crash)

  def host_of(self, pid):
    """Returns the index of the host that a process runs on."""
    (index,) = (
      i for i, h in enumerate(self.network.hosts) if pid in h.processes()
    )
    return index

  def test_two_learn_and_a_host_is_cut_off_and_comes_back(self):
    self.make()
    self.training.start()
    seen, _ = self.training.wait(
      "a run at work",
      lambda s: all(s.pids.values()) and s.counters["updates"] > 3,
      _SECONDS,
    )
    places = {name: self.host_of(pid) for name, pid in seen.pids.items()}
    # The servers are on the first learner's host, the others on their own.
    home = places["learner"]
    for name in ("replay", "server", "curriculum", "parameters"):
      self.assertEqual(places[name], home, name)
    others = ("learner 1", "actor 0", "actor 1")
    self.assertLen({home, *(places[name] for name in others)}, _HOSTS)
    self.assertEqual(seen.roles["learner"]["processes"], 2)
    # The first host has Ray's head node and the command.
    name = "actor 0" if places["actor 0"] != 0 else "actor 1"
    other = "actor 1" if name == "actor 0" else "actor 0"
    self.assertNotEqual(places[name], 0)
    self.network.cut(places[name])
    seen, _ = self.training.wait(
      "silence", lambda s: s.roles[name]["heartbeat_age_s"] > 15, _SECONDS
    )
    # Training continues with the other.
    during, _ = self.training.wait(
      "training without it",
      lambda s, then=seen.counters: (
        s.counters["env_steps"] > then["env_steps"] + 200
        and s.counters["updates"] > then["updates"] + 3
      ),
      _SECONDS,
    )
    self.assertEqual(during.pids[other], seen.pids[other])
    self.network.mend(places[name])
    after, seconds = self.training.wait(
      "its return",
      lambda s: (
        s.pids[name] not in (0, seen.pids[name])
        and s.roles[name]["steps_per_s"] > 0
      ),
      _SECONDS,
    )
    print(f"back at work {seconds:.1f} s after it was on the network again")
    self.assertEqual(self.host_of(after.pids[name]), places[name])
    for role in (
      "learner",
      "learner 1",
      "replay",
      "server",
      "curriculum",
      "parameters",
      other,
    ):
      self.assertEqual(after.pids[role], seen.pids[role], role)
    # This is how Slurm asks a job to end.
    self.assertEqual(self.training.stop(_SECONDS), 0)
    rows = self.training.rows()
    for counter in (*live_run.COUNTERS, "updates"):
      self.assertTrue(np.all(np.diff([row[counter] for row in rows]) >= 0))
    losses = [row["loss/total"] for row in rows if "loss/total" in row]
    self.assertNotEmpty(losses)
    self.assertNotIn(None, losses)
    saved = checkpoint.steps(self.training.path / "checkpoints")[-1]
    self.assertGreaterEqual(saved, after.counters["updates"])


if __name__ == "__main__":
  absltest.main()
