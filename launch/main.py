"""The console command `adaland`: dispatches to the commands' modules."""

import importlib
import sys
from collections.abc import Sequence

from adaland.launch import cli, errors, output

# In the order in which they are listed.
COMMANDS = {
  "train": "trains an agent",
  "watch": "films an agent's trials on a task, and shows its scores",
  "evaluate": "measures a policy: its score against the number of trials",
  "study": "trains variants of an agent and compares them",
  "compare": "compares evaluations, with intervals and a figure",
  "prompt": "shows an agent a demonstration and lets it continue",
  "play": "plays one task: a scripted player, an agent, or you",
  "studio": "a page in the browser: play, watch agents adapt, make tasks",
  "export": "exports an agent to share: weights, config, card",
  "tasks": "draws, shows and checks tasks",
  "bench": "measures speed",
  "status": "shows how a run is doing",
  "scale": "changes a run's number of actors",
}
# Imported when needed, as some take seconds.
MODULES = {name: f"{__package__}.{name}" for name in COMMANDS}
for _folder in ("bench", "studio"):
  MODULES[_folder] += ".__main__"
MODULES["study"] = f"{__package__}.studies.__main__"


def _help() -> str:
  width = max(map(len, COMMANDS))
  lines = [f"  {name:{width}}  {text}" for name, text in COMMANDS.items()]
  return "\n".join(
    [
      "usage: adaland COMMAND ...",
      "",
      "Adaptive agents in procedurally generated 3D tasks.",
      "",
      *lines,
      "",
      "adaland COMMAND --help describes each of them.",
    ]
  )


def main(argv: Sequence[str] | None = None) -> int:
  """Runs a command and returns its exit code.

  Args:
    argv: Arguments without the program's name; the process's own if None.
  """
  arguments = sys.argv[1:] if argv is None else list(argv)
  if not arguments or arguments[0] in ("-h", "--help"):
    return cli.guarded(lambda: print(_help())) or (0 if arguments else 2)
  name, *rest = arguments
  if name not in COMMANDS:
    error = errors.choice("command", name, COMMANDS)
    output.say(f"error: {errors.one_line(str(error))}")
    return 2
  try:
    importlib.import_module("adaland.envs.tables")
  except ValueError as error:  # From rows that the user has added.
    output.say(f"error: {errors.one_line(str(error))}")
    return 2
  return importlib.import_module(MODULES[name]).main(rest)


if __name__ == "__main__":
  sys.exit(main())
