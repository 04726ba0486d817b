"""Tests of adaland.launch.run.rundir."""

import dataclasses
import errno
import pathlib

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.launch import errors
from adaland.launch.run import rundir


@dataclasses.dataclass(frozen=True)
class Config:
  """A config."""

  size: int = 1


@dataclasses.dataclass(frozen=True)
class LaterConfig(Config):
  """The config of a later version."""

  depth: int = 3


class RunDirTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def test_begin_creates_a_run_and_accepts_it_again(self):
    run = rundir.RunDir(str(self.folder / "a" / "b"))
    run.begin(Config())
    self.assertEqual(run.read_config(), {"size": 1})
    rundir.RunDir(str(run.path)).begin(Config())

  def test_another_config_is_refused_by_field(self):
    run = rundir.RunDir(str(self.folder / "run"))
    run.begin(Config())
    run.begin(Config(2))  # Nothing has happened there yet.
    (run.path / "metrics.jsonl").write_text("{}\n")
    with self.assertRaisesRegex(errors.UserError, r"size: 1, not 2"):
      run.begin(Config())
    run.begin(Config(3), free_fields=["size"])
    self.assertEqual(run.read_config(), {"size": 3})

  def test_a_run_older_than_a_field_has_the_field_s_default(self):
    run = rundir.RunDir(str(self.folder / "run"))
    run.begin(Config()).close()
    (run.path / "metrics.jsonl").write_text("{}\n")
    with self.assertRaisesRegex(errors.UserError, "depth: 4, not 3"):
      run.begin(LaterConfig(depth=4))
    run.begin(LaterConfig()).close()
    self.assertEqual(run.read_config(), {"size": 1, "depth": 3})

  def test_a_run_with_a_checkpoint_keeps_its_config(self):
    run = rundir.RunDir(str(self.folder / "run"))
    run.begin(Config()).close()
    checkpoint.save(run.checkpoints, 1, {"x": np.zeros(1)}, {})
    with self.assertRaisesRegex(errors.UserError, r"size: 2, not 1"):
      run.begin(Config(2))

  def test_a_start_that_was_killed_may_be_repeated(self):
    run = rundir.RunDir(str(self.folder / "run"))
    run.path.mkdir()
    (run.path / ".partial-x").write_text("{")
    run.begin(Config())
    self.assertEqual(run.read_config(), {"size": 1})

  def test_foreign_directories_are_left_alone(self):
    (self.folder / "thesis.txt").write_text("mine")
    with self.assertRaisesRegex(errors.UserError, "is not a run"):
      rundir.RunDir(str(self.folder)).begin(Config())
    with self.assertRaisesRegex(errors.UserError, "is not a run"):
      rundir.RunDir(str(self.folder / "thesis.txt")).begin(Config())
    self.assertEqual([p.name for p in self.folder.iterdir()], ["thesis.txt"])
    model = self.folder / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "bert"}')
    with self.assertRaisesRegex(errors.UserError, "the format is not"):
      rundir.RunDir(str(model)).begin(Config())
    self.assertEqual([p.name for p in model.iterdir()], ["config.json"])

  def test_reading_a_folder_without_a_run_is_refused(self):
    with self.assertRaisesRegex(errors.UserError, "no such directory"):
      rundir.RunDir(str(self.folder / "x")).read_config()
    with self.assertRaisesRegex(errors.UserError, "not a run"):
      rundir.RunDir(str(self.folder)).read_config()
    (self.folder / "config.json").write_text("{")
    with self.assertRaisesRegex(
      errors.UserError, "config.json: .*no JSON: Expecting"
    ):
      rundir.RunDir(str(self.folder)).read_config()
    (self.folder / "config.json").write_text('{"format": "other"}')
    with self.assertRaisesRegex(errors.UserError, "the format is not"):
      rundir.RunDir(str(self.folder)).read_config()

  def test_only_one_train_at_a_time(self):
    run = rundir.RunDir(str(self.folder / "run"))
    with (
      run.begin(Config()),
      self.assertRaisesRegex(errors.UserError, "^workdir=/.*: another train"),
    ):
      run.begin(Config(2))
    self.assertEqual(run.read_config(), {"size": 1})
    run.begin(Config(2)).close()

  def test_a_file_system_without_locks_is_refused_by_name(self):
    error = OSError(errno.ENOSYS, "Function not implemented")
    with (
      absltest.mock.patch.object(rundir.fcntl, "flock", side_effect=error),
      self.assertRaisesRegex(
        errors.ArgumentError, "^workdir=/.*: can't be locked .Function not impl"
      ),
    ):
      rundir.RunDir(str(self.folder / "run")).begin(Config())

  def test_a_failed_start_leaves_a_usable_directory(self):
    (self.folder / "lock").touch()
    (self.folder / "logs").mkdir()
    rundir.RunDir(str(self.folder)).begin(Config()).close()

  def test_a_config_without_content_is_refused(self):
    (self.folder / "config.json").write_text('{"format": "adaland.run/2"}')
    with self.assertRaisesRegex(errors.UserError, "it has no 'config'"):
      rundir.RunDir(str(self.folder)).read_config()

  def test_a_run_of_another_version_is_refused_in_one_line(self):
    (self.folder / "config.json").write_text(
      '{"format": "adaland.run/1", "config": {}}'
    )
    with self.assertRaisesRegex(
      errors.UserError,
      "config.json: the run is of format 'adaland.run/1', allowed: "
      "'adaland.run/2'; it can be",
    ):
      rundir.RunDir(str(self.folder)).begin(Config())

  def test_paths_do_not_depend_on_the_current_directory(self):
    run = rundir.RunDir("runs/a")
    self.assertEqual(run.path, pathlib.Path.cwd() / "runs" / "a")
    self.assertEqual(run.config, run.path / "config.json")
    self.assertFalse(run.exists())


if __name__ == "__main__":
  absltest.main()
