"""Tests of checkpoints on made-up folders."""

import pathlib

from absl.testing import absltest

from adaland.agent.replay.reverb import checkpoints


class ReverbCheckpointsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)

  def make(self, name, done=True):
    (self.root / name).mkdir()
    (self.root / name / "items").write_text(name)
    if done:
      (self.root / name / "DONE").touch()

  def content(self):
    return {
      folder.name: (folder / "items").read_text()
      for folder in self.root.iterdir()
    }

  def test_only_those_that_are_done_are_whole(self):
    self.assertEqual(checkpoints.whole(str(self.root / "none")), [])
    self.make("2027")
    self.make("2026")
    self.make("2028", done=False)
    found = checkpoints.whole(str(self.root))
    self.assertEqual(found, ["2026", "2027"])

  def test_the_newest_steps_back_and_what_is_no_use_goes(self):
    for name in ("2026", "2027"):
      self.make(name)
    self.make("2028", done=False)
    checkpoints.step_back(str(self.root))
    self.assertEqual(self.content(), {"0": "2027"})
    # The next one sorts after it, whatever the year, and replaces it.
    self.make("1970")
    self.assertEqual(checkpoints.whole(str(self.root)), ["0", "1970"])
    checkpoints.step_back(str(self.root))
    self.assertEqual(self.content(), {"0": "1970"})

  def test_where_the_next_was_not_finished_it_stays(self):
    self.make("2026")
    checkpoints.step_back(str(self.root))
    self.make("2027", done=False)
    checkpoints.step_back(str(self.root))
    self.assertEqual(self.content(), {"0": "2026"})

  def test_where_there_is_none_nothing_is_touched(self):
    self.make("2027", done=False)
    checkpoints.step_back(str(self.root))
    self.assertEqual(self.content(), {"2027": "2027"})


if __name__ == "__main__":
  absltest.main()
