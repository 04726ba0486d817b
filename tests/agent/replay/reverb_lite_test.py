"""Tests of agent.replay.reverb_lite."""

import importlib.util
import subprocess
import sys
import textwrap
import unittest

from absl.testing import absltest

from agent.replay import reverb_lite


class ReverbLiteTest(absltest.TestCase):
  @unittest.skipUnless(
    importlib.util.find_spec("reverb"),
    "Reverb is not installed: ITS LOADING IS NOT TESTED.",
  )
  def test_it_brings_no_tensorflow_and_reverb_later_shares_it(self):
    code = """
      import sys
      from agent.replay import reverb_lite
      lite = reverb_lite.load()
      assert 'tensorflow' not in sys.modules
      import reverb
      assert reverb.pybind.Client is lite.Client
      print('shared')
    """
    result = subprocess.run(
      [sys.executable, "-c", textwrap.dedent(code)],
      capture_output=True,
      text=True,
      timeout=60,
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
      self.assertIs(reverb_lite.load((("dm-reverb", "0.0"),)), plain)
      self.assertIs(reverb_lite.load((("no-such-thing", "1"),)), plain)

  def test_what_can_t_be_loaded_alone_gets_the_plain_import(self):
    plain = type(sys)("reverb.pybind")
    package = type(sys)("reverb")
    package.__dict__["pybind"] = plain
    modules = {"reverb": package, "reverb.pybind": plain}
    with (
      absltest.mock.patch.dict(sys.modules, modules),
      absltest.mock.patch.object(
        reverb_lite, "_load_alone", side_effect=OSError("no such library")
      ),
      self.assertLogs(level="WARNING") as logs,
    ):
      sys.modules.pop("reverb.libpybind", None)
      self.assertIs(reverb_lite.load(tested=()), plain)
    self.assertIn("no such library", logs.output[0])

  def test_what_is_loaded_is_not_loaded_again(self):
    module = type(sys)("reverb.libpybind")
    with absltest.mock.patch.dict(sys.modules, {"reverb.libpybind": module}):
      self.assertIs(reverb_lite.load(), module)

  def test_a_package_that_is_missing_is_named(self):
    with self.assertRaisesRegex(ImportError, "no_such_package is not inst"):
      reverb_lite._folder("no_such_package")

  def test_where_a_package_lies(self):
    spec = importlib.util.find_spec("agent.replay")
    assert spec is not None
    locations = spec.submodule_search_locations
    assert locations is not None
    self.assertEqual(reverb_lite._folder("agent.replay"), next(iter(locations)))


if __name__ == "__main__":
  absltest.main()
