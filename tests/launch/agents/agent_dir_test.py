"""Tests of adaland.launch.agents.agent_dir."""

import json
import pathlib
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.agents import agent_dir
from adaland.launch.config import preset_configs

_PARAMS: Any = {"net": {"w": np.ones((2, 3), np.float32)}}
_DESCRIPTION = agent_dir.Description(
  "mine", preset_configs.smoke(), agent_dir.Training(120, 7, 61.5, "2 cores")
)


class AgentDirTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.path = self.folder / "mine"

  def write(self):
    agent_dir.write(str(self.path), _DESCRIPTION, _PARAMS, "# card\n", b"png")

  def change(self, **fields):
    file = self.path / "agent.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))

  def test_round_trip(self):
    self.write()
    self.assertEqual(
      sorted(path.name for path in self.path.iterdir()),
      ["README.md", "agent.json", "scores.png", "weights.safetensors"],
    )
    self.assertEqual(agent_dir.find(str(self.path)), self.path)
    self.assertEqual(agent_dir.read(self.path), _DESCRIPTION)
    found: Any = agent_dir.read_params(self.path, _PARAMS)
    np.testing.assert_array_equal(found["net"]["w"], _PARAMS["net"]["w"])
    # Whatever the process's umask, others may read it.
    self.assertEqual(self.path.stat().st_mode & 0o777, 0o755)

  def test_other_places_are_no_agents(self):
    self.assertIsNone(agent_dir.find(str(self.folder)))
    self.assertIsNone(agent_dir.find(str(self.folder / "none")))

  def test_agents_of_the_package(self):
    self.write()
    with absltest.mock.patch.object(agent_dir, "SHIPPED", self.folder):
      self.assertEqual(agent_dir.names(), ["mine"])
      self.assertEqual(agent_dir.find("agent:mine"), self.path)
      for name in ("min", "../mine", ""):
        with self.assertRaisesRegex(errors.UserError, "is not one of mine"):
          agent_dir.find(f"agent:{name}")

  def test_what_comes_with_the_package_can_be_read(self):
    self.assertTrue(agent_dir.SHIPPED.is_dir())
    self.assertContainsSubset(
      ["laptop", "mixture", "unprivileged"], agent_dir.names()
    )
    for name in agent_dir.names():
      path = agent_dir.find(f"agent:{name}")
      assert path is not None
      self.assertEqual(agent_dir.read(path).name, name)
      card = (path / "README.md").read_text()
      self.assertIn(f"--workdir=agent:{name} ", card)
      self.assertIn(f'load_agent("agent:{name}")', card)
      size = sum(file.stat().st_size for file in path.iterdir())
      self.assertLess(size, 10_000_000)

  @parameterized.parameters(
    ({"format": "adaland.agent/2"}, "another version of Adaland wrote it"),
    ({"format": "adaland.run/2"}, "the format is not 'adaland.agent/1'"),
    ({"config": {"run": {"sed": 1}}}, "run.sed: no such field"),
    ({"config": None}, "config: None is not an object"),
    ({"training": {}}, "KeyError: 'env_steps'"),
    ({"training": 3}, "TypeError"),
    (
      {
        "training": {
          "env_steps": 1,
          "updates": 2,
          "seconds": 3.0,
          "hardware": "",
          "averaged": [3],
        }
      },
      "training.averaged.*: 3 is not a string",
    ),
    (
      {"training": {"env_steps": 1, "updates": "2"}},
      "training.updates: '2' is not a whole number",
    ),
    ({"name": 3}, "name: 3 is not a string"),
  )
  def test_a_broken_description_is_refused(self, fields, message):
    self.write()
    self.change(**fields)
    with self.assertRaisesRegex(errors.UserError, message) as caught:
      agent_dir.read(self.path)
    self.assertStartsWith(str(caught.exception), str(self.path / "agent.json"))

  def test_missing_weights_are_named(self):
    self.write()
    (self.path / "weights.safetensors").unlink()
    with self.assertRaisesRegex(errors.UserError, "safetensors: No such file"):
      agent_dir.read_params(self.path, _PARAMS)

  def test_only_an_empty_directory_is_replaced(self):
    self.path.mkdir()
    self.write()
    with self.assertRaisesRegex(errors.UserError, "exists; choose another"):
      self.write()
    with self.assertRaisesRegex(errors.UserError, "does not exist"):
      agent_dir.check_out(str(self.folder / "no" / "agent"))
    with self.assertRaisesRegex(
      errors.UserError, "^--out=agent:mine: means an agent of the package"
    ):
      agent_dir.check_out("agent:mine")

  @parameterized.product(bad=(np.nan, np.inf), half=(False, True))
  def test_diverged_parameters_are_refused(self, bad, half):
    params: Any = {"net": {"w": np.array([1.0, bad], np.float32)}}
    with self.assertRaisesRegex(
      errors.UserError, "^the run has diverged: net/w has .* not finite$"
    ):
      agent_dir.write(str(self.path), _DESCRIPTION, params, "", half=half)
    self.assertEmpty(list(self.folder.iterdir()))

  def test_a_failure_leaves_nothing_behind(self):
    with (
      absltest.mock.patch.object(
        agent_dir.output, "write_atomically", side_effect=OSError("full")
      ),
      self.assertRaises(OSError),
    ):
      self.write()
    self.assertEmpty(list(self.folder.iterdir()))


if __name__ == "__main__":
  absltest.main()
