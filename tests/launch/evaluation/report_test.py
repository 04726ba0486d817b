"""Tests of adaland.launch.evaluation.report."""

import io
import json
import os
import pathlib

import numpy as np
from absl.testing import absltest
from PIL import Image

from adaland.launch import errors
from adaland.launch.evaluation import report, scores


def _summary(policy="agent", expert=(2.0, 4.0, 4.0, 0.0)):
  rewards = {
    1: np.array([[0.0], [1.0], [2.0], [5.0]]),
    3: np.array([[1.0, 0, 2], [0, 0, 2], [0, 1, 4], [7, 8, 9]]),
  }
  return scores.summary(policy, ["a", "b", "c", "d"], rewards, expert)


def _distance(a, b) -> float:
  """Returns the share of pixels that differ; 1 if the sizes do."""
  return float(np.mean(a != b)) if a.shape == b.shape else 1.0


class ReportTest(absltest.TestCase):
  def test_report(self):
    folder = pathlib.Path(self.create_tempdir().full_path) / "new" / "report"
    report.check_folder(str(folder))
    report.write(str(folder), [_summary()])
    self.assertEqual(
      sorted(p.name for p in folder.iterdir()),
      ["curve.png", "results.json", "table.md"],
    )
    self.assertEqual((folder / "curve.png").read_bytes()[:4], b"\x89PNG")
    self.assertEqual(
      json.loads((folder / "results.json").read_text()), [_summary()]
    )

  def test_report_refuses_a_file_for_a_folder(self):
    file = self.create_tempfile("x").full_path
    with self.assertRaisesRegex(errors.UserError, "--report"):
      report.check_folder(file)

  def test_a_read_only_folder_is_refused_at_once(self):
    folder = self.create_tempdir().full_path
    with (
      absltest.mock.patch.object(os, "access", return_value=False),
      self.assertRaisesRegex(errors.UserError, f"--report={folder}: is not wr"),
    ):
      report.check_folder(folder)

  def test_bands_are_of_1_96_standard_errors(self):
    summary = _summary()
    summary["by_trial"] = {"mean": [0.5, 0.25], "stderr": [0.1, 0.0]}
    with absltest.mock.patch.object(report.figure, "by_trial") as draw:
      report.curve([summary])
    [curves] = draw.call_args.args
    mean, low, high = curves["agent"]
    self.assertEqual(mean, [0.5, 0.25])
    np.testing.assert_allclose(low, [0.304, 0.25])
    np.testing.assert_allclose(high, [0.696, 0.25])

  def test_curves_of_several_policies_differ_from_one(self):
    def picture(*results):
      return np.asarray(Image.open(io.BytesIO(report.curve(results))))

    one = picture(_summary())
    np.testing.assert_array_equal(one, picture(_summary()))
    two = picture(_summary(), _summary("noop"))
    self.assertGreater(_distance(one, two), 0)
    controlled = _summary()
    curve = {"mean": [0.5] * 3, "stderr": [0.1] * 3}
    controlled["controls"] = {"swapped": {"by_trial": curve}}
    self.assertGreater(_distance(one, picture(controlled)), 0)


if __name__ == "__main__":
  absltest.main()
