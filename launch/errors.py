"""Errors that a user sees as one line and an exit code.

Exit 2 means bad input (a flag, a file, a value, a port); exit 1 a failure at
run time (a full disk, a process that keeps dying). Any other exception is a
defect of the program and keeps its traceback.
"""

import contextlib
import difflib
import errno
import reprlib
from collections.abc import Iterable, Iterator

_SHOWN = 100  # Most characters of a value that a message repeats.
_LONGEST = 2000  # Most characters of a message.
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class UserError(ValueError):
  """Bad input; its message names the argument and the allowed values."""


class ArgumentError(UserError):
  """A bad argument of a function.

  The message starts with the argument's name; a command that has a flag of this
  name shows the flag.
  """


class RunError(RuntimeError):
  """A failure outside the program at run time; its message is one line."""


@contextlib.contextmanager
def user_input(what: str = "") -> Iterator[None]:
  """Turns ValueErrors and OSErrors on user input into UserErrors.

  Args:
    what: Source of the input, put in front of the message.
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
      raise  # Not a fault of the input.
    text = describe_os_error(error)
    if not text.startswith(prefix):
      text = prefix + text
    raise UserError(text) from error
  except ValueError as error:
    raise UserError(prefix + one_line(str(error))) from error
  except RecursionError as error:
    raise UserError(prefix + "is nested too deeply") from error


@contextlib.contextmanager
def argument(name: str) -> Iterator[None]:
  """Turns ValueErrors and OSErrors on an argument into ArgumentErrors.

  Args:
    name: The argument's name, or name=value, put in front of the message.
  """
  try:
    with user_input(name):
      yield
  except UserError as error:
    raise ArgumentError(str(error)) from error


@contextlib.contextmanager
def of_another_form(what: str) -> Iterator[None]:
  """Turns errors from a file's unexpected structure into UserErrors.

  Args:
    what: The file's name.
  """
  try:
    yield
  except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
    raise UserError(
      f"{what}: is not of the expected form ({describe(error)})"
    ) from error


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
  """Adds a file's name to the OSErrors raised while writing it.

  Args:
    path: The name that the user knows.
  """
  try:
    yield
  except OSError as error:
    # Python picks the subclass, such as PermissionError, from the number.
    raise OSError(error.errno, error.strerror or str(error), path) from error


def describe(error: BaseException) -> str:
  """Returns an error's type and message in one line."""
  kind = type(error).__name__
  message = str(error)
  if isinstance(error, MemoryError):
    message = message or "out of memory"  # Python itself gives no message.
  return one_line(f"{kind}: {message}" if message else kind)


def is_out_of_memory(error: BaseException) -> bool:
  """Returns True for an error of Python, NumPy or JAX for lack of memory."""
  # The type of JAX's error depends on its version.
  return isinstance(error, MemoryError) or (
    isinstance(error, RuntimeError)
    and str(error).startswith("RESOURCE_EXHAUSTED")
  )


def describe_os_error(error: OSError) -> str:
  """Returns "path: reason" without the errno noise."""
  reason = error.strerror or str(error) or type(error).__name__
  return f"{error.filename}: {reason}" if error.filename else reason


def one_line(text: str) -> str:
  """Joins the lines of a message and truncates it.

  A message may quote a file's content, so control characters are escaped.
  """
  joined = " ".join(text.split())
  if len(joined) > _LONGEST:
    joined = joined[: _LONGEST - 3] + "..."
  return printable(joined)


def printable(text: str) -> str:
  """Escapes control characters and others that a terminal can't show."""
  return "".join(
    c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
  )


def shown(value: object) -> str:
  """Formats a refused value for an error message, truncated if it is long."""
  # reprlib also shortens deeply nested values.
  return cut(repr(value) if isinstance(value, str) else reprlib.repr(value))


def cut(text: str) -> str:
  """Truncates a text that is too long to repeat."""
  return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
  """Returns ", did you mean X?" or an empty string."""
  close = difflib.get_close_matches(name, list(allowed), n=1)
  return f", did you mean {close[0]!r}?" if close else ""


def choice(
  what: str,
  given: str,
  allowed: Iterable[str],
  kind: type[UserError] = UserError,
) -> UserError:
  """Returns the error for a value outside a set of names.

  Args:
    what: The argument or field.
    given: The value.
    allowed: The names.
    kind: Type of the error.
  """
  allowed = list(allowed)
  return kind(
    f"{what}: {shown(given)} is not one of {', '.join(allowed)}"
    + did_you_mean(str(given), allowed)
  )
