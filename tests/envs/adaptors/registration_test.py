"""Tests of adaland.envs.adaptors.registration."""

import pathlib
import subprocess
import sys
import warnings

from absl.testing import absltest, parameterized

from adaland.envs.adaptors import gymnasium_make, registration

_ROOT = pathlib.Path(__file__).resolve().parents[3]


class RegistrationTest(parameterized.TestCase):
  def test_there_is_an_id_for_each_source(self):
    self.assertEqual(set(registration.NAMES), set(gymnasium_make.SOURCES))

  def test_registering_twice_is_registering_once(self):
    with warnings.catch_warnings():
      warnings.simplefilter("error")
      registration.register()
      registration.register()

  @parameterized.parameters(
    ("import adaland", "import gymnasium"),
    ("import gymnasium", "import adaland"),
    ("import adaland", "from gymnasium import spaces", "import gymnasium"),
  )
  def test_order_of_imports_makes_no_difference(self, *imports):
    code = "\n".join(
      (
        "import sys",
        *imports,
        "gymnasium.spec('adaland/Probe-v0')",
        "sys.exit('jax is imported' if 'jax' in sys.modules else 0)",
      )
    )
    result = subprocess.run(
      [sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True
    )
    self.assertEqual(result.returncode, 0, result.stderr)

  def test_importing_the_package_is_light(self):
    code = (
      "import sys, adaland\n"
      "heavy = {'gymnasium', 'jax', 'mujoco', 'numpy'} & set(sys.modules)\n"
      "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
      [sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True
    )
    self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
  absltest.main()
