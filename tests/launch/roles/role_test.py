"""Tests of adaland.launch.roles.role, and of what roles may import."""

import ast
import pathlib
import threading

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.config import preset_configs
from adaland.launch.roles import role

_ROLES = pathlib.Path(role.__file__).parent


class RoleTest(absltest.TestCase):
  def make(self):
    return role.Role("x", role.Setup(preset_configs.smoke(), "/run"))

  def test_errors_by_kind(self):
    for error, expected in (
      (errors.UserError("a\nb"), role.Failure("a b", True, True)),
      (errors.RunError("a"), role.Failure("a", False, True)),
      (OSError("a"), role.Failure("OSError: a", False, False)),
    ):

      class Failing(role.Role):
        def _work(self, error=error):
          raise error

      made = Failing("x", role.Setup(preset_configs.smoke(), "/run"))
      self.assertEqual(made.run(), expected)

  def test_it_runs_until_it_is_stopped(self):
    made, found = self.make(), []
    thread = threading.Thread(target=lambda: found.append(made.run()))
    thread.start()
    self.assertTrue(thread.is_alive())
    made.stop()
    thread.join(60)
    self.assertEqual(found, [None])

  def test_it_ends_at_once_if_it_was_told_to_before(self):
    for end in ("stop", "abort"):
      made = self.make()
      getattr(made, end)()
      self.assertIsNone(made.run())

  def test_two_incarnations_differ(self):
    one, two = self.make().stats(), self.make().stats()
    self.assertNotEqual(one["incarnation"], two["incarnation"])
    self.assertEqual(one["pid"], two["pid"])


class ImportsTest(absltest.TestCase):
  def test_roles_know_no_engine(self):
    for path in _ROLES.glob("*.py"):
      for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
          names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
          names = [node.module or ""]
        for name in names:
          self.assertNotEqual(name.split(".")[0], "ray", path.name)
          self.assertNotStartsWith(name, "adaland.launch.runtimes", path.name)


if __name__ == "__main__":
  absltest.main()
