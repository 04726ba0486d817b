"""Tests of adaland.agent.muesli._rlax."""

import subprocess
import sys
import textwrap

from absl.testing import absltest


def _run(code):
  return subprocess.run(
    [sys.executable, "-c", textwrap.dedent(code)],
    capture_output=True,
    text=True,
    timeout=600,
    check=False,
  )


class RlaxTest(absltest.TestCase):
  def test_it_comes_without_tensorflow_and_blocks_no_later_import(self):
    result = _run("""
      import sys
      from adaland.agent.muesli._rlax import rlax
      print(callable(rlax.vtrace), "tensorflow" in sys.modules)
    """)
    self.assertEqual(result.stdout, "True False\n", result.stderr)

  def test_tensorflow_that_is_there_stays(self):
    # An empty stand-in, which TensorFlow Probability does not touch either.
    result = _run("""
      import sys, types
      there = sys.modules["tensorflow"] = types.ModuleType("tensorflow")
      sys.modules["rlax"] = types.ModuleType("rlax")
      from adaland.agent.muesli import _rlax
      print(sys.modules["tensorflow"] is there, _rlax.rlax.__name__)
    """)
    self.assertEqual(result.stdout, "True rlax\n", result.stderr)


if __name__ == "__main__":
  absltest.main()
