"""Tests of the small disk itself."""

import errno
import os
import subprocess

from absl.testing import absltest

from tests.launch.runtimes import small_disk


def setUpModule():
  reason = small_disk.missing_rights()
  if reason:
    raise absltest.SkipTest(f"a small disk needs a mount: {reason}")


class SmallDiskTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.disk = small_disk.SmallDisk(self.folder, 1)
    self.addCleanup(self.disk.close)

  def test_it_is_seen_by_its_own_processes_alone(self):
    write = ["sh", "-c", f"echo yes >{self.folder}/x"]
    subprocess.run([*self.disk.prefix, *write], check=True)
    self.assertEqual((self.disk.path / "x").read_text(), "yes\n")
    self.assertEqual(os.listdir(self.folder), [])

  def test_it_gets_full_and_free_again(self):
    self.disk.fill()
    with self.assertRaises(OSError) as caught:
      (self.disk.path / "x").write_text("no room")
    self.assertEqual(caught.exception.errno, errno.ENOSPC)
    self.disk.free()
    (self.disk.path / "x").write_text("room")

  def test_it_goes(self):
    path = self.disk.path
    self.disk.close()
    self.assertFalse(path.exists())


if __name__ == "__main__":
  absltest.main()
