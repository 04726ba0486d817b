"""Tests of adaland.curriculum.checks: good curricula, and each fault."""

import functools
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import base, checks, factory


class InOrder:
  """Tasks in the order of their indices, as the documentation shows it."""

  def __init__(self, sample_task, seed):
    self._sample_task = sample_task
    self._next = 0

  def next_tasks(self, n) -> list[Any]:
    indices = range(self._next, self._next + n)
    self._next += n
    return [
      base.Assignment(key=i, task=self._sample_task(i), learn=True)
      for i in indices
    ]

  def report(self, record):
    del record

  def state_dict(self) -> dict[str, Any]:
    return {"next": self._next}

  def load_state_dict(self, state):
    self._next = state["next"]

  def metrics(self) -> dict[str, Any]:
    return {"tasks_drawn": float(self._next)}


class ForgetsOnRestore(InOrder):
  def load_state_dict(self, state):
    del state


class SharesItsState(InOrder):
  """Tasks in order, whose state is a list that `next_tasks` changes."""

  def __init__(self, sample_task, seed):
    super().__init__(sample_task, seed)
    self._counts = [0]

  def next_tasks(self, n):
    self._next = self._counts[0]
    self._counts[0] += n
    return super().next_tasks(n)

  def state_dict(self):
    return {"counts": self._counts}

  def load_state_dict(self, state):
    self._counts = state["counts"]


class SeedIsNotInState(InOrder):
  def __init__(self, sample_task, seed):
    super().__init__(sample_task, seed)
    self._first = 100 * seed

  def next_tasks(self, n):
    return [
      assignment._replace(task=self._sample_task(self._first + assignment.key))
      for assignment in super().next_tasks(n)
    ]


class ArraysInState(InOrder):
  def state_dict(self):
    return {"next": np.array([self._next])}


class NumbersAsKeysOfState(InOrder):
  def state_dict(self):
    return {"next": self._next, "plays": [{"of": {3: 1}}]}


class NumbersAsKeysWithinTuples(InOrder):
  def state_dict(self):
    return {"next": self._next, "plays": ({3: 1},)}


class NoMetrics(InOrder):
  def metrics(self) -> Any:
    self._next += 0


class NoTasks(InOrder):
  def next_tasks(self, n) -> Any:
    self._next += n


class OneKey(InOrder):
  def next_tasks(self, n):
    return [x._replace(key=7) for x in super().next_tasks(n)]


class TextKeys(InOrder):
  def next_tasks(self, n):
    return [x._replace(key=f"t{x.key}") for x in super().next_tasks(n)]


class NumPyKeys(InOrder):
  def next_tasks(self, n):
    return [x._replace(key=np.int64(x.key)) for x in super().next_tasks(n)]


class LargeKeys(InOrder):
  def next_tasks(self, n):
    return [x._replace(key=2**64 - 1 + x.key) for x in super().next_tasks(n)]


class NegativeKeys(InOrder):
  def next_tasks(self, n):
    return [x._replace(key=-2 - x.key) for x in super().next_tasks(n)]


class KnownKeysOnly(InOrder):
  def __init__(self, sample_task, seed):
    super().__init__(sample_task, seed)
    self._open: set[int] = set()

  def next_tasks(self, n):
    made = super().next_tasks(n)
    self._open.update(assignment.key for assignment in made)
    return made

  def report(self, record):
    self._open.remove(record.key)


class CountsAll(InOrder):
  def report(self, record):
    self._next += 1


class Shares(InOrder):
  """Measures the share of a trial's maximum reward that was earned last."""

  share = 0.0

  def report(self, record):
    self.share = float(record.rewards[-1]) / record.trial_seconds

  def metrics(self):
    return {"share": self.share}


class BareTasks(InOrder):
  def next_tasks(self, n):
    return [assignment.task for assignment in super().next_tasks(n)]


class TextMetrics(InOrder):
  def metrics(self):
    return {"state": "good"}


class NumbersAsMetrics(InOrder):
  def metrics(self) -> Any:
    return {3: 1.0}


class EasyToHard(InOrder):
  def next_tasks(self, n):
    made = super().next_tasks(n)
    return sorted(made, key=lambda assignment: len(assignment.task.rules))


class CheckTest(parameterized.TestCase):
  @parameterized.parameters(*factory.KINDS)
  def test_our_curricula_pass(self, kind):
    config = factory.CurriculumConfig(kind=kind)
    checks.check_curriculum(functools.partial(factory.make_curriculum, config))

  def test_users_curriculum_passes(self):
    checks.check_curriculum(InOrder)
    checks.check_curriculum(Shares)
    checks.check_curriculum(SharesItsState)
    checks.check_curriculum(
      lambda sample_task, seed: InOrder(sample_task, seed)
    )

  def test_names_a_curriculum_whose_arguments_are_bound(self):
    class Bound(InOrder):
      def __init__(self, size, sample_task, seed):
        raise LookupError(f"no {size}")

    with self.assertRaisesRegex(ValueError, "^curriculum Bound: "):
      checks.check_curriculum(functools.partial(Bound, 7))

  def test_names_what_a_curriculum_asked_of_a_task(self):
    with self.assertRaisesRegex(
      ValueError,
      "curriculum EasyToHard: next_tasks raises AttributeError: a curriculum "
      r"may not look into a task \(it asked for 'rules'\), which may be a "
      "placeholder; ask the training half of your family",
    ):
      checks.check_curriculum(EasyToHard)

  @parameterized.parameters(
    "next_tasks", "report", "state_dict", "load_state_dict", "metrics"
  )
  def test_names_the_method_that_raises(self, method):
    class Broken(InOrder):
      pass

    def divide(*args):
      raise ZeroDivisionError(f"{len(args)} by\nzero")

    setattr(Broken, method, divide)
    with self.assertRaisesRegex(
      ValueError,
      f"^curriculum Broken: {method} raises ZeroDivisionError: . by zero$",
    ) as caught:
      checks.check_curriculum(Broken)
    self.assertIsInstance(caught.exception.__cause__, ZeroDivisionError)

  def test_names_a_constructor_that_raises(self):
    class Lost(InOrder):
      def __init__(self, sample_task, seed):
        raise LookupError(f"{sample_task(seed)} is lost")

    with self.assertRaisesRegex(
      ValueError,
      "^curriculum Lost: its constructor raises LookupError: task 0 is lost$",
    ):
      checks.check_curriculum(Lost)

  @parameterized.parameters(
    "next_tasks", "report", "state_dict", "load_state_dict", "metrics"
  )
  def test_names_a_missing_method(self, method):
    class Incomplete(InOrder):
      pass

    setattr(Incomplete, method, None)
    with self.assertRaisesRegex(
      ValueError, f"curriculum Incomplete has no method '{method}'"
    ):
      checks.check_curriculum(Incomplete)

  @parameterized.parameters(
    (
      ForgetsOnRestore,
      r"\(0, 'task 0', True, 0, False, 0\).* after load_state_dict and ",
    ),
    (SeedIsNotInState, r"\(3, 'task 103', .* and .*\(3, 'task 3', "),
    (ArraysInState, r"state_dict can't be written as JSON: .*ndarray"),
    (OneKey, r"next_tasks\(3\) gives the keys \[7, 7, 7\]"),
    (
      NumbersAsKeysOfState,
      "state_dict has the key 3; keys must be strings",
    ),
    (
      NumbersAsKeysWithinTuples,
      "state_dict has the key 3; keys must be strings",
    ),
    (TextKeys, r"the key 't0' \(str\); it must be an int from 0 to "),
    (NumPyKeys, r"the key .*0.* \(int64\); it must be an int from 0 to "),
    (LargeKeys, r"the key 18446744073709551616 \(int\); .* 2\*\*64 - 1"),
    (NegativeKeys, r"the key -2 \(int\); it must be an int from 0 to "),
    (KnownKeysOnly, "report raises KeyError: -1 for the key -1; it must ig"),
    (CountsAll, "report of the key -1 changes the state; it must ignore"),
    (BareTasks, r"next_tasks gives 'task 0'; it must give base.Assignment"),
    (TextMetrics, r"metrics has 'state': 'good'"),
    (NumbersAsMetrics, "metrics has 3: 1.0; it must map names to numbers"),
    (NoMetrics, "metrics gives None; it must give a dictionary"),
    (NoTasks, "next_tasks gives None; it must give a list"),
  )
  def test_names_the_method_that_breaks_the_contract(self, curriculum, message):
    with self.assertRaisesRegex(ValueError, message):
      checks.check_curriculum(curriculum)


if __name__ == "__main__":
  absltest.main()
