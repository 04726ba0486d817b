"""A start-up check that a curriculum keeps `base.Curriculum`'s contract."""

import contextlib
import functools
import json
import numbers
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from adaland.curriculum import base

_METHODS = (
  "next_tasks",
  "report",
  "state_dict",
  "load_state_dict",
  "metrics",
)
_NUM_TASKS = 3


def check_curriculum(curriculum: base.CurriculumFactory) -> None:
  """Makes curricula, plays a few tasks of each and compares them.

  Args:
    curriculum: Makes a curriculum.

  Raises:
    ValueError: If a method is missing, raises an error or returns a value of
      another form, or if a curriculum looks into a task, counts records that
      are not its own, or chooses other tasks after it was restored from its
      state. The message is one line and names the method.
  """
  name = _name(curriculum)
  made = _make(curriculum, 0, name)
  for method in _METHODS:
    if not callable(getattr(made, method, None)):
      raise ValueError(
        f"curriculum {name} has no method {method!r}; it must have "
        f"{', '.join(_METHODS)}"
      )
  assignments = _next_tasks(made, name)
  for assignment in assignments[1:]:
    with _calling("report", name):
      made.report(_record(assignment))
  _report_unknown(made, name, assignments[0])
  with _calling("metrics", name):
    metrics = made.metrics()
  _check_metrics(metrics, name)
  restored = _make(curriculum, 1, name)
  state = json.loads(_written(made, name))
  with _calling("load_state_dict", name):
    restored.load_state_dict(state)
  expected, actual = _next_tasks(made, name), _next_tasks(restored, name)
  if expected != actual:
    raise ValueError(
      f"curriculum {name}: next_tasks gives {_text(actual)} after "
      f"load_state_dict and {_text(expected)} without; a restored curriculum "
      "must give the same tasks"
    )


def _name(curriculum: Any) -> str:
  while isinstance(curriculum, functools.partial):
    curriculum = curriculum.func
  return getattr(curriculum, "__name__", type(curriculum).__name__)


@contextlib.contextmanager
def _calling(method: str, name: str, why: str = "") -> Iterator[None]:
  """Turns the errors of a curriculum's method into ValueErrors that name it.

  Args:
    method: The method.
    name: The curriculum's name.
    why: Ends the message.
  """
  try:
    yield
  except Exception as error:
    # The method is the user's and may raise any error.
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    raise ValueError(
      f"curriculum {name}: {method} raises {reason}{why}"
    ) from error


def _make(
  curriculum: base.CurriculumFactory, seed: int, name: str
) -> base.Curriculum:
  with _calling("its constructor", name):
    return curriculum(_sample_task, seed)


class _Placeholder(str):
  """A placeholder for a task, which curricula must not inspect."""

  def __getattr__(self, name: str) -> Any:
    raise AttributeError(
      f"a curriculum may not look into a task (it asked for {name!r}), which "
      "may be a placeholder; ask the training half of your family for the task "
      "of its index"
    )


def _sample_task(index: int) -> _Placeholder:
  return _Placeholder(f"task {index}")


def _next_tasks(made: base.Curriculum, name: str) -> list[base.Assignment]:
  with _calling("next_tasks", name):
    assignments = made.next_tasks(_NUM_TASKS)
  if not isinstance(assignments, Sequence):
    raise ValueError(
      f"curriculum {name}: next_tasks gives {assignments!r}; it must give a "
      "list"
    )
  for assignment in assignments:
    if not isinstance(assignment, base.Assignment):
      raise ValueError(
        f"curriculum {name}: next_tasks gives {assignment!r}; it must give "
        "base.Assignment"
      )
  keys = [assignment.key for assignment in assignments]
  if len(keys) != _NUM_TASKS or len(set(keys)) != _NUM_TASKS:
    raise ValueError(
      f"curriculum {name}: next_tasks({_NUM_TASKS}) gives the keys {keys}; "
      f"they must be {_NUM_TASKS} different ones"
    )
  for key in keys:
    # Neither a bool nor a NumPy integer: a server adds bits above.
    if type(key) is not int or not 0 <= key < 1 << base.KEY_BITS:
      raise ValueError(
        f"curriculum {name}: next_tasks gives the key {key!r} "
        f"({type(key).__name__}); it must be an int from 0 to "
        f"2**{base.KEY_BITS} - 1"
      )
  return list(assignments)


def _report_unknown(
  made: base.Curriculum, name: str, assignment: base.Assignment
) -> None:
  unknown = assignment._replace(key=base.UNKNOWN_KEY)
  before = _written(made, name)
  why = f" for the key {base.UNKNOWN_KEY}; it must ignore unknown keys"
  with _calling("report", name, why):
    made.report(_record(unknown))
  if _written(made, name) != before:
    raise ValueError(
      f"curriculum {name}: report of the key {base.UNKNOWN_KEY} changes the "
      "state; it must ignore unknown keys"
    )


def _record(assignment: base.Assignment) -> base.EpisodeRecord:
  return base.EpisodeRecord(
    key=assignment.key,
    learn=assignment.learn,
    rewards=np.array([0.0, 1.0], np.float32),
    td_error=0.5,
    value_error=0.5,
    policy_error=0.5,
    trial_seconds=10.0,
  )


def _check_metrics(metrics: Any, name: str) -> None:
  if not isinstance(metrics, Mapping):
    raise ValueError(
      f"curriculum {name}: metrics gives {metrics!r}; it must give a dictionary"
    )
  for key, value in metrics.items():
    if not isinstance(key, str) or not isinstance(value, numbers.Real):
      raise ValueError(
        f"curriculum {name}: metrics has {key!r}: {value!r}; it must map names "
        "to numbers"
      )


def _written(made: base.Curriculum, name: str) -> str:
  """Returns the state as JSON."""
  with _calling("state_dict", name):
    state = made.state_dict()
  _check_state_keys(state, name)
  try:
    return json.dumps(state)
  except (TypeError, ValueError) as error:
    raise ValueError(
      f"curriculum {name}: state_dict can't be written as JSON: {error}"
    ) from error


def _check_state_keys(value: Any, name: str) -> None:
  """Raises ValueError for keys that `json` would turn into strings."""
  if isinstance(value, Mapping):
    for key in value:
      if not isinstance(key, str):
        raise ValueError(
          f"curriculum {name}: state_dict has the key {key!r}; keys must be "
          "strings"
        )
    value = value.values()
  elif not isinstance(value, list | tuple):
    return
  for item in value:
    _check_state_keys(item, name)


def _text(assignments: list[base.Assignment]) -> str:
  """Returns keys, tasks and flags, short enough for one line."""
  return str([tuple(assignment) for assignment in assignments])
