"""Tests of adaland.launch.runtimes.single.prefetch."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import types
from concurrent import futures
from concurrent.futures import process

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.envs.land_types import LandConfig
from adaland.envs.sampling import sampler
from adaland.envs.stepping import task_rows
from adaland.launch import errors
from adaland.launch.runtimes.single import prefetch

_MAKER = prefetch.Maker(
  sampler.TaskSampler(sampler.SamplerConfig(max_objects=6)),
  LandConfig(num_slots=6),
)
# Prints the ids of its workers, then waits to be killed.
_VICTIM = """
import multiprocessing, time
from tests.launch.runtimes.single import prefetch_test
if __name__ == "__main__":
  made = prefetch_test.prefetcher(prefetch_test.slow)
  made.next_task()
  print(*(child.pid for child in multiprocessing.active_children()), flush=True)
  time.sleep(600)
"""


def slow(index, trials=0):
  """Makes a task that shows what it is made of; takes a fifth of a second."""
  time.sleep(0.2)
  return types.SimpleNamespace(index=index, trials=trials)


def failing(index, trials=0):
  """Fails to make the fifth task."""
  del trials
  if index == 4:
    raise ValueError("index is 4, allowed: others")
  return types.SimpleNamespace(index=index)


def prefetcher(maker, depth=3, workers=1):
  """Returns a prefetcher of the tasks 0, 1, ..., with keys from 100."""
  numbers = itertools.count()

  def next_assignment():
    number = next(numbers)
    return base.Assignment(100 + number, number, number % 2 == 0)

  return prefetch.TaskPrefetcher(next_assignment, maker, depth, workers)


def _is_alive(pid) -> bool:
  try:
    with open(f"/proc/{pid}/stat") as stat:
      return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
  except FileNotFoundError:
    return False


class TaskPrefetcherTest(absltest.TestCase):
  def make(self, *args, **kwargs):
    made = prefetcher(*args, **kwargs)
    self.addCleanup(made.close)
    return made

  def test_tasks_come_in_order_as_they_would_be_made_at_once(self):
    made = self.make(_MAKER, depth=70, workers=2)
    for index in range(40):
      assignment = made.next_task()
      task = assignment.task
      self.assertEqual(assignment.key, 100 + index)
      self.assertEqual(assignment.learn, index % 2 == 0)
      at_once = task_rows.prepare(_MAKER.tasks.task(index), _MAKER.env)
      self.assertEqual(task.task, at_once.task)
      self.assertEqual(task.key, at_once.key)
      for x, y in zip(
        (*task.scene, task.row.game.rules, task.row.room, task.seen_rules),
        (
          *at_once.scene,
          at_once.row.game.rules,
          at_once.row.room,
          at_once.seen_rules,
        ),
        strict=True,
      ):
        np.testing.assert_array_equal(x, y)
    self.assertEqual(made.taken, 40)
    self.assertGreaterEqual(made.prepared, 40)
    self.assertGreater(made.making_seconds, 0)

  def test_a_task_may_be_asked_for_with_other_trials(self):
    made = _MAKER(3, trials=1)
    self.assertEqual(made.trials, 1)
    own = _MAKER(3)
    self.assertEqual(own.task.trials, _MAKER.tasks.task(3).trials)
    self.assertEqual(made.task.players, own.task.players)

  def test_asks_ahead_by_number_and_waits_only_for_unfinished_tasks(self):
    asked = []

    def next_assignment():
      asked.append(len(asked))
      return base.Assignment(0, asked[-1], True, trials=10 + asked[-1])

    answers = []
    submit = futures.ProcessPoolExecutor.submit

    def submitted(*args):
      answers.append(submit(*args))
      return answers[-1]

    self.enter_context(
      absltest.mock.patch.object(
        futures.ProcessPoolExecutor, "submit", submitted
      )
    )
    made = prefetch.TaskPrefetcher(next_assignment, slow, 3, 1)
    self.addCleanup(made.close)
    made.next_task()
    self.assertLen(asked, 4)
    first = made.waited_seconds
    self.assertGreater(first, 0.1)
    futures.wait(answers)
    for taken in range(2, 5):
      task = made.next_task().task
      self.assertEqual((task.index, task.trials), (taken - 1, 9 + taken))
      self.assertLen(asked, taken + 3)
    # Three tasks took 0.6 s.
    self.assertLess(made.waited_seconds - first, 0.5)
    self.assertGreater(made.making_seconds / made.prepared, 0.19)

  def test_two_cores_are_left_to_other_threads(self):
    for num_cores, workers in ((1, 1), (2, 1), (3, 1), (4, 2), (64, 8)):
      with absltest.mock.patch.object(
        prefetch.cores, "num_cores", return_value=num_cores
      ):
        self.assertEqual(prefetch._spare_cores(), workers)

  def test_an_error_in_a_worker_is_raised_for_its_task(self):
    made = self.make(failing)
    for _ in range(4):
      made.next_task()
    with self.assertRaisesRegex(ValueError, "index is 4, allowed: others"):
      made.next_task()

  def test_a_worker_that_is_killed_is_replaced(self):
    made = self.make(slow)
    made.next_task()
    [worker] = multiprocessing.active_children()
    worker.kill()
    for index in range(1, 6):
      self.assertEqual(made.next_task().task.index, index)

  def test_workers_that_keep_dying_end_the_run(self):
    class DyingPool:
      def __init__(self, *args):
        del args
        self._dead = False

      def submit(self, function, wanted):
        del function, wanted
        if self._dead:
          raise process.BrokenProcessPool
        self._dead = True
        answer = futures.Future()
        answer.set_exception(process.BrokenProcessPool())
        return answer

    with (
      absltest.mock.patch.object(futures, "ProcessPoolExecutor", DyingPool),
      self.assertRaisesRegex(errors.RunError, "tasks died 3 times in a row"),
    ):
      prefetcher(slow).next_task()

  def test_workers_and_threads_end_with_it(self):
    before = set(threading.enumerate())
    made = prefetcher(slow, depth=9)
    made.next_task()
    self.assertLen(multiprocessing.active_children(), 1)
    made.close()
    self.assertEmpty(multiprocessing.active_children())
    self.assertEmpty(set(threading.enumerate()) - before)

  def test_workers_end_with_a_parent_that_is_killed(self):
    victim = subprocess.Popen(
      [sys.executable, "-c", _VICTIM], stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    self.addCleanup(victim.stdout.close)
    workers = victim.stdout.readline().split()
    self.assertLen(workers, 1)
    self.assertTrue(_is_alive(workers[0]))
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    deadline = time.monotonic() + 60
    while _is_alive(workers[0]) and time.monotonic() < deadline:
      time.sleep(0.05)
    self.assertFalse(_is_alive(workers[0]))


if __name__ == "__main__":
  absltest.main()
