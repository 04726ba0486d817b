"""Tests of whole runs: training, resuming, a lost actor, and later use.

`train_resume_test` has more of resuming.
"""

import contextlib
import io
import json
import os
import pathlib
import signal
import threading
import time

import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch import evaluate, play, prompt, train
from adaland.launch.run import progress, status_file
from adaland.launch.runtimes import driver, local
from tests.launch import small_runs


def _call(main, *argv):
  """Runs a command in this process; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = main(list(argv))
  return code, out.getvalue(), err.getvalue()


# They share a run, which each test process would otherwise make itself.
@pytest.mark.long(seconds=60)
@pytest.mark.xdist_group("train")
class TrainTest(absltest.TestCase):
  """One run, started with an actor killed and hung, then resumed."""

  workdir: str
  said: str

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.workdir = os.path.join(
      absltest.get_default_test_tmpdir(), f"run-{os.getpid()}"
    )
    stream = io.StringIO()
    config, run = small_runs.begin(
      cls.workdir,
      "run.max_steps=800",
      "cluster.hung_seconds=10",
      "cluster.eval_minutes=0.01",
      "cluster.eval_tasks=1",
      "run.eval_trials=1",
    )
    runtime = local.LocalRuntime()
    line = progress.Progress(stream, 0.0)
    trainer = driver.Trainer(config, run, line, runtime)

    def kill_actors():
      killed = 0
      for number in (signal.SIGKILL, signal.SIGSTOP):
        steps = trainer.counters()["env_steps"]
        while (
          trainer.counters()["env_steps"] <= steps
          or runtime.pid("actor 0") == killed
        ):
          time.sleep(0.01)
        killed = runtime.pid("actor 0")
        os.kill(killed, number)

    killer = threading.Thread(target=kill_actors, daemon=True)
    killer.start()
    try:
      trainer.train()
    finally:
      trainer.close()
    killer.join()
    cls.counters = trainer.counters()
    cls.status = status_file.read(run)
    cls.said = stream.getvalue()

  def _rows(self):
    lines = pathlib.Path(self.workdir, "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]

  def test_a_killed_or_hung_actor_costs_nothing_but_time(self):
    self.assertRegex(
      self.said,
      "(?s)actor 0 died; restarted\n.*"
      r"actor 0 is unresponsive for \d+ s; restarting\n"
      ".*actor 0 died; restarted\n",
    )
    self.assertGreaterEqual(self.counters["env_steps"], 800)
    self.assertGreater(self.counters["updates"], 0)

  def test_metrics(self):
    rows = self._rows()
    for name in ("env_steps", "updates", "seconds", "episodes"):
      self.assertTrue(np.all(np.diff([row[name] for row in rows]) >= 0), name)
    learned = [row for row in rows if "loss/total" in row]
    self.assertNotEmpty(learned)
    self.assertTrue(np.isfinite([row["loss/total"] for row in learned]).all())
    self.assertIn("reward/trial_2", rows[-1])
    for name in ("actor/steps_per_s", "actor/params_lag", "learner/wait_share"):
      self.assertTrue(any(name in row for row in rows), name)

  def test_status(self):
    status, roles = self.status, self.status["roles"]
    self.assertEqual((status["launcher"], status["state"]), ("local", "ended"))
    self.assertEqual(status["counters"], self.counters)
    self.assertEqual(roles["learner"]["pid"], os.getpid())
    self.assertGreaterEqual(roles["actor 0"]["restarts"], 2)
    self.assertNotIn(roles["actor 0"]["pid"], (0, os.getpid()))
    self.assertIn("evaluations", roles["evaluator"])

  def test_goes_on_where_it_stopped(self):
    before = self._rows()[-1]
    # The run may have ended well past its bound, so count from where it is.
    steps = self.counters["env_steps"] + 600
    code, out, err = _call(
      train.main,
      f"--workdir={self.workdir}",
      "--set",
      f"run.max_steps={int(steps)}",
      "run.eval_tasks=1",
      "run.eval_trials=1,2",
      "--json=-",
    )
    self.assertEqual(code, 0, err)
    self.assertIn(f"resuming from update {self.counters['updates']}", err)
    result = json.loads(out)
    self.assertGreaterEqual(result["env_steps"], steps)
    self.assertGreater(result["updates"], self.counters["updates"])
    self.assertEqual(set(result["evaluation"]), {"agent", "random", "noop"})
    after = self._rows()[-1]
    for name in ("env_steps", "updates", "seconds", "episodes"):
      self.assertGreaterEqual(after[name], before[name])

  def test_a_finished_run_ends_at_once(self):
    code, out, err = _call(
      train.main, f"--workdir={self.workdir}", "--set", "run.eval_tasks=0"
    )
    self.assertEqual(code, 0, err)
    self.assertIn("steps", out)

  def test_another_config_is_refused(self):
    code, _, err = _call(
      train.main,
      f"--workdir={self.workdir}",
      "--set",
      "network.d_model=32",
    )
    self.assertEqual(code, 2)
    self.assertIn("network.d_model: 32, not 16", err)
    self.assertEqual(err.count("\n"), 1)

  def test_evaluate(self):
    report = os.path.join(self.workdir, "report")
    code, out, err = _call(
      evaluate.main,
      f"--workdir={self.workdir}",
      "--num_tasks=2",
      "--trials=1,2",
      f"--report={report}",
      "--json=-",
    )
    self.assertEqual(code, 0, err)
    result = json.loads(out)
    self.assertEqual(result["policy"], "agent")
    self.assertEqual(result["trials"], [1, 2])
    self.assertEqual(set(result["reward"]["mean"]), {"1", "2"})
    self.assertLen(result["tasks"], 2)
    self.assertEqual(
      set(result["tasks"][0]), {"id", "rewards", "trial_rewards", "expert"}
    )
    self.assertLen(result["by_trial"]["mean"], 2)
    self.assertTrue(pathlib.Path(report, "curve.png").is_file())

  def test_prompt_with_a_recorded_demonstration(self):
    record = os.path.join(self.workdir, "demo.npz")
    film = os.path.join(self.workdir, "film.mp4")
    code, out, err = _call(
      play.main,
      "--task=sample:1",
      "--policy=random",
      f"--workdir={self.workdir}",
      f"--record={record}",
      "--json=-",
    )
    self.assertEqual(code, 0, err)
    played = json.loads(out)
    self.assertLen(played["rewards"], 2)
    code, out, err = _call(
      prompt.main,
      f"--workdir={self.workdir}",
      "--task=sample:1",
      f"--demo={record}",
      "--repeats=1",
      f"--video={film}",
      "--json=-",
    )
    self.assertEqual(code, 0, err)
    result = json.loads(out)
    # The demonstration's trial earns what it earned when it was recorded.
    self.assertAlmostEqual(
      result["prompted"]["rewards"][0], played["rewards"][0], places=5
    )
    self.assertLen(result["unprompted"]["rewards"], 2)
    self.assertGreater(os.path.getsize(film), 1000)
    self.assertEmpty(list(pathlib.Path(self.workdir).glob(".partial*")))

  def test_a_demonstration_of_another_task_is_refused(self):
    record = os.path.join(self.workdir, "other.npz")
    _call(
      play.main,
      "--task=sample:2",
      "--policy=noop",
      f"--workdir={self.workdir}",
      f"--record={record}",
    )
    code, _, err = _call(
      prompt.main,
      f"--workdir={self.workdir}",
      "--task=sample:1",
      f"--demo={record}",
    )
    self.assertEqual(code, 2)
    self.assertIn("is of another task, 'train 2'", err)

  def test_a_broken_checkpoint_is_one_line(self):
    folder = pathlib.Path(self.workdir, "checkpoints")
    newest = checkpoint.steps(folder)[-1]
    document = folder / str(newest) / "run.json"
    content = document.read_text()
    try:
      document.write_text(content[: len(content) // 2])
      code, _, err = _call(
        evaluate.main, f"--workdir={self.workdir}", "--num_tasks=1"
      )
    finally:
      document.write_text(content)
    self.assertEqual(code, 2)
    self.assertIn("broken checkpoint", err)
    self.assertEqual(err.count("\n"), 1)


if __name__ == "__main__":
  absltest.main()
