"""Tests of adaland.agent.replay.reverb.binding."""

import importlib.util
import subprocess
import sys
import textwrap
import unittest

from absl.testing import absltest

from adaland.agent.replay.reverb import binding


class ReverbLiteTest(absltest.TestCase):
  @unittest.skipUnless(
    importlib.util.find_spec("reverb"),
    "Reverb is not installed: ITS LOADING IS NOT TESTED.",
  )
  def test_it_brings_no_tensorflow_and_reverb_later_shares_it(self):
    code = """
      import sys
      from adaland.agent.replay.reverb import binding
      lite = binding.load()
      assert 'tensorflow' not in sys.modules
      import reverb
      assert reverb.pybind.Client is lite.Client
      print('shared')
    """
    result = subprocess.run(
      [sys.executable, "-c", textwrap.dedent(code)],
      capture_output=True,
      text=True,
      timeout=600,
      check=False,
    )
    self.assertEqual(result.stdout, "shared\n", result.stderr)

  def test_other_versions_get_the_plain_import(self):
    plain = type(sys)("reverb.pybind")
    package = type(sys)("reverb")
    package.__dict__["pybind"] = plain
    modules = {"reverb": package, "reverb.pybind": plain}
    with absltest.mock.patch.dict(sys.modules, modules):
      sys.modules.pop("reverb.libpybind", None)
      self.assertIs(binding.load((("dm-reverb", "0.0"),)), plain)
      self.assertIs(binding.load((("no-such-thing", "1"),)), plain)

  def test_what_can_t_be_loaded_alone_gets_the_plain_import(self):
    plain = type(sys)("reverb.pybind")
    package = type(sys)("reverb")
    package.__dict__["pybind"] = plain
    modules = {"reverb": package, "reverb.pybind": plain}
    with (
      absltest.mock.patch.dict(sys.modules, modules),
      absltest.mock.patch.object(
        binding, "_load_alone", side_effect=OSError("no such library")
      ),
      self.assertLogs(level="WARNING") as logs,
    ):
      sys.modules.pop("reverb.libpybind", None)
      self.assertIs(binding.load(tested=()), plain)
    self.assertIn("no such library", logs.output[0])

  def test_what_is_loaded_is_not_loaded_again(self):
    module = type(sys)("reverb.libpybind")
    with absltest.mock.patch.dict(sys.modules, {"reverb.libpybind": module}):
      self.assertIs(binding.load(), module)

  def test_a_package_that_is_missing_is_named(self):
    with self.assertRaisesRegex(ImportError, "no_such_package is not inst"):
      binding._folder("no_such_package")

  def test_where_a_package_lies(self):
    spec = importlib.util.find_spec("adaland.agent.replay")
    assert spec is not None
    locations = spec.submodule_search_locations
    assert locations is not None
    self.assertEqual(
      binding._folder("adaland.agent.replay"), next(iter(locations))
    )


if __name__ == "__main__":
  absltest.main()
