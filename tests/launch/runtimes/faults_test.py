"""Tests that a run on Ray continues after the death of any role.

All faults hit one run, so that Ray starts only a few times. docs/faults.md has
the cost of each fault in a run that leaves no processor idle.
"""

import os
import shutil
import signal
import tempfile
import time

import jax
import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay import factory
from adaland.launch import builder
from adaland.launch.bench.lib import live_run
from adaland.launch.config import overrides, preset_configs
from adaland.launch.evaluation import trained_agent
from tests import fake_clock
from tests.launch.acting import unroll_checks
from tests.launch.runtimes import clock_jumps, slow_land, small_disk

_SETTINGS = (
  *slow_land.SETTINGS,
  "actor.num_actors=2",
  "curriculum.kind=plr",
  # Training begins once nine tenths of this many tasks have been played.
  "curriculum.plr.capacity=8",
  "run.max_steps=0",
  "run.max_minutes=60",
  "run.log_seconds=0.5",
  "run.checkpoint_minutes=0.1",
  "run.eval_tasks=0",
  "run.eval_trials=1",
  # It is killed while evaluating or waiting; evaluating takes a core.
  "cluster.eval_minutes=0.5",
  "cluster.eval_tasks=1",
)
_ACTORS = ("actor 0", "actor 1")
# Ray's own processes, which try for a minute to reach the control service.
_REPORTERS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
_DISK_MIB = 64
_BATCH, _BATCHES = 8, 4
# Seconds between two polls of a run, or lost with a learner, unseen.
_UNSEEN_UPDATES = 1000
# Less than a test's time limit, so that the error names the condition.
_SECONDS = 400.0


# One test process runs all of them, on one run.
@pytest.mark.faults
@pytest.mark.long(seconds=300)
@pytest.mark.xdist_group("faults")
class FaultsTest(absltest.TestCase):
  disk: small_disk.SmallDisk | None
  clock: fake_clock.FakeClock | None
  training: live_run.LiveRun
  newest: float
  starts: list[int]

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    if factory.resolve_kind("auto") != "reverb":
      raise absltest.SkipTest(
        "a replay server's faults need Reverb, whose wheels are for Python 3.11"
      )
    folder = tempfile.mkdtemp(prefix="adaland-faults-")
    cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
    workdir, command, path = f"{folder}/run", live_run.COMMAND, None
    cls.disk = None
    if not small_disk.missing_rights():
      cls.disk = small_disk.SmallDisk(folder, _DISK_MIB)
      cls.addClassCleanup(cls.disk.close)
      command = (*cls.disk.prefix, *command)
      path = f"{cls.disk.path}/run"
    cls.clock = None
    if not fake_clock.missing():
      # Not in `folder`, which the small disk hides from the run.
      clock_folder = tempfile.mkdtemp(prefix="adaland-clock-")
      cls.addClassCleanup(shutil.rmtree, clock_folder, ignore_errors=True)
      cls.clock = fake_clock.FakeClock(clock_folder)
    cls.training = live_run.LiveRun(
      workdir,
      _SETTINGS,
      command=command,
      path=path,
      env=None if cls.clock is None else cls.clock.env,
    )
    cls.addClassCleanup(cls.training.crash)
    cls.newest = 0
    # Number of rows of metrics at each start.
    cls.starts = []
    cls.start()

  @classmethod
  def tearDownClass(cls):
    # Killing the command alone ends all other processes too.
    cls.training.kill()
    cls.training.await_gone(_SECONDS, spared=_REPORTERS)
    super().tearDownClass()

  @classmethod
  def start(cls):
    cls.starts.append(len(cls.training.rows()))
    cls.training.start()
    cls.goes_on(cls.all_roles())

  @classmethod
  def all_roles(cls) -> live_run.Seen:
    """Waits until each role has a process."""
    seen, _ = cls.training.wait(
      "all roles", lambda s: all(s.pids.values()), _SECONDS
    )
    return seen

  @classmethod
  def goes_on(cls, since: live_run.Seen) -> live_run.Seen:
    """Waits until all roles but the low-priority evaluator are working."""

    def all_at_work(seen):
      cls.newest = max(cls.newest, seen.counters["updates"])
      return (
        seen.counters["env_steps"] >= since.counters["env_steps"] + 100
        and seen.counters["episodes"] > since.counters["episodes"]
        and all(seen.roles[name]["steps_per_s"] > 0 for name in _ACTORS)
        and seen.roles["learner"].get("updates_per_s", 0) > 0
        and seen.roles["replay"].get("inserts_per_s", 0) > 0
      )

    seen, _ = cls.training.wait("all at work", all_at_work, _SECONDS)
    return seen

  def kill(self, *names: str, number: int = signal.SIGKILL) -> None:
    """Kills processes and waits for others to replace them."""
    before = self.all_roles()
    start = time.monotonic()
    for name in names:
      os.kill(before.pids[name], number)

    def back(seen):
      return all(
        seen.pids.get(name, 0) not in (0, before.pids[name])
        and (name == "server" or seen.restarts[name] > before.restarts[name])
        for name in names
      )

    killed = " and ".join(names)
    seen, seconds = self.training.wait(f"another {killed}", back, _SECONDS)
    seen = self.goes_on(seen)
    print(
      f"{killed}: another was seen after {seconds:.1f} s, all at work after "
      f"{time.monotonic() - start:.1f} s"
    )
    untouched = set(before.pids) - set(names)
    if "replay" in names:
      untouched.discard("server")  # It ends with its owner.
    for name in untouched:
      self.assertEqual(seen.pids[name], before.pids[name], name)
    for name in live_run.COUNTERS:
      self.assertGreaterEqual(seen.counters[name], before.counters[name])
    self.check_rows()
    self.check_unrolls(seen)

  def check_rows(self):
    """Checks that counters grow within each start, and losses are numbers."""
    rows = self.training.rows()
    ends = [*self.starts[1:], len(rows)]
    for start, end in zip(self.starts, ends, strict=True):
      for name in live_run.COUNTERS:
        values = [row[name] for row in rows[start:end]]
        self.assertTrue(np.all(np.diff(values) >= 0), f"{name}: {values}")
    losses = [row["loss/total"] for row in rows if "loss/total" in row]
    self.assertNotEmpty(losses)
    self.assertNotIn(None, losses)  # None stands for infinities and NaNs.

  def check_unrolls(self, seen: live_run.Seen):
    """Checks that the store holds whole episodes, each of one task."""
    from adaland.agent.replay.reverb import client

    config = overrides.apply(preset_configs.smoke(), list(_SETTINGS))
    self.assertTrue(config.whole_episodes)
    spec = builder.unroll_spec(config, builder.agent(config))
    folder = os.readlink(f"/proc/{seen.pids['server']}/cwd")
    sampler = client.ReverbSampler(f"unix:{folder}/1", spec, _BATCH)
    try:
      for _ in range(_BATCHES):
        batch = sampler.sample(_SECONDS)
        for row in range(_BATCH):
          unroll = jax.tree.map(lambda x, i=row: x[i], batch)
          unroll_checks.check_episode(
            unroll, int(self.newest) + _UNSEEN_UPDATES
          )
    finally:
      sampler.close()

  def test_actor(self):
    self.kill("actor 0")

  def test_all_actors_at_once(self):
    self.kill(*_ACTORS)

  def test_hung_actor(self):
    self.kill("actor 1", number=signal.SIGSTOP)

  def test_curriculum(self):
    self.kill("curriculum")

  def test_parameter_server(self):
    self.kill("parameters")

  def test_roles_have_the_priority_of_the_command(self):
    seen = self.all_roles()
    command = os.getpriority(os.PRIO_PROCESS, self.training.pid)
    for name in ("learner", *_ACTORS):
      found = os.getpriority(os.PRIO_PROCESS, seen.pids[name])
      self.assertEqual(found, command, name)

  def test_evaluator(self):
    self.kill("evaluator")

  def test_replay_server(self):
    self.kill("server")

  def test_owner_of_the_replay_server(self):
    self.kill("replay")

  def test_learner(self):
    self.kill("learner")

  def test_the_whole_machine_after_its_clock_was_set(self):
    if self.clock is None:
      print(f"A CLOCK'S JUMP IS NOT TESTED: {fake_clock.missing()}")
    else:
      last = len(self.training.rows()) - 1
      for offset in (clock_jumps.AHEAD, clock_jumps.BACK):
        clock_jumps.jump(self.training, self.clock, offset, _SECONDS)
      clock_jumps.check_rows(self.training.rows()[last:])
    before = self.all_roles()
    updates = checkpoint.steps(self.training.path / "checkpoints")[-1]
    self.training.crash()
    self.start()
    self.assertIn("resuming from update", self.training.said)
    after, _ = self.training.wait("an update", lambda s: True, _SECONDS)
    self.assertGreaterEqual(after.counters["updates"], updates)
    # Counters are saved every second and with each checkpoint.
    saved_at = before.counters["seconds"]
    self.assertGreater(after.counters["seconds"], saved_at - 30.0)
    self.check_rows()
    self.check_unrolls(after)

  def test_a_full_disk_at_checkpoint_time(self):
    if self.disk is None:
      self.skipTest(f"a full disk: {small_disk.missing_rights()}")
    self.disk.fill()
    self.assertEqual(self.training.end(_SECONDS), 1)
    last = self.training.said.strip().splitlines()[-1]
    self.assertRegex(last, "^error: .*No space left")
    self.training.await_gone(_SECONDS)
    # The last good checkpoint is still there.
    trained_agent.load(str(self.training.path), own_parts=True)
    self.disk.free()
    self.start()
    self.assertIn("resuming from update", self.training.said)
    self.check_rows()


if __name__ == "__main__":
  absltest.main()
