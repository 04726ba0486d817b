"""The commands, called in the tests' process."""

import contextlib
import io

from adaland.launch import (
  compare,
  evaluate,
  export,
  play,
  prompt,
  scale,
  status,
  tasks,
  train,
  watch,
)
from adaland.launch.bench import __main__ as bench

COMMANDS = {
  "bench": bench.main,
  "compare": compare.main,
  "export": export.main,
  "watch": watch.main,
  "evaluate": evaluate.main,
  "play": play.main,
  "prompt": prompt.main,
  "scale": scale.main,
  "status": status.main,
  "tasks": tasks.main,
  "train": train.main,
}


def call(command, *argv):
  """Runs a command in this process; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = COMMANDS[command](list(argv))
  return code, out.getvalue(), err.getvalue()
