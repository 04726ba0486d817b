"""Tests of adaland.launch.caches."""

import os
import pathlib

from absl.testing import absltest

from adaland.launch import caches


class JaxFolderTest(absltest.TestCase):
  def test_the_folder_is_in_the_users_cache_directory(self):
    with absltest.mock.patch.dict(os.environ, {"XDG_CACHE_HOME": "/somewhere"}):
      folder = caches.jax_folder()
    assert folder is not None
    self.assertEqual(folder.parent, pathlib.Path("/somewhere/adaland"))
    self.assertRegex(folder.name, "^jax-[0-9a-f]{12}$")

  def test_a_user_without_a_home_has_none(self):
    # Neither HOME nor an entry in the list of users.
    with (
      absltest.mock.patch.dict(os.environ, {"XDG_CACHE_HOME": ""}),
      absltest.mock.patch.object(
        pathlib.Path, "home", side_effect=RuntimeError("no home directory")
      ),
    ):
      self.assertIsNone(caches.jax_folder())

  def test_the_folder_depends_on_the_processor(self):
    folders = set()
    for flags in (["flags: avx"], ["flags: avx avx512f"], []):
      with absltest.mock.patch.object(
        caches, "_processor_flags", return_value=flags
      ):
        folders.add(caches.jax_folder())
    self.assertLen(folders, 3)

  def test_commands_use_the_folder(self):
    # Set before JAX was imported, unless the environment had set it.
    self.assertIn("JAX_COMPILATION_CACHE_DIR", os.environ)


if __name__ == "__main__":
  absltest.main()
