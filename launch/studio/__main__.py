"""Serves a page in the browser: play tasks, watch agents adapt, make tasks."""

import argparse
import asyncio
import contextlib
import importlib
import pathlib
import sys
import webbrowser
from collections.abc import Sequence

from adaland.launch import cli, errors, output
from adaland.launch.studio import guard, server

_EXAMPLES = """\
examples:
  adaland studio
  adaland studio --port=8000 --no_browser
  adaland studio --workdir=/tmp/run --workdir=my_agent

The studio listens on this machine only. The address contains a token: whoever
has it may use the page. Ctrl-C ends the studio.
"""
_MAX_PORT = 65535
# As in `agents.agent_dir`, whose packages take seconds to import.
_SHIPPED = "agent:"
_THREE = "vendor/three.module.js"


def _port(text: str) -> int:
  port = int(text) if text.isdecimal() else -1
  if not 0 <= port <= _MAX_PORT:
    raise argparse.ArgumentTypeError(
      f"{text!r} is not a port, allowed: 0 to {_MAX_PORT}, 0 for a free one"
    )
  return port


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  parser = cli.Parser(
    prog="adaland studio", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument(
    "--port", type=_port, default=0, help="0, the default, takes a free port"
  )
  parser.add_argument(
    "--no_browser", action="store_true", help="print the address only"
  )
  parser.add_argument(
    "--workdir",
    action="append",
    default=[],
    help="a run or an exported agent; may be repeated",
  )
  cli.add_own_parts_flag(parser)
  return parser


def _load(workdirs: Sequence[str], own_parts: bool) -> server.Backend:
  """Loads the back end; its packages take seconds to import."""
  catalogue, client = (
    importlib.import_module(f"adaland.launch.studio.{name}")
    for name in ("catalogue", "client")
  )
  return client.Shared(catalogue.Catalogue(workdirs, own_parts))


def run(args: argparse.Namespace) -> None:
  """Serves the page until it is interrupted."""
  for workdir in args.workdir:
    if not (workdir.startswith(_SHIPPED) or pathlib.Path(workdir).is_dir()):
      raise errors.UserError(f"--workdir={workdir}: no such directory")
  if not (guard.PAGE / _THREE).is_file():
    output.say(
      "three.js is missing, so the page shows pictures instead of 3D: run "
      "make studio, which needs npm (Debian, Ubuntu: apt-get install npm)"
    )
  studio = server.Studio(lambda: _load(args.workdir, args.own_parts))

  def started(address: str) -> None:
    print(f"the studio: {address}", flush=True)
    if not args.no_browser and not webbrowser.open(address):
      output.say("no browser could be opened: open the address yourself")

  with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(studio.run(args.port, started))


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
