"""Tests that no duration or deadline depends on the machine's time of day.

All of them use `time.monotonic`, which can't be set. The time of day is only
recorded, by the modules below. tests/launch/runtimes/clock_jump_test.py tests
runs, Ray and Reverb included, during a jump of the clock.
"""

import ast
import pathlib

from absl.testing import absltest

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_PACKAGES = ("agent", "curriculum", "envs", "launch")
_OF_THE_DAY = {
  "time.time",
  "time.time_ns",
  "time.localtime",
  "time.gmtime",
  "time.ctime",
  "time.strftime",
}
# Uses of the time of day by module: records, and comparisons with records.
_ALLOWED = {
  # Detects a clock that was put back, with which TensorStore fails.
  "agent/checkpoint/arrays.py": 2,
  # Recognises the status file of an earlier start.
  "launch/bench/lib/live_run.py": 1,
  "launch/caches.py": 1,  # Age of a compiled program.
  "launch/run/metrics.py": 2,  # Time of a row.
  "launch/run/status_file.py": 1,  # Time of the status.
  "launch/status.py": 1,  # Age of the status.
}


def times_of_day(source: str) -> int:
  """Counts the uses of the time of day in a module."""
  found = 0
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, ast.Attribute):
      found += ast.unparse(node) in _OF_THE_DAY
    elif isinstance(node, ast.Import):
      found += any(alias.name == "datetime" for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      found += node.module in ("time", "datetime")
  return found


class ClockTest(absltest.TestCase):
  def test_the_time_of_day_is_only_recorded(self):
    found = {}
    for package in _PACKAGES:
      for path in (_ROOT / package).rglob("*.py"):
        count = times_of_day(path.read_text())
        if count:
          found[str(path.relative_to(_ROOT))] = count
    self.assertEqual(found, _ALLOWED)

  def test_all_uses_are_counted(self):
    for source in (
      "import time\nstart = time.time()",
      "from time import time",
      "import datetime",
      "from datetime import datetime",
      "import time\nwait(clock=time.time)",
    ):
      self.assertEqual(times_of_day(source), 1, source)
    self.assertEqual(times_of_day("import time\ntime.monotonic()"), 0)


if __name__ == "__main__":
  absltest.main()
