"""Tests of adaland.envs.sampling.families."""

import collections
import pathlib
import pickle
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.sampling import families, heldout
from adaland.envs.sampling.config import FIRST_TEST_SEED, SamplerConfig
from adaland.envs.tasks import json_files
from adaland.envs.tasks.literals import OBJECT_TYPES
from adaland.envs.tasks.task import Task

_CONFIG = SamplerConfig(num_worlds=3, num_games=5)


def numbered(index):
  """Returns a task whose world has the index as its seed."""
  return Task.of("near(player1, black cube)", ["black cube"], world_seed=index)


def one_game(index):
  """Returns a task of one of 96 games."""
  kind, target = divmod(index, 8)
  return Task.of(
    f"near(player1, {OBJECT_TYPES[kind]})",
    [OBJECT_TYPES[kind]],
    [f"hold(player1, {OBJECT_TYPES[target]}) -> nothing"],
    name=f"game {index}",
  )


def seeds(tasks):
  return [tasks.task(i).world.seed for i in range(tasks.num_tasks)]


def names(tasks):
  return [tasks.task(i).name for i in range(tasks.num_tasks)]


class FamilyContractTest(parameterized.TestCase):
  """The contract of every family."""

  def _family(self, kind):
    folder = self.create_tempdir().full_path
    for i in range(40):
      json_files.save(pathlib.Path(folder, f"{i:02}.json"), one_game(i))
    return {
      "sampled": lambda: families.SampledTasks(_CONFIG),
      "folder": lambda: families.TaskFolder(folder),
      "function": lambda: families.TaskFunction(numbered, 77),
      "mixture": lambda: families.TaskMixture(
        [(_CONFIG, 3), (families.TaskFunction(numbered, 20), 2)]
      ),
    }[kind]()

  @parameterized.parameters("sampled", "folder", "function", "mixture")
  def test_contract(self, kind):
    family = self._family(kind)
    self.assertIsInstance(family, families.TaskFamily)
    self.assertIs(families.make(family), family)
    copy = pickle.loads(pickle.dumps(family))
    drawn = {}
    for name in ("training", "held_out"):
      half, again = getattr(family, name)(), getattr(copy, name)()
      self.assertEqual(half.num_tasks, again.num_tasks)
      self.assertGreater(half.num_tasks, 0)
      drawn[name] = [half.task(i) for i in range(half.num_tasks)]
      # A copy in another process, asked in another order, gives the same.
      self.assertEqual(
        drawn[name],
        [again.task(i) for i in reversed(range(half.num_tasks))][::-1],
      )
      self.assertEqual(half.task(half.num_tasks + 1), half.task(1))
      with self.assertRaisesRegex(ValueError, "index is -1, allowed: 0 and up"):
        half.task(-1)

    def contents(tasks):
      return {(task.world, task.players, task.rules) for task in tasks}

    self.assertEmpty(contents(drawn["training"]) & contents(drawn["held_out"]))
    self.assertEqual(
      contents(family.task(i) for i in range(family.num_tasks)),
      contents(drawn["training"] + drawn["held_out"]),
    )
    with self.assertRaisesRegex(ValueError, "index is -1, allowed: 0 and up"):
      family.task(-1)


class SampledTasksTest(absltest.TestCase):
  def test_halves_differ_in_games_and_worlds(self):
    family = families.SampledTasks(_CONFIG)
    self.assertEqual(family.training().num_tasks, 15)
    self.assertEqual(family.num_tasks, 30)
    for half, is_held_out in ((family.training(), 0), (family.held_out(), 1)):
      for i in range(15):
        task = half.task(i)
        self.assertEqual(heldout.is_heldout_game(task), is_held_out)
        self.assertEqual(task.world.seed >= FIRST_TEST_SEED, is_held_out)

  def test_split_of_the_config_makes_no_difference(self):
    family = families.SampledTasks(SamplerConfig(split="test"))
    self.assertEqual(
      family.training().task(7), families.SampledTasks().training().task(7)
    )


class TaskFunctionTest(parameterized.TestCase):
  @parameterized.parameters(2, 7, 8, 9, 15, 16, 100)
  def test_halves_part_the_indices(self, num_tasks):
    family = families.TaskFunction(numbered, num_tasks)
    training, held_out = seeds(family.training()), seeds(family.held_out())
    self.assertLen(held_out, max(1, num_tasks // heldout.HELDOUT_ONE_IN))
    self.assertEqual(sorted(training + held_out), list(range(num_tasks)))

  def test_split_does_not_follow_a_period_of_the_function(self):
    held_out = seeds(families.TaskFunction(numbered, 8000).held_out())
    counts = collections.Counter(seed % 8 for seed in held_out)
    # 1000 held-out tasks, 125 of each remainder; five standard deviations.
    for n in range(8):
      self.assertAlmostEqual(counts[n], 125, delta=52)

  def test_default_indices_are_world_seeds(self):
    family = families.TaskFunction(numbered)
    last = family.num_tasks - 1
    self.assertEqual(family.task(last).world.seed, last)
    half = family.training()
    self.assertLess(half.task(half.num_tasks - 1).world.seed, last + 1)

  def test_refuses(self):
    with self.assertRaisesRegex(ValueError, "num_tasks is 1, allowed: 2 to"):
      families.TaskFunction(numbered, 1)
    number: Any = str
    family = families.TaskFunction(number)
    with self.assertRaisesRegex(
      ValueError, r'str\(3\) is "3", allowed: a Task'
    ):
      family.task(3)


class TaskFolderTest(absltest.TestCase):
  def _folder(self, *games):
    folder = self.create_tempdir().full_path
    for i in games:
      json_files.save(pathlib.Path(folder, f"{i}.json"), one_game(i))
    return folder

  def _games(self, is_held_out):
    return [
      i
      for i in range(96)
      if heldout.is_heldout_game(one_game(i)) == is_held_out
    ]

  def test_the_half_of_a_file_depends_on_its_game_alone(self):
    few = families.TaskFolder(self._folder(*range(30)))
    many = families.TaskFolder(self._folder(*range(60)))
    self.assertContainsSubset(names(few.held_out()), names(many.held_out()))
    self.assertContainsSubset(names(few.training()), names(many.training()))

  def test_second_folder_is_the_held_out_half(self):
    family = families.TaskFolder(self._folder(1, 2), self._folder(3))
    self.assertEqual(names(family.training()), ["game 1", "game 2"])
    self.assertEqual(names(family.held_out()), ["game 3"])
    self.assertEqual(names(family), ["game 1", "game 2", "game 3"])

  def test_refuses_the_same_game_in_both_folders(self):
    with self.assertRaisesRegex(
      ValueError, "game of 'game 2' is that of 'game 2' in .*, allowed: each"
    ):
      families.TaskFolder(self._folder(1, 2), self._folder(2))

  def test_refuses_an_empty_half_where_it_is_asked_for(self):
    for name, is_held_out in (("training", True), ("held_out", False)):
      folder = self._folder(*self._games(is_held_out)[:3])
      family = families.TaskFolder(folder)
      self.assertEqual(family.num_tasks, 3)
      with self.assertRaisesRegex(
        ValueError, f"^{folder}: the .* half has no task, allowed: at least one"
      ):
        getattr(family, name)()

  def test_refuses_folders_without_tasks(self):
    empty = self.create_tempdir().full_path
    with self.assertRaisesRegex(ValueError, f"^{empty}: there is no .json"):
      families.TaskFolder(empty)
    with self.assertRaisesRegex(ValueError, "^/no/folder: no such folder"):
      families.TaskFolder("/no/folder")
    with self.assertRaisesRegex(
      ValueError, "^trap: no such family or folder; .* did you mean 'traps'?"
    ):
      families.make("trap")
    pathlib.Path(empty, "bad.json").write_text("{}")
    with self.assertRaisesRegex(ValueError, "bad.json: the task lacks the"):
      families.TaskFolder(empty)


class TaskMixtureTest(parameterized.TestCase):
  def test_weights_are_shares_of_each_cycle(self):
    family = families.TaskMixture(
      [
        (families.TaskFunction(numbered, 50), 3),
        (families.TaskFunction(lambda i: numbered(1000 + i), 50), 1),
      ]
    )
    drawn = np.array(seeds(family.training()))
    self.assertLen(drawn, 4 * 44)
    np.testing.assert_array_equal((drawn.reshape(-1, 4) >= 1000).sum(1), 1)
    # Each family's tasks come in its own order, and every one comes.
    half = families.TaskFunction(numbered, 50).training()
    self.assertEqual((drawn[drawn >= 1000] - 1000).tolist(), seeds(half))
    self.assertEqual(drawn[drawn < 1000][:44].tolist(), seeds(half))

  def test_every_task_comes_if_the_last_cycle_is_not_full(self):
    family = families.TaskMixture(
      [
        (families.TaskFunction(numbered, 50), 3),
        (families.TaskFunction(lambda i: numbered(1000 + i), 5), 1),
      ]
    )
    # 16 cycles would leave out two tasks of the first.
    self.assertEqual(family.num_tasks, 17 * 4)
    self.assertEqual(set(seeds(family)), {*range(50), *range(1000, 1005)})

  def test_turns_of_a_family_are_spread(self):
    family = families.TaskMixture(
      [
        (families.TaskFunction(numbered, 50), 2),
        (families.TaskFunction(lambda i: numbered(1000 + i), 50), 2),
      ]
    )
    kinds = [seed >= 1000 for seed in seeds(family)[:4]]
    self.assertEqual(kinds, [False, True, False, True])

  @parameterized.parameters(
    ([], "the mixture has 0 families, allowed: 1 or more"),
    ([(_CONFIG, 0)], "weight of family 0 is 0, allowed: 1 to 1000"),
    ([(_CONFIG, 1), (_CONFIG, 0.5)], "family 1 is 0.5, allowed: a whole"),
  )
  def test_refuses(self, weighted, message):
    with self.assertRaisesRegex(ValueError, message):
      families.TaskMixture(weighted)


class MakeTest(absltest.TestCase):
  def test_makes_a_family_from_what_describes_one(self):
    folder = self.create_tempdir().full_path
    json_files.save(pathlib.Path(folder, "a.json"), numbered(0))
    for source, kind in (
      (_CONFIG, families.SampledTasks),
      (folder, families.TaskFolder),
      (pathlib.Path(folder), families.TaskFolder),
      (numbered, families.TaskFunction),
    ):
      self.assertIsInstance(families.make(source), kind)

  def test_refuses_anything_else(self):
    with self.assertRaisesRegex(
      ValueError, "^task family is 3, allowed: a Tas"
    ):
      families.make(3)


if __name__ == "__main__":
  absltest.main()
