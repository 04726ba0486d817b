"""Studies whose runs and evaluations take no time."""

import contextlib
import io
import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import train
from adaland.launch.config import experiment
from adaland.launch.evaluation import fewshot, tasksets
from adaland.launch.evaluation.comparison import summary
from adaland.launch.run import process_tree, rundir
from adaland.launch.studies import __main__ as command
from adaland.launch.studies import curves, study, table

_ROWS = 12
CPU_SECONDS = 30.0


class FakeRuns:
  """A stand-in for training and playing, which counts both."""

  def __init__(self):
    self.trained = []
    self.played = []
    self.tasks = set()
    self.stop_at = ""
    self.minutes_before = 0.0
    self.decided = ""
    self.during = lambda workdir: None
    self._cpu_seconds = 0.0

  def cpu_seconds(self, pid):
    """Returns more at each call, as a busy process does."""
    self._cpu_seconds += CPU_SECONDS
    return self._cpu_seconds

  def train(self, config, workdir, launcher):
    """Writes metrics, as a run of the config's length does."""
    name = pathlib.Path(workdir).name
    seed = config.run.seed
    self.trained.append((name, config.teaching.agent, launcher))
    self.during(pathlib.Path(workdir))
    # A run bounded by steps takes an hour.
    seconds = 60 * (config.run.max_minutes or 60.0)
    if name == self.stop_at:
      seconds /= 2
    # A run that is over ends at once.
    seconds = max(seconds, self.minutes_before * 60)
    path = pathlib.Path(workdir, "metrics.jsonl")
    run = rundir.RunDir(workdir)
    run.begin(config, experiment.FREE_FIELDS).close()
    with open(path, "w") as file:
      for i in range(1, _ROWS + 1):
        row = {"step": 1000 * i, "seconds": seconds * i / _ROWS}
        row["reward/trial_2"] = (1 + seed) * i / _ROWS
        file.write(json.dumps(row) + "\n")
    if name.startswith("second"):
      (path.parent / "decisions.jsonl").write_text(self.decided)
    steps, updates = 1000.0 * _ROWS, 7.0 + 2 * seed
    counters = {"env_steps": steps, "updates": updates, "seconds": seconds}
    params = {"w": np.frombuffer(name.encode(), np.uint8)}
    return train.Outcome(workdir, counters, params, {}, "")

  def play(self, name, env, tasks, trials, maker, seed, repeats, say):
    """Returns results as `fewshot.evaluate` does."""
    self.played.append(name)
    self.tasks.add(tuple(task.name for task in tasks))
    rewards = np.linspace(0.1, len(name) / 20, trials[0])
    return {
      "policy": name,
      "tasks_sha256": tasksets.fingerprint(tasks),
      "trials": list(trials),
      "tasks": [
        {"id": str(i), "trial_rewards": rewards.tolist(), "expert": 1.0}
        for i in range(len(tasks))
      ],
    }


class TestCase(parameterized.TestCase):
  """A test of the study `made` with fake runs."""

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.fake = FakeRuns()
    size = study.Size("test", 2, "smoke", num_tasks=3, minutes=30.0)
    made = study.Study(
      "Does it matter?",
      (
        study.Variant("first"),
        study.Variant(
          "second",
          ("learner.privileged.distillation_weight=1",),
          teacher="first",
        ),
        study.Variant("third", ("learner.learning_rate=0.5",)),
      ),
      {
        "usual": size,
        "small": study.Size(
          "test", 2, "smoke", num_tasks=3, steps=12_000, launcher="device"
        ),
      },
    )
    self.enter_context(
      absltest.mock.patch.dict(table.STUDIES, {"made": made}, clear=True)
    )
    self.enter_context(
      absltest.mock.patch.object(train, "train_and_evaluate", self.fake.train)
    )
    self.enter_context(
      absltest.mock.patch.object(
        process_tree, "tree_cpu_seconds", self.fake.cpu_seconds
      )
    )
    self.enter_context(
      absltest.mock.patch.object(fewshot, "evaluate", self.fake.play)
    )
    self.enter_context(
      absltest.mock.patch.object(fewshot, "agent_policy", lambda *args: None)
    )

  def draw_nothing(self):
    """Leaves out the scores' and curves' pictures, which take most time."""
    for module in (summary, curves):
      self.enter_context(
        absltest.mock.patch.object(module, "draw", return_value=b"")
      )

  def call(self, *argv, more=()):
    """Runs the command; returns (code, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    folders = [f"--runs={self.folder}/runs", f"--out={self.folder}/out"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      code = command.main([*argv, *folders, *more])
    return code, out.getvalue(), err.getvalue()
