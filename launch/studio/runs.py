"""The curves of a run while it trains, and its evaluations."""

import json
import math
from typing import Any

from adaland.envs.tasks import json_checks
from adaland.launch import errors
from adaland.launch.run import rundir, status_file

# Points of a curve that the page draws.
_POINTS = 200
# Bytes at the end of the metrics' file that are read.
_MAX_BYTES = 8_000_000
# Evaluations that are read; a run has a few.
_MAX_FILES = 20
_MAX_CURVES = 12
_FIRST = ("reward/", "score/", "loss", "env_steps_per_s")


def curves(run: rundir.RunDir) -> dict[str, Any]:
  """Returns what there is to draw of a run.

  Args:
    run: Its directory.

  Returns:
    "steps" and "curves": numbers of environment steps, and values by name, None
    where there is none; "status": the counters of the run, or None;
    "evaluations": results of `adaland evaluate --json` in the directory, by
    file name.
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
  path = run.path / "metrics.jsonl"
  try:
    with open(path, "rb") as file:
      size = file.seek(0, 2)
      file.seek(max(0, size - _MAX_BYTES))
      lines = file.read().decode("utf-8", "replace").splitlines()
  except OSError:
    return []
  rows = []
  # A step of a run that writes now may be half a line.
  stride = max(1, math.ceil(len(lines) / _POINTS))
  for line in lines[::-1][::stride][::-1]:
    try:
      row = json.loads(line, parse_constant=lambda _: None)
    except ValueError:
      continue
    if isinstance(row, dict) and isinstance(row.get("step"), (int, float)):
      rows.append(row)
  return rows


def _status(run: rundir.RunDir) -> dict[str, Any] | None:
  try:
    status = status_file.read(run)
  except (errors.UserError, OSError):
    return None
  return {"state": status["state"], "counters": status["counters"]}


def _evaluations(run: rundir.RunDir) -> dict[str, Any]:
  found = {}
  for path in sorted(run.path.glob("*.json"))[:_MAX_FILES]:
    try:
      content = json_checks.load(path)
      curve = content["by_trial"]
      if not isinstance(curve, dict):
        continue
    except (OSError, ValueError, LookupError, TypeError):
      continue
    found[path.name] = {"policy": content.get("policy"), "by_trial": curve}
  return found
