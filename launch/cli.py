"""What all commands share: flags, exit codes, where results go."""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from launch import errors


class Parser(argparse.ArgumentParser):
  """An argument parser whose complaints are one line."""

  def __init__(self, **kwargs: Any):
    kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
    super().__init__(allow_abbrev=False, **kwargs)

  def parse_args(self, args=None, namespace=None):  # pyrefly: ignore[bad-override]
    """Parses; names the closest flag where one is unknown."""
    parsed, unknown = self.parse_known_args(args, namespace)
    if unknown:
      flag = unknown[0].split("=")[0]
      self.error(
        f"unknown argument {unknown[0]!r}"
        + errors.did_you_mean(flag, self._flag_names())
        + " (see --help)"
      )
    return parsed

  def error(self, message: str) -> NoReturn:
    """Raises instead of printing the usage."""
    raise errors.UserError(message)

  def _flag_names(self) -> list[str]:
    names: list[str] = []
    for action in self._actions:
      names += action.option_strings
      if isinstance(action, argparse._SubParsersAction):
        for parser in action.choices.values():
          names += parser._flag_names()
    return names


def add_json_flag(parser: argparse.ArgumentParser) -> None:
  """Adds --json."""
  parser.add_argument(
    "--json",
    metavar="OUT",
    type=output_path,
    help="write the result as one JSON object to this file (- for stdout)",
  )


def output_path(path: str) -> str:
  """Refuses a path that could not be written, before any work is done."""
  if path == "-":
    return path
  if not path:
    raise argparse.ArgumentTypeError("an empty path; give a file name")
  folder = os.path.dirname(os.path.abspath(path))
  if os.path.isdir(path):
    raise argparse.ArgumentTypeError(f"{path} is a directory, not a file")
  if not os.path.isdir(folder):
    raise argparse.ArgumentTypeError(f"directory {folder} does not exist")
  if not os.access(folder, os.W_OK):
    raise argparse.ArgumentTypeError(f"directory {folder} is not writable")
  return path


def positive_int(text: str) -> int:
  """Parses a whole number from 1."""
  try:
    value = int(text)
  except ValueError:
    value = 0
  if value < 1:
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
  return value


def non_negative_int(text: str) -> int:
  """Parses a whole number from 0."""
  try:
    value = int(text)
  except ValueError:
    value = -1
  if value < 0:
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
  return value


def write_atomically(path: str, content: str | bytes) -> None:
  """Writes a file whole or not at all."""
  folder = os.path.dirname(os.path.abspath(path))
  handle, temporary = tempfile.mkstemp(dir=folder, prefix=".partial-")
  try:
    with os.fdopen(handle, "wb") as file:
      file.write(content.encode() if isinstance(content, str) else content)
      file.flush()
      os.fsync(file.fileno())
    os.chmod(temporary, 0o666 & ~_umask())
    os.replace(temporary, path)
  except BaseException:
    os.unlink(temporary)
    raise


def _umask() -> int:
  mask = os.umask(0)
  os.umask(mask)
  return mask


def emit(result: dict[str, Any], text: str, json_path: str | None) -> None:
  """Gives a command's result: text on stdout, JSON where it was asked for.

  Args:
    result: The JSON object.
    text: The same for people; left out when the JSON goes to stdout.
    json_path: Value of --json.
  """
  if json_path == "-":
    print(json.dumps(result, indent=1))
    return
  if json_path:
    write_atomically(json_path, json.dumps(result, indent=1) + "\n")
  print(text)


def say(message: str) -> None:
  """Prints progress on stderr."""
  print(message, file=sys.stderr, flush=True)


def main(
  make_parser: Callable[[], Parser],
  run: Callable[[argparse.Namespace], None],
  argv: Sequence[str] | None = None,
) -> int:
  """Runs a command and returns its exit code.

  Args:
    make_parser: Builds the command's parser.
    run: Does the work.
    argv: Arguments without the program's name; the process's own if None.
  """
  # Asked to end, a command still removes what it has half written.
  if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
  try:
    run(make_parser().parse_args(argv))
    sys.stdout.flush()
    return 0
  except errors.UserError as error:
    say(f"error: {errors.one_line(str(error))}")
    return 2
  except errors.RunError as error:
    say(f"error: {errors.one_line(str(error))}")
    return 1
  except BrokenPipeError:
    # The reader of our output left, as `head` does: not worth a message.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
  except OSError as error:
    say(f"error: {errors.describe_os_error(error)}")
    return 1
  except KeyboardInterrupt:
    say("interrupted")
    return 130
