"""The speed of a training run, measured from outside while it runs."""

import contextlib
import itertools
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from adaland.launch import errors
from adaland.launch.bench.lib import live_run
from adaland.launch.run import process_tree
from adaland.launch.runtimes import children

# Longest wait for the learner's first updates: it compiles while other roles
# work.
_START_SECONDS = 300.0
# Time after that until caches are warm and queues have filled.
_SETTLE_SECONDS = 10.0
_POLL_SECONDS = 0.1
_END_SECONDS = 120.0
# Nothing but training happens while the run is measured. Schedules need a
# bound; no run reaches this one.
_SETTINGS = (
  "run.max_steps=1000000000000",
  "run.max_minutes=0",
  "run.log_seconds=2",
  "run.checkpoint_minutes=600",
  "run.eval_tasks=0",
  "cluster.eval_minutes=0",
)


class Sample(NamedTuple):
  """A row of metrics, read as soon as it was written.

  Attributes:
    row: The row.
    cpu_seconds: Processor time of all the run's processes so far.
  """

  row: Mapping[str, float]
  cpu_seconds: float


@contextlib.contextmanager
def training(
  preset: str, launcher: str, settings: Sequence[str] = ()
) -> Iterator[live_run.LiveRun]:
  """Starts a run without an end, and ends it on leaving the context.

  There are no evaluations and no checkpoint except the last, unless `settings`
  request them. The run dies if this process is killed.

  Args:
    preset: The preset that the run starts from.
    launcher: As for --launcher.
    settings: Changes to the preset, as for --set.
  """
  with tempfile.TemporaryDirectory() as folder:
    run = live_run.LiveRun(
      str(pathlib.Path(folder, "run")),
      (*_SETTINGS, *settings),
      preset,
      command=(
        *(sys.executable, "-m", "adaland.launch.train"),
        f"--launcher={launcher}",
      ),
      env=children.tied(),
      echo=True,
    )
    run.start()
    try:
      yield run
    finally:
      end(run)


def end(run: live_run.LiveRun) -> None:
  """Asks a run to end, and kills all its processes if it does not."""
  if run.ended():
    return
  try:
    run.stop(_END_SECONDS)
  except errors.RunError:
    process_tree.end_tree(run.pid)
    run.kill()


def samples(run: live_run.LiveRun) -> Iterator[Sample]:
  """Yields rows of metrics as they arrive, from the learner's first updates.

  Raises:
    RunError: If there are none within five minutes, or the run ends.
  """
  deadline = time.monotonic() + _START_SECONDS
  learning = False
  while True:
    for row in run.new_rows():
      # The first updates are compiled, which holds up the actors.
      learning = learning or (row["updates"] > 2 and "loss/total" in row)
      if learning:
        yield Sample(row, process_tree.tree_cpu_seconds(run.pid))
    if not learning and time.monotonic() > deadline:
      raise errors.RunError(
        f"the run to be measured did not learn in {_START_SECONDS:g} s"
      )
    time.sleep(_POLL_SECONDS)


class Speed(NamedTuple):
  """The speed of a run while all of its roles work.

  Attributes:
    steps_per_s: Environment steps per second.
    steps_per_cpu_s: Environment steps per second of processor time, summed over
      all the run's processes.
    updates_per_s: The learner's updates per second.
    cores: Number of processors that the run keeps busy, on average.
    wait_share: Share of the learner's time spent waiting for a batch.
  """

  steps_per_s: float
  steps_per_cpu_s: float
  updates_per_s: float
  cores: float
  wait_share: float


def between(seen: Sequence[Sample]) -> Speed:
  """Computes the speed from the first sample to the last.

  Args:
    seen: At least two, from a time when all roles worked.
  """
  first, last = seen[0], seen[-1]

  def grown(name: str) -> float:
    return last.row[name] - first.row[name]

  # `seconds` was read with the steps; `time` and the processor's clocks when
  # the row was written.
  steps_per_s = grown("env_steps") / grown("seconds")
  cores = (last.cpu_seconds - first.cpu_seconds) / grown("time")
  waited = seconds = 0.0
  for before, sample in itertools.pairwise(seen):
    if "learner/wait_share" in sample.row:
      taken = sample.row["time"] - before.row["time"]
      waited += sample.row["learner/wait_share"] * taken
      seconds += taken
  return Speed(
    steps_per_s,
    steps_per_s / cores,
    grown("updates") / grown("time"),
    cores,
    waited / max(seconds, 1e-9),
  )


def measure(
  preset: str, launcher: str, seconds: float, settings: Sequence[str] = ()
) -> Speed:
  """Starts a run, measures it once it has settled, and ends it.

  Args:
    preset: The preset that the run starts from.
    launcher: As for --launcher.
    seconds: Length of the measurement.
    settings: Changes to the preset, as for --set.
  """
  with training(preset, launcher, settings) as run:
    return watch(run, seconds)


def watch(run: live_run.LiveRun, seconds: float) -> Speed:
  """Measures a run for some seconds, once it has settled."""
  seen: list[Sample] = []
  begin = None
  for sample in samples(run):
    now = sample.row["time"]
    begin = now + _SETTLE_SECONDS if begin is None else begin
    if now >= begin:
      seen.append(sample)
    if len(seen) > 1 and now >= seen[0].row["time"] + seconds:
      break
  return between(seen)
