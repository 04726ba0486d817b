"""Tests of adaland.launch.caches."""

import os
import pathlib
import time

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

  def test_only_programs_that_were_not_used_are_removed(self):
    with absltest.mock.patch.dict(
      os.environ, {"XDG_CACHE_HOME": self.create_tempdir().full_path}
    ):
      caches.remove_unused(days=1)  # Of a folder that doesn't exist.
      folder = caches.jax_folder()
      assert folder is not None
      folder.mkdir(parents=True)
      ages = {
        "old-cache": 1.1,
        "old-atime": 1.1,
        "new-cache": 0.9,
        "new-atime": 1.1,
        "old-other": 1.1,
      }
      for name, days in ages.items():
        (folder / name).touch()
        read = time.time() - days * 86_400
        os.utime(folder / name, (read, time.time()))
      caches.remove_unused(days=1)
      left = {x.name for x in folder.iterdir()}
    self.assertEqual(left, {"new-cache", "new-atime", "old-other"})


if __name__ == "__main__":
  absltest.main()
