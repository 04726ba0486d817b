"""What a user sees when something is wrong: one line and an exit code.

Exit 2 means that the command was asked for something that can't be done (a
flag, a file, a value, a port); exit 1 that it failed while doing it (disk
full, a process that keeps dying). Anything else is a defect of the program and
keeps its traceback.
"""

import contextlib
import difflib
import errno
import reprlib
from collections.abc import Iterable, Iterator

_SHOWN = 100  # Characters of what a message repeats.
_LONGEST = 2000  # Characters of a message.
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class UserError(ValueError):
  """Bad input: the message is one line that names it and what is allowed."""


class RunError(RuntimeError):
  """A fault of the surroundings at run time, said in one line."""


@contextlib.contextmanager
def user_input(what: str = "") -> Iterator[None]:
  """Turns the ValueErrors and OSErrors of reading user input to UserError.

  Args:
    what: Where the input came from, put in front of the message.
  """
  prefix = f"{what}: " if what else ""
  try:
    yield
  except UserError as error:
    if not prefix or str(error).startswith(prefix):
      raise
    raise UserError(prefix + str(error)) from error
  except OSError as error:
    if error.errno in _DISK_FAULTS:
      raise  # Nothing that was asked for is wrong.
    raise UserError(prefix + describe_os_error(error)) from error
  except ValueError as error:
    raise UserError(prefix + one_line(str(error))) from error
  except RecursionError as error:
    raise UserError(prefix + "is nested too deeply") from error


@contextlib.contextmanager
def of_another_form(what: str) -> Iterator[None]:
  """Makes a UserError of what looking into a file of another form raises.

  Args:
    what: The file's name.
  """
  try:
    yield
  except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
    reason = f"{type(error).__name__}: {error}"
    raise UserError(
      f"{what}: is not of the form that is written here ({reason})"
    ) from error


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
  """Makes the OSErrors of writing to a file tell the file's name.

  Args:
    path: What the user knows it by.
  """
  try:
    yield
  except OSError as error:
    # By number: Python then makes the subclass, such as PermissionError.
    raise OSError(error.errno, error.strerror or str(error), path) from error


def describe_os_error(error: OSError) -> str:
  """Returns "path: reason" without the errno noise."""
  reason = error.strerror or str(error) or type(error).__name__
  return f"{error.filename}: {reason}" if error.filename else reason


def one_line(text: str) -> str:
  """Joins the lines of a message, which may quote what a file holds.

  So it is cut if it is long, and what a terminal would take for an order is
  written out.
  """
  joined = " ".join(text.split())
  if len(joined) > _LONGEST:
    joined = joined[: _LONGEST - 3] + "..."
  return printable(joined)


def printable(text: str) -> str:
  """Writes out what a terminal would take for an order, or can't show."""
  return "".join(
    c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
  )


def shown(value: object) -> str:
  """Writes a refused value as an error repeats it, cut if it is long."""
  # Not repr alone: it may be nested deeply.
  return cut(repr(value) if isinstance(value, str) else reprlib.repr(value))


def cut(text: str) -> str:
  """Shortens what might be long."""
  return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
  """Returns ", did you mean X?" or an empty string."""
  close = difflib.get_close_matches(name, list(allowed), n=1)
  return f", did you mean {close[0]!r}?" if close else ""


def choice(what: str, given: str, allowed: Iterable[str]) -> UserError:
  """The error for a value outside a set of names."""
  allowed = list(allowed)
  return UserError(
    f"{what}: {shown(given)} is not one of {', '.join(allowed)}"
    + did_you_mean(given, allowed)
  )
