"""Several hosts on one machine: network namespaces on one switch.

A host is a network namespace; its processes see the other hosts and nothing
else, in particular not this machine's own network. A namespace lives as long as
a process in it, so no cleanup is needed, however the owner ends. All hosts
share files, as over NFS, and process ids. (Process ids on purpose: Reverb
mistakes a peer with its own process id for itself and crashes.)
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

_NETWORK = "10.77.0"
_SWITCH = 254
_WAIT_SECONDS = 60.0


class Host:
  """One namespace, held by a process that ends with its owner.

  Attributes:
    address: Address on the network of hosts; empty for the switch.
  """

  def __init__(self, address: str = ""):
    self.address = address
    # It ends when its input is closed, that is, when this process ends.
    self._holder = subprocess.Popen(
      ["unshare", "--net", "cat"], stdin=subprocess.PIPE
    )
    own = os.readlink("/proc/self/ns/net")
    deadline = time.monotonic() + _WAIT_SECONDS
    while (namespace := self._namespace()) in ("", own):
      if self._holder.poll() is not None or time.monotonic() > deadline:
        raise OSError("no network namespace could be made")
      time.sleep(0.005)
    self._name = namespace

  @property
  def pid(self) -> int:
    """The id of a process in the namespace."""
    return self._holder.pid

  def _namespace(self) -> str:
    try:
      return os.readlink(f"/proc/{self.pid}/ns/net")
    except OSError:
      return ""

  def command(self, argv: Sequence[str]) -> list[str]:
    """Returns a command that runs `argv` there and ends with its parent."""
    return [
      *("setpriv", "--pdeathsig", "KILL"),
      *("nsenter", f"--net=/proc/{self.pid}/ns/net"),
      *argv,
    ]

  def run(self, *argv: str) -> str:
    """Runs a command there; returns its output."""
    done = subprocess.run(
      self.command(argv), capture_output=True, text=True, check=False
    )
    if done.returncode:
      raise OSError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout

  def start(
    self, argv: Sequence[str], env: Mapping[str, str], log: str, **options: Any
  ) -> subprocess.Popen:
    """Starts a process there, with `env` added and output going to a file."""
    with open(log, "ab") as output:
      return subprocess.Popen(
        self.command(argv),
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        **options,
      )

  def processes(self) -> list[int]:
    """Returns the ids of all processes there."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
      if folder.name.isdigit():
        with contextlib.suppress(OSError):
          if os.readlink(folder / "ns" / "net") == self._name:
            found.append(int(folder.name))
    return found

  def kill(self, holder: bool = True) -> None:
    """Kills all processes there, like a power cut.

    Args:
      holder: Whether to end the namespace too.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
      left = [pid for pid in self.processes() if holder or pid != self.pid]
      if not left:
        break
      for pid in left:
        with contextlib.suppress(OSError):
          os.kill(pid, signal.SIGKILL)
      time.sleep(0.05)
      # Its own children stay in the process table until they are reaped.
      self._holder.poll()
    if holder:
      self._holder.wait(_WAIT_SECONDS)
      assert self._holder.stdin is not None
      self._holder.stdin.close()


class Network:
  """A switch and its hosts, from 10.77.0.1 upwards; a context manager."""

  def __init__(self, num_hosts: int):
    self._stack = contextlib.ExitStack()
    with contextlib.ExitStack() as stack:
      self._switch = self._host(stack)
      self._switch.run("ip", "link", "add", "switch", "type", "bridge")
      self._up(self._switch, "switch", f"{_NETWORK}.{_SWITCH}/24")
      self.hosts = [
        self._connect(self._host(stack, f"{_NETWORK}.{i + 1}"), i)
        for i in range(num_hosts)
      ]
      self._stack = stack.pop_all()

  @staticmethod
  def _host(stack: contextlib.ExitStack, address: str = "") -> Host:
    host = Host(address)
    stack.callback(host.kill)
    return host

  @staticmethod
  def _up(host: Host, link: str, address: str = "") -> None:
    if address:
      host.run("ip", "address", "add", address, "dev", link)
    host.run("ip", "link", "set", link, "up")

  def _connect(self, host: Host, index: int) -> Host:
    port = f"port{index}"
    self._switch.run(
      *("ip", "link", "add", port, "type", "veth"),
      *("peer", "name", "eth0", "netns", str(host.pid)),
    )
    self._switch.run("ip", "link", "set", port, "master", "switch")
    self._up(self._switch, port)
    self._up(host, "lo")
    self._up(host, "eth0", f"{host.address}/24")
    # A route to nowhere; without one, a program can't find its own address,
    # which Ray looks up by a route to a remote address.
    route = ("default", "via", f"{_NETWORK}.{_SWITCH}")
    host.run("ip", "route", "add", *route)
    return host

  def cut(self, index: int) -> None:
    """Disconnects a host from the network."""
    self._switch.run("ip", "link", "set", f"port{index}", "down")

  def mend(self, index: int) -> None:
    """Reconnects it."""
    self._switch.run("ip", "link", "set", f"port{index}", "up")

  def close(self) -> None:
    """Ends the hosts and all their processes."""
    self._stack.close()

  def __enter__(self) -> "Network":
    return self

  def __exit__(self, *exc_info: object) -> None:
    self.close()


def missing_rights() -> str:
  """Returns the reason why no network can be made; empty if one can."""
  try:
    Network(1).close()
  except (OSError, subprocess.SubprocessError) as error:
    return str(error)
  return ""
