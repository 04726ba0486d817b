"""A training run, watched from outside while it goes on."""

import contextlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from adaland.launch import errors
from adaland.launch.bench.lib import process_tree
from adaland.launch.run import rundir
from adaland.launch.runtimes import children

# Time to the learner's first updates: it compiles, beside others at work.
_START_SECONDS = 300.0
# From then on, until caches are warm and queues have filled.
_SETTLE_SECONDS = 10.0
_POLL_SECONDS = 0.1
_END_SECONDS = 120.0
# Nothing but training happens while it is measured.
_SETTINGS = (
  "run.max_steps=0",
  "run.max_minutes=0",
  "run.log_seconds=2",
  "run.checkpoint_minutes=600",
  "run.eval_tasks=0",
  "cluster.eval_minutes=0",
)


class Sample(NamedTuple):
  """A row of metrics as it was written.

  Attributes:
    row: What the run says.
    cpu_seconds: Processor time that all of its processes had had by then.
  """

  row: Mapping[str, float]
  cpu_seconds: float


class Run:
  """A run under way.

  Args:
    folder: Its directory.
    process: Of `launch.train`.
  """

  def __init__(self, folder: str, process: subprocess.Popen):
    self.directory = rundir.RunDir(folder)
    self._process = process
    self._metrics = pathlib.Path(folder, "metrics.jsonl")
    self._read = 0

  @property
  def pid(self) -> int:
    """Of `launch.train`, the ancestor of all."""
    return self._process.pid

  def check(self) -> None:
    """Raises RunError if the run has ended."""
    if self._process.poll() is not None:
      raise errors.RunError(
        f"the run that was to be measured ended, status "
        f"{self._process.returncode}"
      )

  def new_rows(self) -> list[Mapping[str, float]]:
    """Rows of metrics written since the last call."""
    self.check()
    if not self._metrics.exists():
      return []
    with self._metrics.open("rb") as file:
      file.seek(self._read)
      whole, newline, _ = file.read().rpartition(b"\n")
    self._read += len(whole + newline)
    return [json.loads(line) for line in whole.splitlines()]

  def samples(self) -> Iterator[Sample]:
    """Waits for rows, one after the other, from when the learner learns.

    Raises:
      RunError: If it does not within five minutes, or the run ends.
    """
    deadline = time.monotonic() + _START_SECONDS
    learning = False
    while True:
      for row in self.new_rows():
        # The first updates are compiled, and hold up all others.
        learning = learning or (row["updates"] > 2 and "loss/total" in row)
        if learning:
          yield Sample(row, process_tree.tree_cpu_seconds(self.pid))
      if not learning and time.monotonic() > deadline:
        raise errors.RunError(
          f"the run that was to be measured did not learn in "
          f"{_START_SECONDS:g} s"
        )
      time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def training(
  preset: str, launcher: str, settings: Sequence[str] = ()
) -> Iterator[Run]:
  """Starts a run that has no end, and ends it.

  There is no evaluation and no checkpoint but the last, unless `settings` ask
  for them. The run dies if this process is killed.

  Args:
    preset: Where its config starts from.
    launcher: As for --launcher.
    settings: What is changed of the preset, as for --set.
  """
  with tempfile.TemporaryDirectory() as folder:
    workdir = str(pathlib.Path(folder, "run"))
    process = subprocess.Popen(
      [
        sys.executable,
        "-m",
        "adaland.launch.train",
        f"--workdir={workdir}",
        f"--preset={preset}",
        f"--launcher={launcher}",
        "--set",
        *_SETTINGS,
        *settings,
      ],
      stdout=subprocess.DEVNULL,
      env={**os.environ, **children.tied()},
      # Ctrl-C reaches this process alone, which then ends the run in order.
      process_group=0,
    )
    try:
      yield Run(workdir, process)
    finally:
      _end(process)


def _end(process: subprocess.Popen) -> None:
  """Asks a run to end, and sees to it that all of it has."""
  if process.poll() is None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
      process.wait(_END_SECONDS)
  if process.poll() is None:
    process_tree.end_tree(process.pid)
    process.wait()


class Steady(NamedTuple):
  """What a run did once all of it was at work.

  Attributes:
    steps_per_s: Environment steps a second.
    steps_per_cpu_s: The same for a second of processor time, of all its
      processes.
    updates_per_s: Of the learner.
    cores: Processors that were busy with it, on average.
    wait_share: Part of the learner's time that went in waiting for a batch.
  """

  steps_per_s: float
  steps_per_cpu_s: float
  updates_per_s: float
  cores: float
  wait_share: float


def steady(samples: Sequence[Sample]) -> Steady:
  """Sums up the rows of a run.

  Args:
    samples: At least two, from when all of it was at work.
  """
  first, last = samples[0], samples[-1]

  def grown(name: str) -> float:
    return last.row[name] - first.row[name]

  # `seconds` were read with the steps, `time` when the row was written, and
  # the processor's clocks then too.
  steps_per_s = grown("env_steps") / grown("seconds")
  cores = (last.cpu_seconds - first.cpu_seconds) / grown("time")
  waited = seconds = 0.0
  for before, sample in itertools.pairwise(samples):
    if "learner/wait_share" in sample.row:
      took = sample.row["time"] - before.row["time"]
      waited += sample.row["learner/wait_share"] * took
      seconds += took
  return Steady(
    steps_per_s,
    steps_per_s / cores,
    grown("updates") / grown("time"),
    cores,
    waited / max(seconds, 1e-9),
  )


def measure(
  preset: str, launcher: str, seconds: float, settings: Sequence[str] = ()
) -> Steady:
  """Runs a training for some seconds after its start.

  Args:
    preset: Where its config starts from.
    launcher: As for --launcher.
    seconds: That are measured.
    settings: What is changed of the preset, as for --set.
  """
  with training(preset, launcher, settings) as run:
    return watch(run, seconds)


def watch(run: Run, seconds: float) -> Steady:
  """Sums up some seconds of a run, from when all of it is at work."""
  samples: list[Sample] = []
  begin = None
  for sample in run.samples():
    now = sample.row["time"]
    begin = now + _SETTLE_SECONDS if begin is None else begin
    if now >= begin:
      samples.append(sample)
    if len(samples) > 1 and now >= samples[0].row["time"] + seconds:
      break
  return steady(samples)
