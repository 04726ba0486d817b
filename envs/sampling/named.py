"""Names of task families, e.g. "traps:candidates=4,tiles=5-7" or "traps+find".

A name is a family of `candidates`, or stands for several families. After a
colon come fields, which apply to all families that the name stands for; a range
is "first-last", or one number for both. Several families joined by "+" are
mixed, optionally with weights: "3*traps+find".
"""

import dataclasses
import difflib
import functools
import typing
from typing import Any

from adaland.envs.sampling import candidates, hidden_tasks, task_sets
from adaland.envs.sampling.config import Range
from adaland.envs.tasks import checks, json_checks

FAMILIES: dict[str, type[hidden_tasks.CandidateTasks]] = {
  kind.name: kind
  for kind in (
    candidates.Traps,
    candidates.Find,
    candidates.Fetch,
    candidates.Chain,
  )
}
# Names that stand for several families.
COMPOSITES = {
  # From easy to hard.
  "mixture": "traps:candidates=2+traps+traps:candidates=4+find+fetch+chain",
  # 1 to 4 rules; all trials take 4 s. Of 12 tasks, two teach little more than
  # walking, in four there is something to find out, and in six the rooms are
  # much larger.
  "wide": (
    "find:candidates=1,tiles=5,trial_seconds=4"
    "+find:candidates=2,tiles=5,trial_seconds=4"
    "+2*traps:candidates=2+2*traps"
    "+2*find:tiles=16-18,trial_seconds=4"
    "+2*fetch:tiles=10-12,trial_seconds=4"
    "+2*chain:tiles=10-12,trial_seconds=4"
  ),
  # So many candidates that a player has to remember many trials.
  "many": "traps:candidates=7,tiles=7,trials=24",
}
NAMES = (*FAMILIES, *COMPOSITES)

Weighted = tuple[hidden_tasks.CandidateTasks, int]


def is_named(text: str) -> bool:
  """Returns True if a text begins with the name of a family."""
  return _first(text) in NAMES


def unknown(text: str) -> str:
  """Returns the reason to refuse a text that names no family or folder."""
  close = difflib.get_close_matches(_first(text), NAMES, n=1)
  hint = f", did you mean {close[0]!r}?" if close else ""
  return (
    f"no such family or folder; allowed: {', '.join(NAMES)}, or a folder of "
    f"task files{hint}"
  )


def _first(text: str) -> str:
  """Returns the name with which a text begins."""
  return text.split("+")[0].split(":")[0].rpartition("*")[2].strip()


# Actors need the sizes of a family's tasks for each new task.
@functools.lru_cache(maxsize=64)
def parse(text: str) -> tuple[Weighted, ...]:
  """Reads a name: the families that it stands for, with their weights.

  Args:
    text: For example "traps:candidates=4" or "3*traps+find".

  Raises:
    ValueError: If there is no such family or field, or a value is not allowed.
  """
  found: list[Weighted] = []
  for part in text.split("+"):
    weight, times, spec = part.strip().rpartition("*")
    if times and not weight.strip().isdecimal():
      raise ValueError(
        f"{text!r}: weight {weight!r} is not allowed: a whole number, as in "
        "3*traps"
      )
    turns = int(weight) if times else 1
    checks.check_range(f"{text!r}: weight", turns, 1, task_sets.MAX_WEIGHT)
    name, _, settings = (x.strip() for x in spec.partition(":"))
    if name in COMPOSITES:
      members = parse(COMPOSITES[name])
    elif name in FAMILIES:
      members = ((FAMILIES[name](), 1),)
    else:
      allowed = ", ".join(NAMES)
      raise ValueError(f"{text!r}: no family {name!r}, allowed: {allowed}")
    found += [
      (_changed(family, settings, text), turns * n) for family, n in members
    ]
  return tuple(found)


def _changed(
  family: hidden_tasks.CandidateTasks, settings: str, text: str
) -> hidden_tasks.CandidateTasks:
  """Returns a family with fields changed by settings."""
  name, kind = family.name, type(family)
  hints = {
    field.name: typing.get_type_hints(kind)[field.name]
    for field in dataclasses.fields(kind)
  }
  values: dict[str, Any] = {}
  for setting in settings.split(",") if settings else []:
    field, _, value = (part.strip() for part in setting.partition("="))
    if field not in hints:
      raise ValueError(
        f"{text!r}: {name} has no field {field!r}, allowed: {', '.join(hints)}"
      )
    if field in values:
      raise ValueError(f"{text!r}: {field} is given twice, allowed: once")
    values[field] = _value(hints[field], value, f"{text!r}: {field}")
  try:
    return dataclasses.replace(family, **values)
  except ValueError as error:
    raise ValueError(f"{text!r}: {error}") from error


def _value(hint: Any, text: str, what: str) -> Any:
  """Reads a field's value: a number, or a range of integers."""
  try:
    if hint == Range:
      first, dash, last = text.partition("-")
      return int(first), int(last if dash else first)
    return hint(text)
  except ValueError:
    allowed = {int: "a whole number", float: "a number"}
    raise json_checks.refusal(
      what, text, allowed.get(hint, "first-last, as 4-6")
    ) from None
