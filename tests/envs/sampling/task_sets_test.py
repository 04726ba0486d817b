"""Tests of adaland.envs.sampling.task_sets; families_test has mixtures."""

from absl.testing import absltest

from adaland.envs.sampling import task_sets
from adaland.envs.tasks.task import Task

_TASKS = tuple(
  Task.of("hold(player1, black cube)", ["black cube"], name=str(i))
  for i in range(20)
)


class Vast:
  """A set of more tasks than NumPy can index; records the requests."""

  num_tasks = 2**80

  def __init__(self):
    self.asked = []

  def task(self, index):
    self.asked.append(index)
    return _TASKS[0]


class TaskListTest(absltest.TestCase):
  def test_index_is_taken_modulo_the_number_of_tasks(self):
    tasks = task_sets.TaskList(_TASKS)
    self.assertEqual(tasks.num_tasks, 20)
    self.assertEqual(
      [tasks.task(i).name for i in (0, 19, 23)], ["0", "19", "3"]
    )

  def test_refuses_negative_index(self):
    with self.assertRaisesRegex(ValueError, "index is -1, allowed: 0 and up"):
      task_sets.TaskList(_TASKS).task(-1)
    with self.assertRaisesRegex(ValueError, "there are 0 tasks, allowed: 1"):
      task_sets.TaskList(())
    with self.assertRaisesRegex(ValueError, r"tasks\[1\] is 3, allowed: a Ta"):
      task_sets.TaskList((_TASKS[0], 3))  # pyrefly: ignore[bad-argument-type] (tested)


class MixedSetTest(absltest.TestCase):
  def test_turns_are_spread_over_the_cycle(self):
    one, other = (task_sets.TaskList(x) for x in (_TASKS[:2], _TASKS[2:8]))
    mixed = task_sets.MixedSet(((one, 1), (other, 3)))
    self.assertEqual(mixed.num_tasks, 8)
    self.assertEqual([mixed.task(i).name for i in range(9)], [*"20345167", "2"])


class DrawsTest(absltest.TestCase):
  def test_equal_seeds_give_equal_sequences(self):
    draws = task_sets.Draws(task_sets.TaskList(_TASKS), seed=3)
    first = [draws.next() for _ in range(10)]
    other = task_sets.Draws(task_sets.TaskList(_TASKS), seed=4)
    self.assertNotEqual([other.next() for _ in range(10)], first)
    other.seed(3)
    self.assertEqual([other.next() for _ in range(10)], first)

  def test_draws_all_tasks_alike(self):
    draws = task_sets.Draws(task_sets.TaskList(_TASKS), seed=0)
    names = [draws.next().name for _ in range(2000)]
    # 100 of each; five standard deviations.
    for task in _TASKS:
      self.assertAlmostEqual(names.count(task.name), 100, delta=49)

  def test_draws_from_more_tasks_than_numpy_numbers(self):
    tasks = Vast()
    draws = task_sets.Draws(tasks, seed=0)
    for _ in range(20):
      draws.next()
    self.assertLen(set(tasks.asked), 20)
    self.assertGreater(max(tasks.asked), 2**60)


if __name__ == "__main__":
  absltest.main()
