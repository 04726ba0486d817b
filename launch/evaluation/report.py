"""Writes evaluations to a folder: a table, a curve and the numbers."""

import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaland.launch import errors, output
from adaland.launch.evaluation import scores
from adaland.launch.evaluation.comparison import figure


def check_folder(folder: str) -> None:
  """Creates the folder, before any work is done.

  Raises:
    UserError: If it can't be created or written to.
  """
  path = pathlib.Path(folder)
  with errors.user_input("--report"):
    path.mkdir(parents=True, exist_ok=True)
  if not os.access(path, os.W_OK):
    raise errors.UserError(f"--report={folder}: is not writable")


def write(folder: str, results: Sequence[Mapping[str, Any]]) -> None:
  """Writes table.md, curve.png and results.json.

  Args:
    folder: An existing folder.
    results: Results of `scores.summary`, one for each policy.
  """
  path = pathlib.Path(folder)
  output.write_atomically(
    str(path / "results.json"), json.dumps(list(results), indent=1) + "\n"
  )
  output.write_atomically(str(path / "table.md"), scores.table(results) + "\n")
  output.write_atomically(str(path / "curve.png"), curve(results))


def curve(results: Sequence[Mapping[str, Any]]) -> bytes:
  """Draws the scores of each trial, with 95 % bands; returns a PNG."""
  curves = {}
  for policy, result in scores.sides(results).items():
    found = {policy: result["by_trial"]}
    for name, control in result.get("controls", {}).items():
      found[f"{policy}, {name} memory"] = control["by_trial"]
    for label, scored in found.items():
      mean, half = np.array(scored["mean"]), 1.96 * np.array(scored["stderr"])
      curves[label] = figure.Curve(
        mean.tolist(), (mean - half).tolist(), (mean + half).tolist()
      )
  note = (
    f"{results[0]['num_scored']} tasks{scores.other_side(results[0])}; bands: "
    "1.96 standard errors over tasks"
  )
  return figure.by_trial(curves, note=note)
