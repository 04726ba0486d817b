"""Tests of adaland.launch.run.metrics."""

import importlib.util
import json
import os
import pathlib
import sys
import unittest
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.run import metrics
from tests.launch.run import file_limit


class MetricsWriterTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path

  def _rows(self):
    lines = pathlib.Path(self.folder, "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]

  def test_rows_are_written_at_once_and_appended(self):
    for number in (1, 2):
      writer = metrics.MetricsWriter(self.folder, 10 * (number - 1))
      writer.write(10 * number, {"loss": 0.5 * number, "updates": number})
      rows = self._rows()
      writer.close()
    self.assertLen(rows, 2)
    self.assertGreater(rows[1]["time"], 1e9)
    self.assertEqual(
      [(r["step"], r["loss"], r["updates"]) for r in rows],
      [(10, 0.5, 1.0), (20, 1.0, 2.0)],
    )

  def test_rows_after_the_checkpoint_are_dropped(self):
    writer = metrics.MetricsWriter(self.folder, 0)
    for step in (10, 20, 20, 30, 40):
      writer.write(step, {"a": step})
    writer.close()
    for newest, left in ((40, [10, 20, 20, 30, 40]), (20, [10, 20, 20])):
      metrics.MetricsWriter(self.folder, newest).close()
      self.assertEqual([row["step"] for row in self._rows()], left)
    writer = metrics.MetricsWriter(self.folder, 20)
    writer.write(25, {"a": 5})
    writer.close()
    self.assertEqual([row["a"] for row in self._rows()], [10, 20, 20, 5])
    metrics.MetricsWriter(self.folder, 0).close()
    self.assertEmpty(self._rows())

  def test_other_lines_are_kept(self):
    path = pathlib.Path(self.folder, "metrics.jsonl")
    path.write_text('{"step": 1}\n[]\nwhat\n{"step": "2"}\n{"step": 3}\n')
    metrics.MetricsWriter(self.folder, 2).close()
    self.assertEqual(
      path.read_text().split("\n")[1:4], ["[]", "what", '{"step": "2"}']
    )
    self.assertNotIn("3", path.read_text())

  def test_nan_and_infinity_are_null(self):
    writer = metrics.MetricsWriter(self.folder, 0)
    writer.write(0, {"a": float("nan"), "b": float("inf"), "c": 1.0})
    writer.close()
    [row] = self._rows()
    self.assertEqual((row["a"], row["b"], row["c"]), (None, None, 1.0))

  @unittest.skipUnless(
    importlib.util.find_spec("tensorboardX"), "tensorboardX is not installed"
  )
  def test_tensorboard_gets_finite_numbers(self):
    writer = metrics.MetricsWriter(self.folder, 0)
    writer.write(7, {"loss/none": float("nan"), "loss/some": 1.5})
    writer.close()
    folder = pathlib.Path(self.folder, "tensorboard")
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    self.assertIn(b"loss/some", content)
    self.assertIn(np.float32(1.5).tobytes(), content)
    self.assertNotIn(b"loss/none", content)

  @unittest.skipUnless(
    importlib.util.find_spec("tensorboardX"), "tensorboardX is not installed"
  )
  def test_tensorboard_drops_steps_after_the_checkpoint(self):
    from tensorboardX.proto import event_pb2

    # The module makes its classes at import, so type checkers can't see them.
    event_class: Any = vars(event_pb2)["Event"]

    metrics.MetricsWriter(self.folder, 41).close()
    [path] = pathlib.Path(self.folder, "tensorboard").iterdir()
    content, events = path.read_bytes(), []
    while content:  # Length, its check, the event, its check.
      size = int.from_bytes(content[:8], "little")
      events.append(event_class.FromString(content[12 : 12 + size]))
      content = content[16 + size :]
    starts = [e.step for e in events if e.HasField("session_log")]
    self.assertEqual(starts, [42])
    self.assertEqual(events[-1].session_log.status, 1)  # START.

  def test_without_tensorboard_there_are_rows_only(self):
    with absltest.mock.patch.dict(sys.modules, {"tensorboardX": None}):
      writer = metrics.MetricsWriter(self.folder, 0)
    writer.write(7, {"c": 1.5})
    writer.close()
    self.assertEqual(os.listdir(self.folder), ["metrics.jsonl"])
    self.assertEqual(self._rows()[0]["c"], 1.5)

  def test_an_incomplete_line_of_a_killed_writer_is_dropped(self):
    path = pathlib.Path(self.folder, "metrics.jsonl")
    path.write_text('{"step": 1}\n{"step": 2, "ti')
    writer = metrics.MetricsWriter(self.folder, 2)
    writer.write(3, {"a": 4.0})
    writer.close()
    self.assertEqual([row["step"] for row in self._rows()], [1, 3])

  @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
  def test_a_full_disk_names_the_file(self):
    path = pathlib.Path(self.folder, "metrics.jsonl")
    os.symlink("/dev/full", path)
    writer = metrics.MetricsWriter(self.folder, 0)
    with self.assertRaises(OSError) as caught:
      writer.write(1, {"a": 2.0})
    writer.close()
    self.assertEqual(
      errors.describe_os_error(caught.exception),
      f"{path}: No space left on device",
    )

  def test_a_row_that_a_full_disk_cuts_short_is_removed(self):
    path = pathlib.Path(self.folder, "metrics.jsonl")
    writer = metrics.MetricsWriter(self.folder, 0)
    writer.write(1, {"a": 2.0})
    with (
      file_limit.at(path.stat().st_size + 5),
      self.assertRaisesRegex(OSError, "metrics.jsonl"),
    ):
      writer.write(2, {"a": 3.0})
    writer.write(3, {"a": 4.0})
    writer.close()
    self.assertEqual([row["step"] for row in self._rows()], [1, 3])


if __name__ == "__main__":
  absltest.main()
