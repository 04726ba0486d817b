"""Tests of adaland.launch.run.progress."""

import io

from absl.testing import absltest

from adaland.launch.run import progress


class ProgressTest(absltest.TestCase):
  def test_lines_where_there_is_no_terminal(self):
    stream = io.StringIO()
    bar = progress.Progress(stream, quiet_seconds=1000)
    bar.update("one")
    bar.update("two")
    bar.update("three", force=True)
    bar.close()
    self.assertEqual(stream.getvalue(), "one\nthree\n")

  def test_a_terminal_line_is_rewritten_in_full(self):
    stream = io.StringIO()
    stream.isatty = lambda: True
    bar = progress.Progress(stream)
    bar.update("long text")
    bar.update("short")
    bar.close()
    self.assertEqual(stream.getvalue(), "\rlong text\rshort    \n")

  def test_numbers_for_people(self):
    self.assertEqual(progress.duration(3 * 3600 + 125), "3h02m")
    self.assertEqual(progress.duration(61.6), "1m02s")
    self.assertEqual(progress.duration(7.2), "7s")
    self.assertEqual(progress.count(12345678), "12.3M")
    self.assertEqual(progress.count(1500), "1.5k")
    self.assertEqual(progress.count(12), "12")
    self.assertEqual(progress.count(999_499), "999k")
    self.assertEqual(progress.count(999_500), "1M")
    self.assertEqual(progress.count(999.6), "1k")
    self.assertEqual(progress.count(0), "0")

  def test_a_lasting_line_replaces_the_live_one(self):
    stream = io.StringIO()
    stream.isatty = lambda: True
    bar = progress.Progress(stream)
    bar.update("12345")
    bar.say("done")
    bar.close()  # The line is no longer live.
    self.assertEqual(stream.getvalue(), "\r12345\r     \rdone\n")

  def test_no_time_left_is_no_negative_time(self):
    self.assertEqual(progress.duration(-3.0), "0s")
    self.assertEqual(progress.duration(3599.7), "1h00m")


class RatesTest(absltest.TestCase):
  def test_increase_a_second_since_the_last_call(self):
    now = 100.0
    rates = progress.Rates(lambda: now)
    now = 102.0
    # A counter's value at the first call is not its growth since.
    self.assertEqual(rates({"a": 50}), {"a": 0.0})
    now = 106.0
    self.assertEqual(rates({"a": 58, "b": 9}), {"a": 2.0, "b": 0.0})
    now = 106.5
    self.assertEqual(rates({"a": 58, "b": 10}), {"a": 0.0, "b": 2.0})
    now = 107.0
    self.assertEqual(rates({"a": 57, "b": 11}), {"a": 0.0, "b": 2.0})


if __name__ == "__main__":
  absltest.main()
