"""Writes evaluations to a folder: table, curve, numbers."""

import io
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from adaland.launch import cli, errors
from adaland.launch.evaluation import scores


def check_folder(folder: str) -> None:
  """Creates the folder, before any work is done.

  Raises:
    UserError: If it can't be made or written to.
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
  cli.write_atomically(
    str(path / "results.json"), json.dumps(list(results), indent=1) + "\n"
  )
  cli.write_atomically(str(path / "table.md"), scores.table(results) + "\n")
  cli.write_atomically(str(path / "curve.png"), curve(results))


def curve(results: Sequence[Mapping[str, Any]]) -> bytes:
  """Draws mean score against the number of trials; returns a PNG."""
  # Its import is slow, and no other command needs it.
  from matplotlib import figure

  drawing = figure.Figure(figsize=(5, 3.5), dpi=120, layout="constrained")
  axes = drawing.subplots()
  for result in results:
    score = result["score"]
    trials = [k for k in result["trials"] if str(k) in score["mean"]]
    axes.errorbar(
      trials,
      [score["mean"][str(k)] for k in trials],
      [score["stderr"][str(k)] for k in trials],
      marker="o",
      capsize=3,
      label=result["policy"],
    )
  axes.set_xlabel("trials, k")
  axes.set_ylabel("last trial's reward / expert's")
  axes.set_xticks(results[0]["trials"])
  axes.grid(alpha=0.3)
  axes.legend()
  content = io.BytesIO()
  drawing.savefig(content, format="png")
  return content.getvalue()
