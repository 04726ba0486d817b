"""Tests of adaland.launch.tasking.testset."""

import dataclasses
import io
import pathlib
import struct
import zipfile

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.sampling import sampler
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


class TestSetTest(parameterized.TestCase):
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

  def test_the_first_held_out_tasks_are_played(self):
    none = np.zeros((75, 1, 6), np.int8)
    for num_players in (1, 2):
      found = [witness.Witness(1.0, 0, none)] * 2
      with absltest.mock.patch.object(
        witness, "find", return_value=found
      ) as find:
        made = testset.make(2, num_players, 7, print)
      tasks, env, seed, progress = find.call_args.args
      self.assertEqual([task.name for task in tasks], ["test 0", "test 1"])
      for task in tasks:
        self.assertLen(task.players, num_players)
      self.assertEqual((env.num_players, made.num_players), (num_players,) * 2)
      self.assertEqual((seed, progress), (7, print))
      self.assertIs(made.witnesses, found)
      self.assertEqual(made.fingerprint, tasksets.fingerprint(tasks))

  def test_rewards_that_differ_are_found(self):
    drawn = [sampler.TaskSampler(_CONFIG).task(i) for i in range(4)]
    none = np.zeros((15, 2, 6), np.int8)
    made = testset.TestSet(
      _CONFIG,
      tasksets.fingerprint(drawn),
      [witness.Witness(1.0, i, none) for i in range(4)],
    )

    def replay(task, found, env):
      self.assertEqual(task, drawn[found.seed])
      self.assertEqual(env.num_players, 2)
      return 1.0 + (0.0, 2e-6, 2e-5, -2e-5)[found.seed]

    with absltest.mock.patch.object(witness, "replay", replay):
      self.assertEqual(testset.check(made, [3, 1, 2]), [3, 2])

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
    # The local header has 30 bytes, two of them for the length of the name and
    # two for the length of the extra field.
    name, more = struct.unpack_from("<HH", content, start + 26)
    begin = start + 30 + name + more
    content[begin : begin + 4] = b"\xff" * 4
    path = self.create_tempfile("x.npz", bytes(content), mode="wb").full_path
    with self.assertRaisesRegex(errors.UserError, "x.npz: not a test set: Err"):
      testset.load(path)

  @parameterized.parameters(
    ("steps", [15, -3], r"steps\[1\] is -3, allowed: 15 to 22"),
    ("steps", [23, 15], r"steps\[0\] is 23, allowed: 15 to 22"),
    ("steps", [15.0, 22.0], "steps is float64.2., allowed: whole numbers"),
    ("steps", [[15, 22]], "allowed: whole numbers, one for each task"),
    ("steps", [15, 15], "actions are of 37 steps and 2 .*, allowed: 30 and 2"),
    ("seed", [1, -1], r"seed\[1\] is -1, allowed: 0 to"),
    ("seed", np.array([1, 2**63], np.uint64), r"seed\[1\] is 9223"),
    ("seed", [1], "seed is int64.1., allowed: whole numbers, one for each"),
    ("reward", [-1.0], "reward is float64.1., allowed: numbers, one for each"),
    ("steps", [], "steps is float64.0., allowed: whole numbers"),
    ("reward", [1.0, np.nan], r"reward\[1\] is nan, allowed: 0 to"),
    ("reward", [-0.5, 1.0], r"reward\[0\] is -0.5, allowed: 0 to"),
    ("reward", [2.1, 1.0], r"reward\[0\] is 2.1, allowed: 0 to"),
    ("reward", [1j, 0j], "reward is complex128.2., allowed: numbers"),
    ("actions", np.zeros((37, 1), int), "37 steps and 1 .*, allowed: 37 and 2"),
    ("actions", np.full((37, 2), 810), "actions are not from 0 to 809"),
    ("actions", np.full((37, 2), -1), "actions are not from 0 to 809"),
    ("actions", np.zeros((37, 2)), "actions are not whole numbers"),
    ("config", np.array('{"tiles": [5.5, 6]}'), r"tiles\[0\]: 5.5 is not a"),
    ("config", np.array("3"), "config: 3 is not an object"),
    ("format", np.array("adaland.testset/9"), "format is .*, allowed: adaland"),
    ("tasks", np.array([1]), "is not one text"),
  )
  def test_inconsistent_files_are_refused(self, name, value, message):
    taken = [np.zeros((steps, 2, 6), np.int8) for steps in (15, 22)]
    found = [witness.Witness(1.0, 3, each) for each in taken]
    whole = testset.encode(testset.TestSet(_CONFIG, "abc", found))
    self.assertLen(testset.decode(whole).witnesses, 2)
    with np.load(io.BytesIO(whole)) as archive:
      arrays = dict(archive) | {name: np.array(value)}
    out = io.BytesIO()
    np.savez(out, **arrays)
    with self.assertRaisesRegex(
      errors.UserError, f"not a test set: .*{message}"
    ):
      testset.decode(out.getvalue())

  def test_the_published_files_are_read(self):
    folder = pathlib.Path(__file__).parents[3] / "results" / "testsets"
    for name, players in (("single", 1), ("two_players", 2)):
      data = (folder / f"{name}.npz").read_bytes()
      read = testset.decode(data)
      self.assertEqual((len(read.witnesses), read.num_players), (1000, players))
      with (
        np.load(io.BytesIO(data)) as one,
        np.load(io.BytesIO(testset.encode(read))) as other,
      ):
        for key in one:
          np.testing.assert_array_equal(one[key], other[key], strict=True)

  def test_other_files_are_refused(self):
    path = self.create_tempfile("x.npz", "not an archive").full_path
    with self.assertRaisesRegex(errors.UserError, "x.npz: not a test set"):
      testset.load(path)
    with self.assertRaisesRegex(errors.UserError, "none.npz: No such file"):
      testset.load(path.replace("x.npz", "none.npz"))


if __name__ == "__main__":
  absltest.main()
