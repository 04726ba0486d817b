"""Flags and exit codes that all commands share."""

import argparse
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from adaland.launch import errors, output

# Larger numbers would take days or all memory.
MAX_COUNT = 100_000
MAX_SEED = 2**62

# Lower temperatures are no less random, and the lowest are 0 in float32.
MIN_TEMPERATURE = 1e-4
MAX_TEMPERATURE = 100.0


class Parser(argparse.ArgumentParser):
  """An argument parser with one-line errors."""

  def __init__(self, **kwargs: Any):
    kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
    super().__init__(allow_abbrev=False, **kwargs)

  # pyrefly: ignore[bad-override]  # argparse has overloads, this class has none.
  def parse_args(self, args=None, namespace=None):
    """Parses the arguments; suggests the closest flag for an unknown one."""
    args = sys.argv[1:] if args is None else list(args)
    # Before argparse, which reports missing flags first.
    for arg in args:
      if arg.startswith("--") and arg.split("=")[0] not in self._flag_names():
        self._refuse(arg)
    parsed, unknown = self.parse_known_args(args, namespace)
    if unknown:
      self._refuse(unknown[0])
    self._refuse_empty(parsed)
    return parsed

  def _refuse_empty(self, parsed: argparse.Namespace) -> None:
    """Refuses empty values, most often of a shell variable that is not set."""
    for _, argument in self.arguments():
      value = getattr(parsed, argument.dest, None)
      values = value if isinstance(value, list) else [value]
      if "" in values and argument.default != "":
        name = "/".join(argument.option_strings) or argument.metavar
        self.error(f"argument {name}: an empty value")

  def _refuse(self, arg: str) -> NoReturn:
    self.error(
      f"unknown argument {arg!r}"
      + errors.did_you_mean(arg.split("=")[0], self._flag_names())
      + " (see --help)"
    )

  def error(self, message: str) -> NoReturn:
    """Raises instead of printing the usage."""
    raise errors.UserError(message)

  def _check_value(self, action: argparse.Action, value: Any) -> None:
    """Refuses a value that is not a choice; argparse's hook for it."""
    if action.choices is not None and value not in action.choices:
      name = "/".join(action.option_strings) or action.dest
      raise errors.choice(name, value, action.choices)

  def describe(self, error: errors.UserError) -> str:
    """Returns a message that names the command's arguments, not functions'."""
    message = errors.one_line(str(error))
    if isinstance(error, errors.ArgumentError):
      [name] = re.findall(r"^\w+", message)
      if f"--{name}" in self._flag_names():
        return f"--{message}"
      for _, argument in self.arguments():
        if argument.dest == name and isinstance(argument.metavar, str):
          return argument.metavar + message.removeprefix(name)
    return message

  def arguments(self) -> Iterator[tuple["Parser", argparse.Action]]:
    """Yields all arguments, each with its parser: this or a subcommand's."""
    for action in self._actions:
      yield self, action
      if isinstance(action, argparse._SubParsersAction):
        for parser in action.choices.values():
          yield from parser.arguments()

  def _flag_names(self) -> list[str]:
    return [
      name for _, each in self.arguments() for name in each.option_strings
    ]


def add_json_flag(parser: argparse.ArgumentParser) -> None:
  """Adds the flag --json."""
  parser.add_argument(
    "--json",
    metavar="OUT",
    type=output.path_or_stdout,
    help="write the result as one JSON object to this file (- for stdout)",
  )


def add_own_parts_flag(parser: argparse.ArgumentParser) -> None:
  """Adds the flag --own_parts."""
  parser.add_argument(
    "--own_parts",
    action="store_true",
    help="import the code that the run's config names (its author's own "
    "memory, tasks and so on); only for runs that you trust",
  )


def add_num_tasks_flag(
  parser: argparse.ArgumentParser,
  default: int,
  text: str = "maximum number of tasks",
) -> None:
  """Adds the flag --num_tasks.

  Args:
    parser: A command's parser.
    default: Default of the flag.
    text: The help text, without the default.
  """
  parser.add_argument(
    "--num_tasks",
    type=positive_int,
    default=default,
    help=f"{text}, {default} by default",
  )


def add_seed_flag(parser: argparse.ArgumentParser) -> None:
  """Adds the flag --seed."""
  parser.add_argument(
    "--seed",
    type=non_negative_int,
    default=0,
    help="seed of the environments and players, 0 by default",
  )


def add_subcommand(commands: Any, name: str, text: str) -> Parser:
  """Adds a subcommand and returns its parser.

  Args:
    commands: The object that `add_subparsers` returned.
    name: Name of the subcommand.
    text: Its description, which begins with a verb in lower case.
  """
  sentence = f"{text[0].upper()}{text[1:]}."
  return commands.add_parser(name, help=text, description=sentence)


def add_temperature_flag(
  parser: argparse.ArgumentParser,
  text: str = "divides the logits of the agent's policy: 1, the default, acts "
  "as in training; lower values are less random",
) -> None:
  """Adds the flag --temperature.

  Args:
    parser: A command's parser.
    text: The help text.
  """
  parser.add_argument(
    "--temperature", type=_temperature, default=1.0, help=text
  )


def _temperature(text: str) -> float:
  try:
    value = float(text)
  except ValueError:
    value = 0.0
  if not MIN_TEMPERATURE <= value <= MAX_TEMPERATURE:
    raise argparse.ArgumentTypeError(
      f"{text!r} is not a number from {MIN_TEMPERATURE:g} to "
      f"{MAX_TEMPERATURE:g}"
    )
  return value


def positive_int(text: str) -> int:
  """Parses a whole number from 1."""
  return _whole_number(text, 1, MAX_COUNT)


def non_negative_int(text: str) -> int:
  """Parses a whole number from 0, such as a seed or an index."""
  return _whole_number(text, 0, MAX_SEED)


def _whole_number(text: str, least: int, most: int) -> int:
  try:
    value = int(text)
  except ValueError:
    value = least - 1
  if not least <= value <= most:
    raise argparse.ArgumentTypeError(
      f"{text!r} is not a whole number from {least} to {most}"
    )
  return value


def main(
  make_parser: Callable[[], Parser],
  run: Callable[[argparse.Namespace], None],
  argv: Sequence[str] | None = None,
) -> int:
  """Runs a command and returns its exit code.

  Args:
    make_parser: Builds the command's parser.
    run: Runs the command.
    argv: Arguments without the program's name; the process's own if None.
  """
  return guarded(
    lambda: run(make_parser().parse_args(argv)),
    lambda error: make_parser().describe(error),
  )


def guarded(
  work: Callable[[], None],
  describe: Callable[[errors.UserError], str] = str,
) -> int:
  """Runs a function, shows errors in one line, and returns the exit code.

  Args:
    work: The function.
    describe: Returns the line to show for an error of the user.
  """
  output.prepare_streams()
  # On SIGTERM, a command still removes partial files.
  if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
  try:
    try:
      work()
    except SystemExit:  # From --help.
      sys.stdout.flush()
      raise
    sys.stdout.flush()
    return 0
  except errors.UserError as error:
    output.say(f"error: {describe(error)}")
    return 2
  except errors.RunError as error:
    output.say(f"error: {errors.one_line(str(error))}")
    return 1
  except BrokenPipeError:
    # The reader of our output has closed it, as `head` does.
    output.drop_failed_output(sys.stdout)
    return 1
  except OSError as error:
    output.drop_failed_output(sys.stdout)
    output.say(f"error: {errors.describe_os_error(error)}")
    return 1
  except (MemoryError, RuntimeError) as error:
    if not errors.is_out_of_memory(error):
      raise
    reason = errors.one_line(str(error))
    output.say("error: out of memory" + (f": {reason}" if reason else ""))
    return 1
  except KeyboardInterrupt:
    output.say("interrupted")
    return 130
  finally:
    output.drop_failed_output(sys.stderr)
