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
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.envs.land_types import LandConfig
from adaland.envs.sampling import sampler
from adaland.envs.stepping import task_rows
from adaland.launch.runtimes.single import prefetch

_MAKER = prefetch.Maker(
  sampler.SamplerConfig(max_objects=6), LandConfig(num_slots=6)
)
# Says the ids of its workers, then waits to be killed.
_VICTIM = """
import multiprocessing, time
from tests.launch.runtimes.single import prefetch_test
if __name__ == "__main__":
  made = prefetch_test.prefetcher(prefetch_test.slow)
  made.take()
  print(*(child.pid for child in multiprocessing.active_children()), flush=True)
  time.sleep(600)
"""


def slow(index):
  """Makes what says its index, in a fifth of a second."""
  time.sleep(0.2)
  return types.SimpleNamespace(index=index)


def failing(index):
  """Can't make the fifth."""
  if index == 4:
    raise ValueError("index is 4, allowed: others")
  return types.SimpleNamespace(index=index)


def prefetcher(maker, depth=3, workers=1):
  """One whose orders are 0, 1, ..., and in it how many were asked for."""
  numbers = itertools.count()
  return prefetch.Prefetcher(
    lambda: next(numbers), lambda number: number, maker, depth, workers
  )


def _is_alive(pid) -> bool:
  try:
    with open(f"/proc/{pid}/stat") as stat:
      return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
  except FileNotFoundError:
    return False


class PrefetcherTest(absltest.TestCase):
  def make(self, *args, **kwargs):
    made = prefetcher(*args, **kwargs)
    self.addCleanup(made.close)
    return made

  def test_tasks_come_in_order_as_they_would_be_made_at_once(self):
    made = self.make(_MAKER, depth=70, workers=2)
    for index in range(40):
      order, task = made.take()
      self.assertEqual(order, index)
      at_once = task_rows.prepare(
        sampler.TaskSampler(_MAKER.tasks).task(index), _MAKER.env
      )
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

  def test_asks_ahead_by_number_and_waits_only_for_what_is_not_there(self):
    asked = []
    made = prefetch.Prefetcher(
      lambda: asked.append(len(asked)) or asked[-1],
      lambda order: order,
      slow,
      3,
      1,
    )
    self.addCleanup(made.close)
    made.take()
    self.assertLen(asked, 4)
    first = made.waited_seconds
    self.assertGreater(first, 0.1)
    time.sleep(2.0)  # Three tasks take 0.6 s.
    for taken in range(2, 5):
      _, task = made.take()
      self.assertEqual(task.index, taken - 1)
      self.assertLen(asked, taken + 3)
    self.assertLess(made.waited_seconds - first, 0.1)
    self.assertAlmostEqual(made.making_seconds / made.prepared, 0.2, delta=0.1)

  def test_what_goes_wrong_there_is_raised_here(self):
    made = self.make(failing)
    for _ in range(4):
      made.take()
    with self.assertRaisesRegex(ValueError, "index is 4, allowed: others"):
      made.take()

  def test_workers_and_threads_end_with_it(self):
    before = set(threading.enumerate())
    made = prefetcher(slow, depth=9)
    made.take()
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
    deadline = time.monotonic() + 20
    while _is_alive(workers[0]) and time.monotonic() < deadline:
      time.sleep(0.05)
    self.assertFalse(_is_alive(workers[0]))


class AheadDeskTest(absltest.TestCase):
  def test_assigns_prepared_tasks_and_hands_the_rest_on(self):
    records, steps, keys = [], [], itertools.count(100)
    desk = types.SimpleNamespace(
      next_tasks=lambda n: [
        base.Assignment(key, key - 100, key % 2 == 0)
        for key in itertools.islice(keys, n)
      ],
      report=records.append,
      count_steps=steps.append,
    )
    ahead = prefetch.AheadDesk(desk, failing, 2, workers=1)
    self.addCleanup(ahead.close)
    assigned = ahead.next_tasks(2)
    self.assertEqual(
      [(a.key, a.task.index, a.learn) for a in assigned],
      [(100, 0, True), (101, 1, False)],
    )
    self.assertEqual(next(keys), 104)  # Two ahead of the two.
    record: Any = object()
    ahead.report(record)
    ahead.count_steps(7)
    self.assertEqual((records, steps), ([record], [7]))


if __name__ == "__main__":
  absltest.main()
