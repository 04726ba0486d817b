"""Tests of subprocess_json, on commands with every kind of ending."""

import os
import pathlib

from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.bench.lib import subprocess_json

_CHILD = """
import sys, time
what = sys.argv[1]
assert sys.argv[2] == "--json=-"
if what == "works":
  print('{"a_ratio": 0.5}')
elif what == "refuses":
  sys.exit("first\\nerror: env: too small: lower it\\n")
elif what == "breaks":
  error = RuntimeError("RESOURCE_EXHAUSTED: 5 bytes")
  error.add_note("-----\\nFor simplicity, JAX has removed its frames.")
  raise error
elif what == "hangs":
  time.sleep(60)
"""


class ProcessTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / "child_of_bench.py").write_text(_CHILD)
    self.env = {**os.environ, "PYTHONPATH": str(folder)}

  def begin(self, what):
    return subprocess_json.Process("child_of_bench", what, env=self.env)

  def test_returns_the_result(self):
    self.assertEqual(
      self.begin("works").wait(30), subprocess_json.Done({"a_ratio": 0.5}, "")
    )
    result = subprocess_json.run("child_of_bench", "works", env=self.env)
    self.assertEqual(result, {"a_ratio": 0.5})

  @parameterized.parameters(
    ("refuses", "env: too small: lower it"),
    ("breaks", "RuntimeError: RESOURCE_EXHAUSTED: 5 bytes"),
  )
  def test_a_failure_has_a_reason_of_one_line(self, what, fault):
    self.assertEqual(self.begin(what).wait(30), subprocess_json.Done({}, fault))
    with self.assertRaisesRegex(errors.RunError, fault):
      subprocess_json.run("child_of_bench", what, env=self.env)

  def test_a_process_that_takes_too_long_is_killed(self):
    process = self.begin("hangs")
    done = process.wait(0.5)
    self.assertEqual(done.fault, "took longer than the 0 s that were left")
    self.assertIsNotNone(process._child.returncode)

  def test_reasons(self):
    self.assertEqual(subprocess_json.reason(-9, "x"), "was killed by signal 9")
    self.assertEqual(subprocess_json.reason(3, " \n"), "ended with status 3")


if __name__ == "__main__":
  absltest.main()
