"""Command that kills runs of --launcher=device and compares how they end.

    python -m tests.launch.runtimes.single.kills --kills=20

A run killed (SIGKILL) at random moments, sometimes while it writes a
checkpoint, must end like an undisturbed run: with the same bits in every array
and the same counters, curriculum and environments.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from adaland.agent.checkpoint import checkpoint
from adaland.launch.config import json_codec
from tests.launch.runtimes.single import configs

_ROOT = str(pathlib.Path(__file__).parents[4])
# Few kills hit the program's start, when nothing happens yet.
_START_SHARE = 0.15
_CHECKPOINT_SHARE = 0.3
_POLL_SECONDS = 0.002


def start(workdir: pathlib.Path, config: str) -> subprocess.Popen[bytes]:
  """Starts or resumes the run."""
  env = {**os.environ, "PYTHONPATH": _ROOT}
  with open(f"{workdir}.log", "ab") as log:
    return subprocess.Popen(
      [
        sys.executable,
        "-m",
        "adaland.launch.train",
        "--launcher=device",
        f"--workdir={workdir}",
        f"--config={config}",
      ],
      env=env,
      stdout=log,
      stderr=log,
    )


def finish(process: subprocess.Popen[bytes], workdir: pathlib.Path) -> None:
  """Waits for a run's end.

  Raises:
    RuntimeError: If the run fails, with its output.
  """
  if process.wait():
    raise RuntimeError(pathlib.Path(f"{workdir}.log").read_text())


def kill(
  process: subprocess.Popen[bytes],
  workdir: pathlib.Path,
  moment: str,
  seconds: float,
) -> bool:
  """Kills a run; returns False if it had ended before.

  Args:
    process: The run.
    workdir: Its directory.
    moment: Event to count from: "start", "step" (a row of metrics is written),
      "checkpoint" (one is being written) or "second checkpoint" (one is being
      written beside a whole one).
    seconds: Time from the event to the kill.
  """
  metrics, folder = workdir / "metrics.jsonl", workdir / "checkpoints"
  rows = _size(metrics)

  def reached() -> bool:
    if moment.endswith("checkpoint"):
      whole = moment == "checkpoint" or checkpoint.steps(folder)
      return bool(whole) and any(folder.glob("writing-*"))
    return moment == "start" or _size(metrics) != rows

  while process.poll() is None and not reached():
    time.sleep(_POLL_SECONDS)
  deadline = time.monotonic() + seconds
  while process.poll() is None and time.monotonic() < deadline:
    time.sleep(_POLL_SECONDS)
  process.send_signal(signal.SIGKILL)
  return process.wait() == -signal.SIGKILL


def _size(path: pathlib.Path) -> int:
  return path.stat().st_size if path.exists() else 0


def content(workdir: pathlib.Path) -> tuple[Any, dict[str, np.ndarray]]:
  """Returns the document and the arrays, by name, of the last checkpoint."""
  import orbax.checkpoint

  folder = workdir / "checkpoints"
  newest = checkpoint.steps(folder)[-1]
  document = json.loads((folder / str(newest) / "run.json").read_text())
  del document["run"]["seconds"]  # Depends on the clock.
  names = [path for path, *_ in document["leaves"]]
  arrays = orbax.checkpoint.PyTreeCheckpointer().restore(
    folder / str(newest) / "arrays"
  )
  return document, {
    name: np.asarray(arrays[f"{i:05d}"]) for i, name in enumerate(names)
  }


def differences(one: pathlib.Path, other: pathlib.Path) -> list[str]:
  """Returns the names of differences between the final states of two runs."""
  (document, arrays), (other_document, other_arrays) = (
    content(one),
    content(other),
  )
  found = [
    name
    for name, array in arrays.items()
    if not np.array_equal(
      array.view(np.uint8) if array.ndim else array,
      other_arrays[name].view(np.uint8) if array.ndim else other_arrays[name],
    )
  ]
  return found + json_codec.differences(document, other_document)


def write_config(folder: pathlib.Path, *settings: str) -> str:
  """Writes the runs' config; returns its path."""
  path = folder / "config.json"
  config = configs.tiny(
    *configs.PAIRS, "run.log_seconds=0.05", "run.max_steps=1500", *settings
  )
  path.write_text(json.dumps(json_codec.to_json(config)))
  return str(path)


def draw(rng: random.Random, lasts: float) -> tuple[str, float]:
  """Draws a moment to kill at, as `kill` takes it.

  Args:
    rng: Source of randomness.
    lasts: Seconds of a whole run.
  """
  share = rng.random()
  if share < _START_SHARE:
    return "start", rng.uniform(0, 0.3 * lasts)
  if share < _START_SHARE + _CHECKPOINT_SHARE:
    return "checkpoint", rng.uniform(0, 0.1)
  return "step", rng.uniform(0, 0.1 * lasts)


def main() -> None:
  """Makes one undisturbed run and some that are killed."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--kills", type=int, default=20)
  parser.add_argument("--seed", type=int, default=0)
  args = parser.parse_args()
  rng = random.Random(args.seed)
  folder = pathlib.Path(tempfile.mkdtemp(prefix="adaland-kills-"))
  config = write_config(folder)
  alone = folder / "alone"
  began = time.monotonic()
  finish(start(alone, config), alone)
  lasts = time.monotonic() - began
  print(f"{folder}: an undisturbed run lasts {lasts:.1f} s")
  kills, runs, found = 0, 0, []
  while kills < args.kills:
    runs += 1
    killed = folder / f"killed-{runs}"
    while kills < args.kills:
      moment, seconds = draw(rng, lasts)
      if not kill(start(killed, config), killed, moment, seconds):
        break
      kills += 1
      steps = checkpoint.steps(killed / "checkpoints")
      print(f"kill {kills}: {seconds:.2f} s after {moment}; has {steps}")
    finish(start(killed, config), killed)
    found += differences(alone, killed)
    print(f"run {runs} has ended; differences: {found or 'none'}")
  print(f"{kills} kills of {runs} runs; differences: {found or 'none'}")
  sys.exit(bool(found))


if __name__ == "__main__":
  main()
