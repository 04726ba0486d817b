"""Tests of adaland.launch.builder.start; nothing is trained."""

import json
import os
import pathlib

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.agents import agent_dir
from adaland.launch.builder import start
from adaland.launch.config import overrides, preset_configs
from adaland.launch.run import rundir


class CompleteTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    folder = pathlib.Path(self.create_tempdir().full_path)
    self.run_dir = rundir.RunDir(str(folder / "run"))

  def _complete(self, *settings):
    config = overrides.apply(preset_configs.laptop(), settings)
    made = start.complete(config, self.run_dir)
    return made.run.start_from, made.teaching.teacher

  def test_a_config_that_names_nothing_is_complete(self):
    config = preset_configs.smoke()
    self.assertIs(start.complete(config, self.run_dir), config)

  def test_agents_have_absolute_paths(self):
    settings = "run.start_from=a/first", "teaching.teacher=agent:second"
    first, second = os.path.abspath("a/first"), os.path.abspath("second")
    self.assertEqual(self._complete(*settings), (first, f"agent:{second}"))
    settings = f"run.start_from={first}", f"teaching.teacher=agent:{second}"
    self.assertEqual(self._complete(*settings), (first, f"agent:{second}"))

  def test_agents_that_come_with_the_package_keep_their_names(self):
    name = agent_dir.names()[0]
    self.assertEqual(
      self._complete(
        f"run.start_from={name}", f"teaching.teacher=agent:{name}"
      ),
      (name, f"agent:{name}"),
    )

  def test_what_the_run_has_recorded_is_left_as_it_is(self):
    settings = "run.start_from=first", "teaching.teacher=agent:second"
    config = overrides.apply(preset_configs.laptop(), settings)
    self.run_dir.begin(config).close()
    self.assertEqual(self._complete(*settings), ("first", "agent:second"))

  def test_a_run_s_recipe(self):
    config = overrides.apply(
      preset_configs.smoke(), ["factories.recipe=recipes:ema"]
    )
    self.run_dir.begin(config).close()
    found = start.complete(preset_configs.smoke(), self.run_dir)
    self.assertEqual(found, config)

  def test_a_broken_config_is_no_traceback(self):
    self.run_dir.path.mkdir()
    content = {"format": rundir.FORMAT, "config": {"factories": None}}
    self.run_dir.config.write_text(json.dumps(content))
    config = preset_configs.smoke()
    self.assertEqual(start.complete(config, self.run_dir), config)
    self.run_dir.config.write_text('{"model_type": "bert"}')
    with self.assertRaisesRegex(errors.UserError, "the format is not"):
      start.complete(config, self.run_dir)


if __name__ == "__main__":
  absltest.main()
