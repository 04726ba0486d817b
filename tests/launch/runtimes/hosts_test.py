"""Tests of the network of hosts: connections and cleanup."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from absl.testing import absltest

from tests.launch.runtimes import hosts

_SERVE = """
import socket, sys
server = socket.create_server(("", 7000))
print("ready", flush=True)
while True:
  server.accept()[0].sendall(sys.argv[1].encode())
"""
_CALL = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.5) as s:
  print(s.recv(99).decode())
"""
_OWN = """
import sys, time
from tests.launch.runtimes import hosts
network = hosts.Network(2)
here = network.hosts[0]
sleeper = here.start(["sleep", "600"], {}, "/dev/null")
while sleeper.pid not in here.processes():  # Only there is it to be killed.
  time.sleep(0.01)
print(sleeper.pid, *(host.pid for host in network.hosts), flush=True)
time.sleep(600)
"""


def setUpModule():
  reason = hosts.missing_rights()
  if reason:
    raise absltest.SkipTest(f"hosts need network namespaces: {reason}")


class HostsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.network = self.enter_context(hosts.Network(3))

  def serve(self, index):
    host = self.network.hosts[index]
    server = subprocess.Popen(
      host.command([sys.executable, "-c", _SERVE, f"host {index}"]),
      stdout=subprocess.PIPE,
    )
    self.addCleanup(server.wait)
    self.addCleanup(server.kill)
    assert server.stdout is not None
    self.enter_context(server.stdout)
    self.assertEqual(server.stdout.readline(), b"ready\n")

  def call(self, index, address, port=7000):
    """Returns the answer of an address to host `index`; empty if none."""
    try:
      host = self.network.hosts[index]
      return host.run(sys.executable, "-c", _CALL, address, str(port)).strip()
    except OSError as error:
      self.assertRegex(str(error), "timed out|unreachable|refused|No route")
      return ""

  def test_hosts_reach_each_other_unless_one_is_cut_off(self):
    self.serve(1)
    address = self.network.hosts[1].address
    self.assertEqual(address, "10.77.0.2")
    self.assertEqual(self.call(0, address), "host 1")
    self.assertEqual(self.call(2, address), "host 1")
    self.assertEqual(self.call(1, "127.0.0.1"), "host 1")
    self.network.cut(1)
    self.assertEqual(self.call(0, address), "")
    self.assertEqual(self.call(1, "127.0.0.1"), "host 1")
    self.network.mend(1)
    self.assertEqual(self.call(0, address), "host 1")

  def test_they_reach_nothing_of_this_machine_nor_it_them(self):
    self.serve(0)
    with socket.create_server(("", 0)) as server:
      port = server.getsockname()[1]
      for address in ("127.0.0.1", "10.77.0.254"):
        self.assertEqual(self.call(1, address, port), "")
    links = {name for _, name in socket.if_nameindex()}
    self.assertEmpty(links & {"switch", "port0", "port1", "port2"})
    with self.assertRaises(OSError):
      socket.create_connection(("127.0.0.1", 7000), 0.5).close()

  def test_power_off_kills_all_that_runs_there_and_nothing_else(self):
    here, there = self.network.hosts[:2]
    sleepers = [
      host.start(["sleep", "600"], {}, "/dev/null") for host in (here, there)
    ]
    for host, sleeper in zip((here, there), sleepers, strict=True):
      deadline = time.monotonic() + 60.0
      while sleeper.pid not in host.processes():  # It is on its way there.
        self.assertLess(time.monotonic(), deadline)
        time.sleep(0.01)
    here.kill(holder=False)
    self.assertEqual(sleepers[0].wait(60.0), -signal.SIGKILL)
    self.assertEqual(here.processes(), [here.pid])
    self.assertIsNone(sleepers[1].poll())
    self.network.close()
    self.assertEqual(sleepers[1].wait(60.0), -signal.SIGKILL)


class OwnerTest(absltest.TestCase):
  def test_nothing_outlives_an_owner_that_is_killed(self):
    owner = subprocess.Popen(
      [sys.executable, "-c", _OWN],
      cwd=pathlib.Path(__file__).parents[3],
      stdout=subprocess.PIPE,
      text=True,
    )
    assert owner.stdout is not None
    with owner.stdout:
      pids = owner.stdout.readline().split()
    self.assertLen(pids, 3)
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 60.0
    while any(os.path.exists(f"/proc/{pid}/ns/net") for pid in pids):
      if time.monotonic() > deadline:
        self.fail(f"still there: {pids}")
      time.sleep(0.05)


if __name__ == "__main__":
  absltest.main()
