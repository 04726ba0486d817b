"""Changes of single config fields: `--set replay.batch_size=32`."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from adaland.envs.tasks import json_checks
from adaland.launch import errors
from adaland.launch.config import json_codec

T = TypeVar("T")


def apply(config: T, settings: Sequence[str]) -> T:
  """Returns the config with some fields changed, checked as a whole.

  Args:
    config: A frozen dataclass of dataclasses.
    settings: "dotted.path=value"; the value is JSON, or a bare string. A
      list may be written without brackets: "1,3".

  Raises:
    UserError: If a field does not exist or a value does not fit.
  """
  obj = json_codec.to_json(config)
  for setting in settings:
    path, equals, text = setting.partition("=")
    if not equals or not path:
      raise errors.UserError(f"--set {setting}: write it as field.name=value")
    parent, last, hint = _find(type(config), obj, path)
    parent[last] = json_codec.to_json(_parse(hint, text, path))
  return json_codec.from_json(type(config), obj)


def update(config: T, values: Mapping[str, Any]) -> T:
  """Returns the config with some fields changed, checked as a whole.

  Args:
    config: A frozen dataclass of dataclasses.
    values: New values by dotted path; numbers are Python's or NumPy's.

  Raises:
    UserError: If a field does not exist or a value does not fit.
  """
  if not isinstance(values, Mapping) or not all(
    isinstance(path, str) for path in values
  ):
    raise errors.UserError(
      f"settings is {errors.shown(values)}, allowed: values by dotted name, "
      'such as {"run.seed": 1}'
    )
  obj = json_codec.to_json(config)
  for path, value in values.items():
    parent, last, _ = _find(type(config), obj, path)
    parent[last] = json_codec.to_json(value)
  return json_codec.from_json(type(config), obj)


def _find(
  cls: Any, obj: dict[str, Any], path: str
) -> tuple[dict[str, Any], str, Any]:
  """Returns a field's group, name in it, and type hint."""
  *parents, last = path.split(".")
  for i, name in enumerate(parents):
    if name not in obj:
      raise json_codec.unknown_field(".".join(parents[: i + 1]), list(obj))
    cls = typing.get_type_hints(cls)[name]
    if not dataclasses.is_dataclass(cls):
      raise errors.UserError(
        f"{path}: {'.'.join(parents[: i + 1])} has no fields"
      )
    obj = obj[name]
  if last not in obj:
    raise json_codec.unknown_field(path, list(obj))
  hint = typing.get_type_hints(cls)[last]
  if dataclasses.is_dataclass(hint):
    names = [field.name for field in dataclasses.fields(hint)]
    raise errors.UserError(
      f"{path}: is a group of fields; set one of {', '.join(names)}"
    )
  return obj, last, hint


def _parse(hint: Any, text: str, path: str) -> Any:
  """Reads the text as a value of the field: JSON, bare string, bare list."""
  candidates: list[Any] = []
  error: errors.UserError | None = None
  for source in (text, f"[{text}]"):
    try:
      candidates.append(json_checks.parse(source))
    except ValueError as reason:
      if source.startswith("[") and source == text:
        error = errors.UserError(f"{path}: {errors.shown(text)}: {reason}")
  candidates.append(text)
  candidates.append([part.strip() for part in text.split(",")])
  if not text.strip():
    candidates = [text, []]  # The error, if any, shows the text.
  for candidate in candidates:
    try:
      return json_codec.convert(hint, candidate, path)
    except errors.UserError as this:
      error = error or this
  assert error is not None
  raise error
