"""Tests of the command: what it prints, and bad input."""

import contextlib
import io
import socket
import subprocess
import sys
import urllib.request

from absl.testing import absltest, parameterized

from adaland.launch import main
from tests import import_graph


def _call(*argv):
  """Runs the command; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = main.main(["studio", *argv])
  return code, out.getvalue(), err.getvalue()


class CommandTest(parameterized.TestCase):
  @parameterized.parameters(
    ("--port=70000", "allowed: 0 to 65535"),
    ("--port=-1", "'-1' is not a port, allowed: 0 to 65535"),
    ("--port=http", "'http' is not a port, allowed: 0 to 65535"),
    ("--workdir=/no/such", "--workdir=/no/such: no such directory"),
    ("--prot=8000", "did you mean '--port'"),
  )
  def test_bad_flags_are_one_line(self, flag, message):
    code, out, err = _call("--no_browser", flag)
    self.assertEqual((code, out), (2, ""))
    self.assertIn(message, err)
    self.assertEqual(err.count("\n"), 1)

  def test_a_busy_port_is_one_line(self):
    with socket.create_server(("127.0.0.1", 0)) as taken:
      port = taken.getsockname()[1]
      code, out, err = _call("--no_browser", f"--port={port}")
    self.assertEqual((code, out), (2, ""))
    self.assertIn(f"--port={port}", err)

  def test_it_prints_its_address_serves_the_page_and_ends(self):
    process = subprocess.Popen(
      [sys.executable, "-m", "adaland.launch.main", "studio", "--no_browser"],
      cwd=import_graph.ROOT,
      stdout=subprocess.PIPE,
      stderr=subprocess.DEVNULL,
      text=True,
    )
    self.addCleanup(process.kill)
    assert process.stdout is not None
    line = process.stdout.readline()
    self.assertRegex(line, r"^the studio: http://127\.0\.0\.1:\d+/#token=\S+$")
    address = line.split()[-1].partition("#")[0]
    with urllib.request.urlopen(address, timeout=60) as response:
      self.assertIn(b"Adaland", response.read())
    process.terminate()
    self.assertEqual(process.stdout.read(), "")
    process.wait(60)


if __name__ == "__main__":
  absltest.main()
