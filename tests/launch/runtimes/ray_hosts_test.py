"""Training on several hosts: two learn and die, another host is cut off.

The Slurm script makes the cluster, with stand-ins for Slurm's own commands, so
the script is tested too. Where no hosts can be made, the two learn on this
machine. In the end the run is continued by one learner, under `local`.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import factory
from adaland.launch.bench.lib import live_run
from adaland.launch.evaluation import trained_agent
from tests.launch.runtimes import fake_slurm, hosts, slow_land

_HOSTS = 4
_CPUS = 2
_SECONDS = 400.0
_LEARNERS = ("learner", "learner 1")
_SETTINGS = (
  *slow_land.SETTINGS,
  "cluster.num_learners=2",
  "cluster.eval_minutes=0",
  "run.max_steps=0",
  "run.max_minutes=60",
  "run.log_seconds=0.5",
  "run.checkpoint_minutes=0.05",
  "run.eval_tasks=0",
)
_PLACES = (
  # The first learner and the replay server fill one host, each actor another;
  # the second learner leaves no room for an actor.
  "cluster.learner_cpus=1",
  "cluster.replay_cpus=1",
  "actor.num_actors=2",
  f"cluster.actor_cpus={_CPUS}",
  # On a busy machine hosts take their time to join.
  f"cluster.ready_seconds={_SECONDS}",
)
# A host that does not answer for some ten seconds counts as lost; Ray's default
# is almost a minute.
_RAY = {
  "RAY_health_check_initial_delay_ms": "1000",
  "RAY_health_check_period_ms": "1000",
  "RAY_health_check_timeout_ms": "2000",
  "RAY_health_check_failure_threshold": "4",
  # With Ray's own 15, the roles would hardly run beside other tests.
  "RAY_worker_niceness": "0",
  "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": "100000000",
}


@pytest.mark.long(seconds=200)
class HostsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    if factory.resolve_kind("auto") != "reverb":
      self.skipTest(
        "several learners need Reverb, whose wheels are for Python 3.11"
      )
    self.folder = self.enter_context(
      tempfile.TemporaryDirectory(prefix="adaland-hosts-")
    )
    self.network = None
    reason = hosts.missing_rights()
    if reason:
      print(f"SEVERAL HOSTS ARE NOT TESTED: {reason}")
      self.settings = _SETTINGS
      self.training = live_run.LiveRun(f"{self.folder}/run", self.settings)
    else:
      self.settings = (*_SETTINGS, *_PLACES)
      self.network = self.enter_context(hosts.Network(_HOSTS))
      job = fake_slurm.environment(self.folder, self.network.hosts, _CPUS)
      ray_folder = f"/tmp/ray-{job['SLURM_JOB_ID']}"
      self.addCleanup(shutil.rmtree, ray_folder, ignore_errors=True)
      self.training = live_run.LiveRun(
        f"{self.folder}/run",
        self.settings,
        command=self.network.hosts[0].command(["bash", fake_slurm.SCRIPT]),
        env=_RAY | job,
      )
    self.addCleanup(self.training.crash)

  def at_work(self, since: live_run.Seen | None = None) -> live_run.Seen:
    """Waits until all have a process and the learners have made updates."""
    least = since.counters["updates"] if since else 0
    seen, _ = self.training.wait(
      "all at work",
      lambda s: (
        all(s.pids.values())
        and s.counters["updates"] > least + 3
        and s.roles["learner"].get("updates_per_s", 0) > 0
      ),
      _SECONDS,
    )
    return seen

  def host_of(self, pid: int) -> int:
    """Returns the index of the host that a process runs on."""
    assert self.network is not None
    (index,) = (
      i for i, h in enumerate(self.network.hosts) if pid in h.processes()
    )
    return index

  def cut_an_actor_off(self, seen: live_run.Seen) -> live_run.Seen:
    """Cuts an actor's host off and reconnects it."""
    assert self.network is not None
    places = {name: self.host_of(pid) for name, pid in seen.pids.items()}
    # The servers are with the first learner, and the others on their own hosts.
    home = places["learner"]
    for name in ("replay", "server", "curriculum", "parameters"):
      self.assertEqual(places[name], home, name)
    others = ("learner 1", "actor 0", "actor 1")
    self.assertLen({home, *(places[name] for name in others)}, _HOSTS)
    # The first host has Ray's head and the command.
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
    self.check_untouched(seen, after, (name,))
    return after

  def kill_a_learner(self, before: live_run.Seen) -> live_run.Seen:
    """Kills one learner; both are replaced and form a new group."""
    start = time.monotonic()
    os.kill(before.pids["learner 1"], signal.SIGKILL)
    _, seconds = self.training.wait(
      "others in both places",
      lambda s: all(
        s.pids[each] not in (0, before.pids[each]) for each in _LEARNERS
      ),
      _SECONDS,
    )
    after = self.at_work(before)
    print(
      f"learner 1: others were seen after {seconds:.1f} s, both at work after "
      f"{time.monotonic() - start:.1f} s"
    )
    self.check_untouched(before, after, _LEARNERS)
    for counter in (*live_run.COUNTERS, "updates"):
      self.assertGreater(after.counters[counter], before.counters[counter])
    return after

  def check_untouched(self, before, after, replaced):
    """Checks that all other roles have the processes that they had."""
    for name in set(before.pids) - set(replaced):
      self.assertEqual(after.pids[name], before.pids[name], name)

  def continue_alone(self, max_steps: float) -> int:
    """Continues the run with one learner; returns the updates of its end."""
    settings = [*self.settings, f"run.max_steps={int(max_steps)}"]
    subprocess.run(
      [
        *(sys.executable, "-m", "adaland.launch.train", "--preset=smoke"),
        *(f"--workdir={self.training.path}", "--set", *settings),
      ],
      timeout=_SECONDS,
      check=True,
    )
    return checkpoint.steps(self.training.path / "checkpoints")[-1]

  def test_a_run_of_two_learners(self):
    self.training.start()
    seen = self.at_work()
    self.assertEqual(seen.roles["learner"]["processes"], 2)
    self.assertEqual(seen.roles["learner"]["devices"], 2)
    if self.network is not None:
      seen = self.cut_an_actor_off(seen)
    seen = self.kill_a_learner(seen)
    # Told to stop (as Slurm asks a job to end) when the one that leads is gone,
    # it still ends.
    os.kill(seen.pids["learner"], signal.SIGKILL)
    self.assertEqual(self.training.stop(_SECONDS), 0)
    self.training.await_gone(_SECONDS)
    rows = self.training.rows()
    for counter in (*live_run.COUNTERS, "updates"):
      self.assertTrue(np.all(np.diff([row[counter] for row in rows]) >= 0))
    losses = [row["loss/total"] for row in rows if "loss/total" in row]
    self.assertNotEmpty(losses)
    self.assertNotIn(None, losses)
    updates = checkpoint.steps(self.training.path / "checkpoints")[-1]
    agent = trained_agent.load(str(self.training.path), own_parts=True)
    self.assertEqual(agent.training.updates, updates)
    steps = rows[-1]["env_steps"] + 200
    self.assertGreater(self.continue_alone(steps), updates)


if __name__ == "__main__":
  absltest.main()
