"""A child of the local runtime for tests; its number decides how it ends."""

import argparse
import os
import sys
import time

from adaland.launch import cli, errors
from adaland.launch.config import preset_configs
from adaland.launch.roles import role
from adaland.launch.runtimes import children, local_main

WORKS, FAILS, ENDS, IS_REFUSED, IS_SILENT, EXITS = range(6)


class _Role(role.Role):
  """An actor that plays nothing."""

  def __init__(self, name, setup, curriculum):
    super().__init__(name, setup)
    self._number = int(name.split()[1])
    self._curriculum = curriculum

  def _work(self):
    if self._number == FAILS:
      raise ValueError("no flour")
    if self._number == IS_REFUSED:
      raise errors.UserError("no such flour")
    if self._number == EXITS:
      print("out of flour", flush=True)
      os._exit(3)
    self._curriculum.call("count", self._number)
    if self._number == WORKS:
      time.sleep(600)


def _run(args: argparse.Namespace) -> None:
  if args.role == f"actor {IS_SILENT}":
    time.sleep(600)
  setup = role.Setup(preset_configs.smoke(), args.workdir)
  curriculum = local_main.connect(args, "curriculum")
  local_main.work(args, lambda: _Role(args.role, setup, curriculum))


if __name__ == "__main__":
  children.die_with_parent()
  sys.exit(cli.main(local_main.make_parser, _run))
