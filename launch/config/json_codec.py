"""Conversion of frozen dataclasses to JSON and back, checked by type hints.

Every error names the field by its dotted path, the given value and the allowed
values, because people write these files by hand.
"""

import dataclasses
import functools
import sys
import types
import typing
from typing import Any, TypeVar

import numpy as np

from adaland.launch import errors

T = TypeVar("T")

_LARGEST_INT = 2**63 - 1


def to_json(config: Any) -> Any:
  """Returns dicts, lists, numbers and strings; NumPy's numbers as Python's."""
  if dataclasses.is_dataclass(config):
    return {
      field.name: to_json(getattr(config, field.name))
      for field in dataclasses.fields(config)
    }
  if isinstance(config, (tuple, list)):
    return [to_json(item) for item in config]
  if isinstance(config, (np.generic, np.ndarray)):
    return config.tolist()
  return config


def from_json(cls: type[T], obj: Any, path: str = "") -> T:
  """Builds a dataclass; fields left out keep their defaults.

  Args:
    cls: The dataclass.
    obj: The parsed JSON.
    path: Dotted path of this value, for messages.

  Raises:
    UserError: If a key is unknown or a value doesn't fit.
  """
  where = path or "config"
  if not isinstance(obj, dict):
    raise _refuse(where, obj, "an object with fields")
  hints = _hints(cls)
  # pyrefly: ignore[bad-argument-type]  # Any dataclass; T can't say so.
  names = [field.name for field in dataclasses.fields(cls)]
  values = {}
  for key, value in obj.items():
    name = f"{path}.{key}" if path else key
    if key not in names:
      raise unknown_field(name, names)
    values[key] = convert(hints[key], value, name)
  try:
    return cls(**values)
  except errors.UserError:
    raise
  except (TypeError, ValueError) as error:
    raise errors.UserError(f"{where}: {error}") from error


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
  return typing.get_type_hints(cls)


def unknown_field(name: str, names: list[str]) -> errors.UserError:
  """Returns the error for a field that does not exist."""
  return errors.UserError(
    f"{errors.cut(name)}: no such field"
    + (
      errors.did_you_mean(name.split(".")[-1], names)
      or f"; allowed: {', '.join(names)}"
    )
  )


def convert(hint: Any, value: Any, name: str) -> Any:
  """Checks one value against a type hint and returns it as that type."""
  origin, args = typing.get_origin(hint), typing.get_args(hint)
  if dataclasses.is_dataclass(hint):
    # pyrefly: ignore[bad-argument-type]  # A class: hints hold no instances.
    return from_json(hint, value, name)
  if origin in (typing.Union, types.UnionType):
    return _convert_union(args, value, name)
  if origin is typing.Literal:
    if value not in args:
      if isinstance(value, str):
        raise errors.choice(name, value, [str(arg) for arg in args])
      raise _refuse(name, value, f"one of {', '.join(map(str, args))}")
    return value
  if origin is tuple:
    return _convert_tuple(args, value, name)
  if hint is bool:
    if not isinstance(value, bool):
      raise _refuse(name, value, "true or false")
    return value
  if hint is int:
    if isinstance(value, bool) or not isinstance(value, int):
      raise _refuse(name, value, "a whole number")
    if abs(value) > _LARGEST_INT:
      raise _refuse(name, value, f"a whole number up to {_LARGEST_INT}")
    return value
  if hint is float:
    number = not isinstance(value, bool) and isinstance(value, (int, float))
    # Not isfinite: a whole number may be too large for it.
    if not number or not abs(value) <= sys.float_info.max:
      raise _refuse(name, value, "a finite number")
    return float(value)
  if hint is str:
    # Half a surrogate pair, which JSON can contain, can't be written to a file.
    if not isinstance(value, str) or not value.isprintable():
      raise _refuse(name, value, "a string of printable characters")
    return value
  raise TypeError(f"{name}: config fields can't have the type {hint}")


def _convert_union(args: tuple[Any, ...], value: Any, name: str) -> Any:
  if value is None and type(None) in args:
    return None
  kinds = [arg for arg in args if arg is not type(None)]
  error: errors.UserError | None = None
  for kind in kinds:
    try:
      return convert(kind, value, name)
    except errors.UserError as this:
      error = this
  assert error is not None
  raise error


def _convert_tuple(args: tuple[Any, ...], value: Any, name: str) -> tuple:
  if not isinstance(value, (list, tuple)):
    raise _refuse(name, value, "a list")
  if len(args) == 2 and args[1] is Ellipsis:
    kinds = [args[0]] * len(value)
  else:
    kinds = list(args)
    if len(value) != len(kinds):
      raise _refuse(name, value, f"a list of {len(kinds)}")
  return tuple(
    convert(kind, item, f"{name}[{i}]")
    for i, (kind, item) in enumerate(zip(kinds, value, strict=True))
  )


def _refuse(name: str, value: Any, allowed: str) -> errors.UserError:
  return errors.UserError(f"{name}: {errors.shown(value)} is not {allowed}")


def differences(a: Any, b: Any, path: str = "") -> list[str]:
  """Returns "field: x, not y" for each leaf where two configs differ."""
  if isinstance(a, dict) and isinstance(b, dict):
    found = []
    for key in [*a, *(k for k in b if k not in a)]:
      name = f"{path}.{key}" if path else key
      found += differences(a.get(key), b.get(key), name)
    return found
  return [] if a == b else [f"{path}: {a!r}, not {b!r}"]
