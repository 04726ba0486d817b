"""The results file of a study's variant or player."""

import math
import pathlib
from collections.abc import Callable
from typing import Any, TypeVar

from adaland.envs.tasks import json_checks
from adaland.launch import errors
from adaland.launch.evaluation.comparison import evaluation_files

T = TypeVar("T")


def tasks(path: pathlib.Path) -> tuple[str, list[int]]:
  """Returns the hash of the tasks played, and the numbers of trials.

  Raises:
    UserError: If the file is not a study's.
  """
  return _read(path, lambda found: (found["tasks_sha256"], found["trials"]))


def launcher(path: pathlib.Path) -> str:
  """Returns the run's launcher; empty in old files, which do not name it.

  Raises:
    UserError: If the file is not a study's.
  """
  return _read(path, lambda found: str(found.get("launcher", "")))


def training(path: pathlib.Path) -> dict[str, float]:
  """Returns how long a variant was trained.

  Raises:
    UserError: If the file is not a study's.
  """
  return _read(
    path,
    lambda found: {
      name: number(value, f"training.{name}")
      for name, value in found["training"].items()
    },
  )


def number(value: Any, name: str) -> float:
  """Returns a value of a study's file if it is a finite number.

  Unlike in tasks, it may be large: runs have billions of steps.

  Args:
    value: The value.
    name: Its name in errors.

  Raises:
    ValueError: If it is another value.
  """
  is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
  if not is_number or not math.isfinite(value):
    raise json_checks.refusal(name, value, "a finite number")
  return float(value)


def _read(path: pathlib.Path, select: Callable[[Any], T]) -> T:
  with errors.user_input(str(path)), errors.of_another_form(str(path)):
    return select(json_checks.load(path, evaluation_files.MAX_BYTES))
