"""Tests of adaland.launch.bench.inference; no actor's process is started."""

import multiprocessing
import threading
import time
from typing import Any

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench import inference
from adaland.launch.config import overrides, presets


class MeterTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    for name, seconds in (("_TURN_SECONDS", 0.2), ("_REST_SECONDS", 0.05)):
      self.enter_context(absltest.mock.patch.object(inference, name, seconds))

  def test_threads_play_in_turns_only(self):
    meter = inference.Meter(presets.smoke(), None)
    made = [0, 0]

    def play(i):
      while True:
        time.sleep(0.002)
        made[i] += 8
        meter.count_steps(8)

    for i in range(2):
      threading.Thread(target=play, args=(i,), daemon=True).start()
    meter.warm_up(32)
    before = sum(made)
    self.assertGreaterEqual(before, 32)
    time.sleep(0.05)
    self.assertEqual(sum(made), before)
    turn = meter.turn()
    self.assertGreater(min(made), before / 2 - 8)
    self.assertGreater(turn.per_second, 0)
    # At most what was counted until the threads rested.
    self.assertLessEqual(turn.per_second * 0.2, sum(made) - before)
    self.assertGreater(turn.per_cpu_second, 0)


class CompareTest(absltest.TestCase):
  def test_processes_add_up_and_a_step_costs_their_mean(self):
    workers, ends = [], []
    for per_second, per_cpu_second in ((100.0, 50.0), (300.0, 100.0)):
      mine, theirs = multiprocessing.Pipe()
      ends.append(theirs)
      theirs.send(inference.Turn(per_second, per_cpu_second))
      workers.append(inference._Worker(None, mine))
    turn = inference._turn(workers)
    self.assertEqual(turn.per_second, 400.0)
    # 0.02 s and 0.01 s a step.
    self.assertAlmostEqual(turn.per_cpu_second, 1 / 0.015)

  def test_a_process_that_ends_is_one_line(self):
    mine, theirs = multiprocessing.Pipe()
    theirs.close()
    with self.assertRaisesRegex(errors.RunError, "process ended"):
      inference._answer(inference._Worker(None, mine))

  def test_all_ways_have_as_many_environments(self):
    started: list[Any] = []
    ends: list[Any] = []  # Kept, so that they stay open.

    def start(config, on_accelerator=False):
      actor = config.actor
      started.append((actor.num_threads, actor.envs_per_actor, on_accelerator))
      mine, theirs = multiprocessing.Pipe()
      theirs.send("gpu" if on_accelerator else "cpu")
      speed = 600.0 if on_accelerator else 200.0
      for _ in range(3):
        theirs.send(inference.Turn(speed, speed))
      ends.append(theirs)
      return inference._Worker(absltest.mock.Mock(), mine)

    config = overrides.apply(presets.smoke(), ["actor.num_threads=3"])
    with absltest.mock.patch.object(inference, "_start", start):
      result = inference.compare(config, 1.0)
    self.assertEqual(
      started, [(1, 12, False), (3, 4, True), *3 * [(1, 4, False)]]
    )
    self.assertEqual(
      result,
      {
        "inference_num_envs_count": 12.0,
        "inference_num_threads_count": 3.0,
        "inference_threads_on_gpu_steps_per_s": 600.0,
        "inference_loop_steps_per_s": 200.0,
        "inference_threads_to_loop_ratio": 3.0,
        "inference_threads_to_loop_cpu_ratio": 3.0,
        "inference_processes_steps_per_s": 600.0,
        "inference_threads_to_processes_ratio": 1.0,
        "inference_threads_to_processes_cpu_ratio": 3.0,
      },
    )


if __name__ == "__main__":
  absltest.main()
