"""The curves of a run while it trains, and its evaluations."""

import json
import math
import os
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from adaland.envs.tasks import json_checks
from adaland.launch import errors
from adaland.launch.evaluation import recording
from adaland.launch.evaluation.comparison import evaluation_files
from adaland.launch.run import rundir, status_file

# Points of a curve that the page draws.
_POINTS = 200
# Of a larger metrics file only some lines are read, evenly spread over it.
_MAX_BYTES = 8_000_000
_MAX_LINE = 100_000
# Maximum number of evaluations that are read; a run has a few.
_MAX_FILES = 20
_MAX_CURVES = 12
_CURVE = ("mean", "stderr")
_FIRST = ("reward/", "score/", "loss", "env_steps_per_s")


def curves(run: rundir.RunDir) -> dict[str, Any]:
  """Returns the data of a run to draw.

  Args:
    run: The run's directory.

  Returns:
    "steps" and "curves": numbers of environment steps, and values by name, None
    if missing; "status": the state and counters of the run, or None;
    "evaluations": for each result of `adaland evaluate --json` and `prompt` in
    the directory, by file name, "policy", "curves" by trial, and the kept
    "episodes" without their actions.
  """
  rows = _rows(run)
  names: dict[str, None] = {}
  for row in rows:
    names.update(dict.fromkeys(row))
  chosen = sorted(names.keys() - {"step", "time"}, key=_order)[:_MAX_CURVES]
  return {
    "steps": [row["step"] for row in rows],
    "curves": {name: [row.get(name) for row in rows] for name in chosen},
    "status": _status(run),
    "evaluations": _evaluations(run),
  }


def _order(name: str) -> tuple[int, str]:
  for i, first in enumerate(_FIRST):
    if name.startswith(first):
      return i, name
  return len(_FIRST), name


def _rows(run: rundir.RunDir) -> list[dict[str, Any]]:
  """Returns the rows of the metrics, thinned out."""
  try:
    with open(run.path / "metrics.jsonl", "rb") as file:
      lines = _lines(file)
  except OSError:
    return []
  rows = []
  # The last line may be incomplete while the run is writing.
  for line in lines:
    try:
      row = json.loads(line, parse_constant=lambda _: None)
    except ValueError:
      continue
    if isinstance(row, dict) and isinstance(row.get("step"), (int, float)):
      rows.append(row)
  return rows


def _lines(file: BinaryIO) -> list[bytes]:
  """Returns lines of a file, evenly spread over it; the last is the newest."""
  size = file.seek(0, os.SEEK_END)
  if size <= _MAX_BYTES:
    file.seek(0)
    lines = file.read(_MAX_BYTES).splitlines()
    stride = max(1, math.ceil(len(lines) / _POINTS))
    return lines[::-1][::stride][::-1]
  lines = []
  for offset in np.linspace(0, size - _MAX_LINE, _POINTS - 2, dtype=int):
    file.seek(offset)
    if offset:
      file.readline(_MAX_LINE)  # The rest of a line.
    lines.append(file.readline(_MAX_LINE))
  file.seek(size - _MAX_LINE)
  return lines + file.read(_MAX_LINE).splitlines()[-2:]


def _status(run: rundir.RunDir) -> dict[str, Any] | None:
  try:
    status = status_file.read(run)
    state = status["state"]
    # A killed run could not write that it has ended.
    if state != "ended" and not run.is_locked():
      state = "not running"
  except (KeyError, errors.UserError, OSError):
    return None
  return {"state": state, "counters": status["counters"]}


def _evaluations(run: rundir.RunDir) -> dict[str, Any]:
  found = {}
  for name, content in _contents(run).items():
    curves = {
      key: content[key]
      for key in ("by_trial", "prompted", "unprompted")
      if key in content and _has_form(_check_curve, content[key])
    }
    policy = content.get("policy")
    kept = _kept(content)
    if curves or kept:
      found[name] = {
        "policy": policy if isinstance(policy, str) else None,
        "curves": curves,
        "episodes": [
          {key: value for key, value in each.items() if key != "demo"}
          for each in kept
        ],
      }
  return found


def kept_episode(run: rundir.RunDir, file: str, number: int) -> dict[str, Any]:
  """Returns an episode that an evaluation in a run's folder kept.

  Args:
    run: The run's directory.
    file: Name of the evaluation, as in `curves`.
    number: Number of the episode in the evaluation, from 0.

  Returns:
    See `recording.entry`; with "agent", the fingerprint of its player, or "".

  Raises:
    UserError: If there is no such episode.
  """
  contents = _contents(run)
  if file not in contents:
    raise errors.choice("file", file, contents or ["(none)"])
  kept = _kept(contents[file])
  if number >= len(kept):
    raise errors.UserError(
      f"number is {number}, allowed: below {len(kept)}, the episodes that "
      f"{file} keeps"
    )
  agent = contents[file].get("agent_sha256")
  return {**kept[number], "agent": agent if isinstance(agent, str) else ""}


def _contents(run: rundir.RunDir) -> dict[str, dict[str, Any]]:
  """Returns the JSON objects in a run's folder by their files' names."""
  found = {}
  # A limit for all files together, as a page requests them every few seconds.
  left = evaluation_files.MAX_BYTES
  for path in sorted(run.path.glob("*.json"))[:_MAX_FILES]:
    try:
      size = path.stat().st_size
      content = json_checks.load(path, left)
    except (OSError, ValueError):
      continue
    left -= min(size, left)
    if isinstance(content, dict):
      found[path.name] = content
  return found


def _kept(content: dict[str, Any]) -> list[dict[str, Any]]:
  """Returns the episodes that an evaluation kept, without damaged ones."""
  episodes = content.get("episodes")
  if not isinstance(episodes, list):
    return []
  return [each for each in episodes if _has_form(recording.check_entry, each)]


def _check_curve(value: Any) -> None:
  """Raises ValueError unless JSON is the mean and error of each trial."""
  curve = json_checks.read_fields(value, "the curve", _CURVE, _CURVE)
  lengths = set()
  for name in _CURVE:
    numbers = json_checks.read_list(curve[name], name, "numbers")
    lengths.add(len(numbers))
    for number in numbers:
      json_checks.read_number(number, name)
  if len(lengths) > 1:
    raise ValueError("mean and stderr differ in length")


def _has_form(check: Callable[[Any], None], value: Any) -> bool:
  """Returns whether a check accepts a value."""
  try:
    check(value)
  except ValueError:
    return False
  return True
