"""Reads damaged files and counts what becomes of them."""

import dataclasses
import random
import time
import traceback

from adaland.launch import errors
from tests.fuzz import formats

# Of the processor, for a file that ought to be read at once.
_MAX_SECONDS = 5.0
_MAX_MESSAGE = 10_000


@dataclasses.dataclass
class Outcome:
  """What became of a format's cases.

  Attributes:
    taken: Read.
    refused: Refused with the error that is documented.
    faults: The first case of each kind of anything else, with what happened.
    num_faults: All of them.
  """

  taken: int = 0
  refused: int = 0
  faults: dict[str, str] = dataclasses.field(default_factory=dict)
  num_faults: int = 0


def run(name: str, first: int, cases: int, seed: int) -> Outcome:
  """Runs cases of one format; a case is the same in any run.

  Args:
    name: Of FORMATS.
    first: Number of the first case.
    cases: How many.
    seed: Of the damage.
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
        outcome.taken += 1
        made.check(value)
      # Twice, as the machine may have had other things to do.
      if time.monotonic() - start > _MAX_SECONDS and _cost(made, data):
        raise AssertionError("took too long")
    except Exception as error:
      outcome.num_faults += 1
      where = traceback.extract_tb(error.__traceback__)[-1]
      kind = f"{type(error).__name__} in {where.filename}:{where.lineno}"
      outcome.faults.setdefault(kind, f"case {number}: {str(error)[:300]}")
  return outcome


def _cost(made: formats.Format, data: bytes) -> bool:
  """Whether reading takes too much of the processor."""
  start = time.process_time()
  _read(made, data)
  return time.process_time() - start > _MAX_SECONDS


def _read(made: formats.Format, data: bytes):
  """Returns what was read, or None if it was refused as it should be."""
  try:
    return made.read(data)
  except ValueError as error:
    # These are ValueErrors too, but tell of something not thought of.
    if type(error).__name__ in ("UnicodeEncodeError", "UnicodeDecodeError"):
      raise
    shown = errors.one_line(str(error))
    if not (0 < len(shown) < _MAX_MESSAGE and shown.isprintable()):
      raise AssertionError(f"the message {shown!r}") from error
    return None
