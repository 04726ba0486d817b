"""Tests of adaland.launch.tasking.testset."""

import dataclasses
import io
import struct
import zipfile

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.sampling.config import SamplerConfig
from adaland.launch import errors
from adaland.launch.evaluation import tasksets
from adaland.launch.tasking import testset, witness

_CONFIG = SamplerConfig(
  split="test",
  tiles=(5, 5),
  levels=(1, 1),
  walls=(0, 0),
  chain_rules=(1, 1),
  max_objects=6,
  distractors=(0, 1),
  trial_seconds=(2, 3),
  two_player_probability=0.7,
)


def _made(num_tasks=4):
  tasks = testset._draw(_CONFIG, num_tasks)
  env = dataclasses.replace(testset._env(2), num_slots=8, max_rules=4)
  found = witness.find(tasks, env, seed=5)
  return (
    tasks,
    env,
    testset.TestSet(_CONFIG, tasksets.fingerprint(tasks), found),
  )


class TestSetTest(absltest.TestCase):
  def test_witnesses_are_kept_and_replay(self):
    tasks, env, made = _made()
    path = self.create_tempfile("set.npz").full_path
    with open(path, "wb") as file:
      file.write(testset.encode(made))
    read = testset.load(path)
    self.assertEqual(read.config, _CONFIG)
    self.assertEqual(read.tasks(), tasks)
    self.assertEqual({len(task.players) for task in tasks}, {1, 2})
    for i, (task, found) in enumerate(zip(tasks, read.witnesses, strict=True)):
      np.testing.assert_array_equal(found.actions, made.witnesses[i].actions)
      self.assertEqual(found.seed, 5 + i)
      self.assertLen(found.actions, task.trial_steps)
      replayed = witness.replay(task, found, env)
      self.assertAlmostEqual(replayed, found.reward, places=6)
    self.assertGreater(sum(found.reward for found in read.witnesses), 1)

  def test_other_tasks_are_refused(self):
    none = np.zeros((1, 1, 6), np.int8)
    made = testset.TestSet(_CONFIG, "abc", [witness.Witness(0.0, 0, none)])
    with self.assertRaisesRegex(errors.UserError, "draws other tasks"):
      made.tasks()

  def test_every_action_has_a_code(self):
    sizes = constants.ACTION_SIZES
    every = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), -1)
    actions = every.reshape(-1, 1, len(sizes)).astype(np.int8)
    codes = testset._coded(actions)
    self.assertLen(np.unique(codes), 810)
    np.testing.assert_array_equal(testset._decoded(codes), actions)
    with self.assertRaises(ValueError):
      testset._decoded(np.array([[810]], np.uint16))

  def test_damaged_files_are_refused(self):
    none = np.zeros((1, 1, 6), np.int8)
    made = testset.TestSet(_CONFIG, "abc", [witness.Witness(0.0, 0, none)])
    content = bytearray(testset.encode(made))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
      start = archive.getinfo("actions.npy").header_offset
    # The local header has 30 bytes, two of them for the length of the name, and
    # two for that of more fields.
    name, more = struct.unpack_from("<HH", content, start + 26)
    begin = start + 30 + name + more
    content[begin : begin + 4] = b"\xff" * 4
    path = self.create_tempfile("x.npz", bytes(content), mode="wb").full_path
    with self.assertRaisesRegex(errors.UserError, "x.npz: not a test set: Err"):
      testset.load(path)

  def test_other_files_are_refused(self):
    path = self.create_tempfile("x.npz", "not an archive").full_path
    with self.assertRaisesRegex(errors.UserError, "x.npz: not a test set"):
      testset.load(path)
    with self.assertRaisesRegex(errors.UserError, "none.npz: No such file"):
      testset.load(path.replace("x.npz", "none.npz"))


if __name__ == "__main__":
  absltest.main()
