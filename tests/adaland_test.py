"""Tests of the public interface: names in `adaland`, and their import cost."""

import inspect
import subprocess
import sys

from absl.testing import absltest

import adaland


class PublicNamesTest(absltest.TestCase):
  def test_every_name_can_be_had(self):
    self.assertLen(set(adaland.__all__), 15)
    for name in adaland.__all__:
      self.assertIsNotNone(getattr(adaland, name))
      self.assertIn(name, dir(adaland))
    with self.assertRaisesRegex(AttributeError, "has no attribute 'nothing'"):
      adaland.nothing  # noqa: B018

  def test_functions_and_classes_show_an_example(self):
    for name in ("make", "evaluate", "train", "load_agent", "Evaluation",
                 "Experiment", "TrainedAgent", "Policy"):  # fmt: skip
      found = inspect.getdoc(getattr(adaland, name)) or ""
      self.assertIn("Example:", found, name)

  def test_importing_is_light(self):
    code = (
      "import sys, adaland; heavy = ('jax', 'mujoco', 'numpy', 'gymnasium');"
      "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
      [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    self.assertEqual(done.stdout, "[]\n")


if __name__ == "__main__":
  absltest.main()
