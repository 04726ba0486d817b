"""A jump of the machine's clock can't disturb a run: nobody goes by it.

Durations and deadlines are of `time.monotonic`, which no one sets. The time of
day is only written down, in the places below. What a run does when it jumps,
Ray and Reverb included, is in tests/launch/runtimes/clock_jump_test.py.
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
# Where it is written down for a reader, or compared with what was written.
_ALLOWED = {
  # Whether it was put back, which TensorStore can't bear.
  "agent/checkpoint/arrays.py": 2,
  # Which start of a run a status file is of.
  "launch/bench/lib/live_run.py": 1,
  "launch/run/metrics.py": 2,  # When a row was written.
  "launch/run/status_file.py": 1,  # When the status was.
  "launch/status.py": 1,  # How old that is.
}


def times_of_day(source: str) -> int:
  """Counts where a module asks for the time of day."""
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
  def test_the_time_of_day_is_only_written_down(self):
    found = {}
    for package in _PACKAGES:
      for path in (_ROOT / package).rglob("*.py"):
        count = times_of_day(path.read_text())
        if count:
          found[str(path.relative_to(_ROOT))] = count
    self.assertEqual(found, _ALLOWED)

  def test_it_is_seen_where_it_is_asked_for(self):
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
