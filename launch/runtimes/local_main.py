"""A child process of the local runtime: runs one role."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from adaland.launch import cli, output
from adaland.launch.config import json_codec
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.roles import factory, peer, role
from adaland.launch.run import rundir
from adaland.launch.runtimes import children, socket_rpc

_HEARTBEAT_SECONDS = 1.0


def make_parser() -> cli.Parser:
  """Returns the parser of the flags, which `local` sets."""
  parser = cli.Parser(prog="adaland.launch.runtimes.local_main")
  parser.add_argument("--workdir", required=True)
  parser.add_argument("--control", required=True)
  parser.add_argument("--role", required=True)
  return parser


class Worker:
  """One role and its reports to the runtime.

  Args:
    name: The role's name.
    owner: The runtime.
    heartbeat_seconds: Time between two reports.
  """

  def __init__(
    self,
    name: str,
    owner: peer.Peer,
    heartbeat_seconds: float = _HEARTBEAT_SECONDS,
  ):
    self._name = name
    self._owner = owner
    self._heartbeat_seconds = heartbeat_seconds
    self._role: role.Role | None = None
    self._over = threading.Event()

  def run(self, make: Callable[[], role.Role]) -> None:
    """Makes the role, runs it, and reports its end.

    Heartbeats begin before that, as the imports of a role take seconds.

    Args:
      make: Makes the role.

    Raises:
      ConnectionError: If the runtime has ended.
    """
    threading.Thread(target=self._beat, daemon=True).start()

    def work() -> None:
      self._role = make()

    failure = role.failure_of(self._name, work)
    if self._role is not None:
      failure = self._role.run()
    self._over.set()
    self._owner.call("ended", self._name, os.getpid(), failure)

  def _beat(self) -> None:
    try:
      while not self._over.is_set():
        self._owner.call("heartbeat", self._name, self._stats())
        time.sleep(self._heartbeat_seconds)
    except ConnectionError:
      pass  # The runtime has ended, and this process with it.

  def _stats(self) -> dict[str, Any]:
    made = self._role
    return role.process_stats() if made is None else made.stats()


def connect(args: argparse.Namespace, name: str) -> peer.Peer:
  """Returns a role of the run's process, or its runtime if named RUNTIME."""
  key = bytes.fromhex(os.environ[socket_rpc.KEY_VARIABLE])
  return socket_rpc.SocketPeer(args.control, key, name)


def work(args: argparse.Namespace, make: Callable[[], role.Role]) -> None:
  """Runs a role until it ends or the run's process does.

  Args:
    args: The flags.
    make: Makes the role.
  """
  # A child has nothing to finish: it ends as soon as it is told to.
  signal.signal(signal.SIGTERM, signal.SIG_DFL)
  try:
    Worker(args.role, connect(args, socket_rpc.RUNTIME)).run(make)
  except ConnectionError as error:
    output.say(str(error))


def run(args: argparse.Namespace) -> None:
  """Runs a role of the run in a directory."""

  def make() -> role.Role:
    content = rundir.RunDir(args.workdir).read_config()
    experiment = json_codec.from_json(ExperimentConfig, content)
    return factory.make(
      args.role,
      role.Setup(experiment, args.workdir),
      lambda name: connect(args, name),
      socket_rpc.PickledStore(),
    )

  work(args, make)


if __name__ == "__main__":
  children.die_with_parent()
  sys.exit(cli.main(make_parser, run))
