"""Reads damaged files and counts the outcomes."""

import dataclasses
import random
import time
import traceback

from adaland.launch import errors
from tests.fuzz import formats

# Processor time allowed per file.
_MAX_SECONDS = 5.0
_MAX_MESSAGE = 10_000


@dataclasses.dataclass
class Outcome:
  """Outcomes of a format's cases.

  Attributes:
    accepted: Number of files that were read.
    refused: Number of files that were refused with the documented error.
    faults: First case of each kind of fault, with a description.
    num_faults: Number of faults.
  """

  accepted: int = 0
  refused: int = 0
  faults: dict[str, str] = dataclasses.field(default_factory=dict)
  num_faults: int = 0


def run(name: str, first: int, cases: int, seed: int) -> Outcome:
  """Runs cases of one format; a case's number and seed determine it.

  Args:
    name: Name of the format in FORMATS.
    first: Number of the first case.
    cases: Number of cases.
    seed: Seed of the damage.
  """
  made = formats.FORMATS[name]()
  outcome = Outcome()
  for number in range(first, first + cases):
    data = made.damage(random.Random(f"{name} {seed} {number}"))
    start = time.monotonic()
    try:
      value = _read(made, data)
      if value is None:
        outcome.refused += 1
      else:
        outcome.accepted += 1
        made.check(value)
      # Once more by processor time, because the machine may have been busy.
      if time.monotonic() - start > _MAX_SECONDS and _takes_too_long(
        made, data
      ):
        raise AssertionError("took too long")
    except Exception as error:
      outcome.num_faults += 1
      where = traceback.extract_tb(error.__traceback__)[-1]
      kind = f"{type(error).__name__} in {where.filename}:{where.lineno}"
      outcome.faults.setdefault(kind, f"case {number}: {str(error)[:300]}")
  return outcome


def _takes_too_long(made: formats.Format, data: bytes) -> bool:
  """Returns True if reading takes too much processor time."""
  start = time.process_time()
  _read(made, data)
  return time.process_time() - start > _MAX_SECONDS


def _read(made: formats.Format, data: bytes):
  """Returns the value, or None if it was refused in the documented way."""
  try:
    return made.read(data)
  except ValueError as error:
    # These are ValueErrors too, but no reader raises them on purpose.
    if type(error).__name__ in ("UnicodeEncodeError", "UnicodeDecodeError"):
      raise
    shown = errors.one_line(str(error))
    if not (0 < len(shown) < _MAX_MESSAGE and shown.isprintable()):
      raise AssertionError(f"the message {shown!r}") from error
    return None
