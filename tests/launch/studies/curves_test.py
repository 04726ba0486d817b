"""Tests of curves: means and common points worked out by hand."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.studies import curves


def _curve(steps, minutes, reward):
  columns = (steps, minutes, [2 * x for x in minutes], reward)
  return curves.Curve(*(np.array(x, np.float64) for x in columns))


class CurvesTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.found = {
      "fast": [_curve([10, 20, 40], [1, 2, 4], [0.1, 0.2, 0.4])],
      "slow": [
        _curve([5, 15, 25], [1, 3, 5], [0.3, 0.5, 0.7]),
        _curve([5, 15, 30], [1, 3, 5.5], [0.2, 0.4, 0.6]),
      ],
    }

  def test_means_over_the_latest_values(self):
    found = curves.smoothed(np.array([2.0, 4.0, 6.0, 14.0]), width=3)
    np.testing.assert_allclose(found, [2, 3, 4, 8])

  def test_equal_steps_and_equal_time(self):
    self.assertEqual(curves.common(self.found, "steps"), 25)
    self.assertEqual(curves.common(self.found, "minutes"), 4)
    self.assertEqual(curves.common(self.found, "cpu_minutes"), 8)
    fast, slow = self.found["fast"][0], self.found["slow"][0]
    self.assertEqual(curves.at(fast, "steps", 25), 0.2)
    self.assertEqual(curves.at(slow, "steps", 25), 0.7)
    self.assertEqual(curves.at(slow, "minutes", 4), 0.5)
    self.assertEqual(curves.at(slow, "minutes", 0.5), 0.3)

  def test_rows(self):
    lines = curves.rows(self.found).splitlines()
    self.assertLen(lines, 10)
    self.assertEqual(lines[1], "fast,0,10,1.00,2.00,0.1000")
    self.assertEqual(lines[-1], "slow,1,30,5.50,11.00,0.6000")

  def test_the_figure_is_a_picture(self):
    self.assertTrue(curves.draw(self.found, "?").startswith(b"\x89PNG"))

  def test_reads_a_run(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    rows = [
      {"step": 1, "seconds": 30.0},
      {"step": 7, "seconds": 60.0, "reward/trial_2": 0.5},
      {"step": 9, "seconds": 90.0, "reward/trial_2": None},
      {"step": 12, "seconds": 120.0, "reward/trial_2": 1.5},
    ]
    path = folder / "metrics.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    curve = curves.read(folder, trials=2, cpu_seconds=360.0)
    np.testing.assert_allclose(curve.steps, [7, 12])
    np.testing.assert_allclose(curve.minutes, [1, 2])
    np.testing.assert_allclose(curve.cpu_minutes, [3.5, 6.0])
    np.testing.assert_allclose(curve.reward, [0.5, 1.0])
    for content, message in (
      ('{"step": 1}\n', "has no reward/trial_2"),
      ("[]\n", "is not of the expected form"),
      ("{\n", "metrics.jsonl: "),
      (
        '{}\n{"step": 1, "seconds": 2, "reward/trial_2": "much"}\n',
        'metrics.jsonl: line 2: reward/trial_2 is "much", allowed: a finite',
      ),
      (
        '{"step": 1, "seconds": 2, "reward/trial_2": NaN}\n',
        "metrics.jsonl: line 1: reward/trial_2 is nan, allowed: a finite",
      ),
    ):
      path.write_text(content)
      with self.assertRaisesRegex(errors.UserError, message):
        curves.read(folder, trials=2, cpu_seconds=1.0)


if __name__ == "__main__":
  absltest.main()
