"""Tests of adaland.launch.evaluation.demo."""

import contextlib
import io
import os
import pathlib
import zipfile

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.evaluation import demo
from tests.launch import fakes


def _actions(steps=15):
  return np.tile(np.array([2, 0, 4, 1, 1, 0]), (steps, 1))


class DemoTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.path = os.path.join(self.create_tempdir().full_path, "demo.npz")
    self.task = fakes.make_task(trials=1)

  def _save(self, **changes):
    made = demo.Demo(self.task, 5, _actions(), np.array([1.0]))
    demo.save(self.path, made._replace(**changes))

  def test_round_trip(self):
    self._save()
    loaded = demo.load(self.path)
    self.assertEqual((loaded.task, loaded.seed), (self.task, 5))
    np.testing.assert_array_equal(loaded.actions, _actions())
    self.assertEqual(loaded.actions.dtype, np.int32)
    np.testing.assert_array_equal(loaded.rewards, [1.0])
    self.assertEqual(os.listdir(os.path.dirname(self.path)), ["demo.npz"])

  @parameterized.parameters(
    (_actions()[:, :5], "actions are out of range"),
    (_actions() - 1, "actions are out of range"),
    (_actions() + np.array([1, 0, 0, 0, 0, 0]), "actions are out of range"),
    (_actions()[0], "actions are out of range"),
    (_actions(14), r"has 14 steps; allowed: 15 \(one trial\) to"),
  )
  def test_actions_that_can_t_be_played_are_refused(self, actions, message):
    self._save(actions=actions)
    with self.assertRaisesRegex(errors.UserError, f"^demo=.*: .*{message}"):
      demo.load(self.path)

  def test_a_demonstration_of_two_players_is_for_those_who_allow_it(self):
    self.task = fakes.make_task(
      trials=1, players=(self.task.players[0], self.task.players[0])
    )
    together = np.tile(_actions()[:, None], (1, 2, 1))
    self._save(actions=together)
    loaded = demo.load(self.path, most_players=2)
    np.testing.assert_array_equal(loaded.actions, together)
    with self.assertRaisesRegex(errors.UserError, "has 2 players, allowed: 1"):
      demo.load(self.path)
    self._save(actions=_actions())
    with self.assertRaisesRegex(errors.UserError, "actions are out of range"):
      demo.load(self.path, most_players=2)

  def _broken(self):
    with self.assertRaisesRegex(
      errors.UserError, f"^demo={self.path}: "
    ) as caught:
      demo.load(self.path)
    self.assertNotIn("\n", str(caught.exception))
    return str(caught.exception)

  def test_replacing_a_demonstration_is_announced(self):
    self._save()
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
      demo.check_path(self.path)
    self.assertIn("will be replaced", said.getvalue())
    pathlib.Path(self.path).write_text("mine")
    with self.assertRaisesRegex(errors.UserError, "choose another name"):
      demo.check_path(self.path)
    os.truncate(self.path, 0)
    demo.check_path(self.path)

  def test_other_files_are_refused(self):
    self.assertIn("No such file", self._broken())
    file = pathlib.Path(self.path)
    file.write_bytes(b"")
    self._broken()
    file.write_bytes(b"no zip")
    self._broken()
    with file.open("wb") as out:
      np.save(out, np.zeros(3))  # An array instead of an archive.
    self.assertIn("is not a demonstration", self._broken())
    np.savez(self.path, format=np.array("other"))
    self.assertIn("is not a demonstration (adaland.demo/1)", self._broken())
    np.savez(self.path, format=np.array(demo.FORMAT))
    self.assertIn("task", self._broken())

  def test_damaged_files_are_refused(self):
    self._save()
    whole = pathlib.Path(self.path).read_bytes()
    for end in (len(whole) // 2, len(whole) - 1):
      pathlib.Path(self.path).write_bytes(whole[:end])
      self._broken()
    for place in range(30, len(whole), 97):
      damaged = bytearray(whole)
      damaged[place : place + 8] = b"\xff" * 8
      pathlib.Path(self.path).write_bytes(damaged)
      try:
        demo.load(self.path)
      except errors.UserError:
        continue  # Anything else is a defect; some bytes don't matter.

  def test_large_arrays_are_refused(self):
    self._save()
    with zipfile.ZipFile(self.path) as archive:
      members = {name: archive.read(name) for name in archive.namelist()}
    file = pathlib.Path(self.path)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
      for name, content in members.items():
        bomb = content + (name == "task.npy") * bytes(20_000_000)
        archive.writestr(name, bomb)
    self.assertLess(file.stat().st_size, 100_000)
    self.assertIn("its arrays are larger than 8000000", self._broken())
    # Its dictionary may take gigabytes, whatever the content.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
      for name, content in members.items():
        archive.writestr(name, content)
    self.assertIn("compressed in an unknown way", self._broken())
    header = members["actions.npy"].replace(b"(15, 6), }", b"(2**60,)}")
    with zipfile.ZipFile(file, "w") as archive:
      for name, content in {**members, "actions.npy": header}.items():
        archive.writestr(name, content)
    self._broken()
    file.write_bytes(bytes(8_000_001))
    self.assertIn("larger than 8000000", self._broken())

  def test_arrays_that_are_no_episode_are_refused(self):
    self._save()
    with np.load(self.path) as file:
      good = dict(file)
    for name, value, message in (
      ("seed", np.array(-1), "seed is not a whole number"),
      ("seed", np.array(2**63, np.uint64), "seed is not a whole number"),
      ("seed", np.array(1.0), "seed is not a whole number"),
      ("actions", _actions(16).astype(np.int8), "has 16 steps"),
      ("rewards", np.array(1.0), "rewards"),
      ("rewards", np.array([np.nan]), "rewards"),
      ("rewards", np.array([1.0, 1.0]), "rewards"),
      ("rewards", np.array(["1"]), "rewards"),
      ("format", np.array([demo.FORMAT]), "is not one text"),
    ):
      np.savez(self.path, **{**good, name: value})
      self.assertIn(message, self._broken())

  def test_fields_of_other_types_are_refused(self):
    self._save()
    with np.load(self.path) as file:
      good = dict(file)
    for name, value, message in (
      ("seed", np.arange(2), ""),
      ("task", np.array("{"), "Expecting"),
      ("task", np.array("[]"), "the task is"),
      ("actions", np.array("up"), "not whole numbers"),
      ("actions", np.full((15, 6), np.nan), "not whole numbers"),
    ):
      np.savez(self.path, **{**good, name: value})
      self.assertIn(message, self._broken())


if __name__ == "__main__":
  absltest.main()
