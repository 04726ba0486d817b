"""Checks of the values of which tasks and settings are made.

An error is a ValueError of one line, which names the field, its value and what
is allowed.
"""

from collections.abc import Mapping
from typing import Any

from adaland.envs.tasks import json_checks


def is_whole(value: Any) -> bool:
  """Returns True for a Python integer, other than True and False.

  Equal tasks must have equal `repr`, from which the yaws of their trials are
  drawn, and the `repr` of NumPy's numbers is different.
  """
  return isinstance(value, int) and not isinstance(value, bool)


def check_range(what: str, value: Any, first: int, last: int) -> None:
  """Raises ValueError unless `value` is an integer in [first, last]."""
  if not is_whole(value):
    raise json_checks.refusal(what, value, "a whole number")
  if not first <= value <= last:
    raise ValueError(f"{what} is {value}, allowed: {first} to {last}")


def check_pair(
  what: str, given: Any, first: float, last: float, whole: bool = True
) -> tuple[Any, Any]:
  """Returns the two ends of a range as a tuple, which can be hashed.

  Args:
    what: The argument's name, for errors.
    given: The ends, a list or a tuple.
    first: Minimum of the first end.
    last: Maximum of the last end.
    whole: If true, both must be integers.

  Raises:
    ValueError: If these are not two numbers in this order, or out of bounds.
  """
  kinds = int if whole else (int, float)
  if (
    not isinstance(given, (list, tuple))
    or len(given) != 2
    or not all(isinstance(x, kinds) and not isinstance(x, bool) for x in given)
    or not first <= given[0] <= given[1] <= last
  ):
    numbers_allowed = "whole numbers" if whole else "numbers"
    raise ValueError(
      f"{what} is {given!r}, allowed: (first, last), {numbers_allowed} from "
      f"{first:g} to {last:g}"
    )
  return given[0], given[1]


def check_number(what: str, value: Any, first: float, last: float) -> None:
  """Raises ValueError unless `value` is a number in [first, last]."""
  if isinstance(value, bool) or not isinstance(value, (int, float)):
    raise json_checks.refusal(what, value, "a number")
  if not first <= value <= last:
    raise ValueError(f"{what} is {value:g}, allowed: {first:g} to {last:g}")


def check_flag(what: str, value: Any) -> None:
  """Raises ValueError unless `value` is True or False."""
  if not isinstance(value, bool):
    raise json_checks.refusal(what, value, "True or False")


def check_text(what: str, value: Any) -> None:
  """Raises ValueError unless `value` is a string."""
  if not isinstance(value, str):
    raise json_checks.refusal(what, value, "a text")


def check_type(what: str, value: Any, *types: type) -> None:
  """Raises ValueError unless `value` is an instance of one of `types`."""
  if not isinstance(value, types):
    names = " or ".join(each.__name__ for each in types)
    # A text is a natural attempt, and one way to make tasks takes it.
    hint = " (Task.of takes texts)" if isinstance(value, str) else ""
    raise json_checks.refusal(what, value, f"an instance of {names}{hint}")


def as_tuple(what: str, values: Any, entries: str) -> tuple[Any, ...]:
  """Returns the entries of a list as a tuple, which can be hashed.

  Args:
    what: The field's name, for errors.
    values: The entries, in a list, a tuple or an array; neither a string nor a
      dictionary.
    entries: A name for them, for errors.

  Raises:
    ValueError: If these are not several values.
  """
  if not isinstance(values, (str, bytes, Mapping)):
    try:
      return tuple(values)
    except TypeError:
      pass
  raise json_checks.refusal(what, values, f"a list of {entries}")
