"""Tests of actor_threads: made-up loops, then real ones."""

import threading
import time
from typing import Any

import jax
import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.envs.sampling import sampler
from adaland.launch import builder
from adaland.launch.acting import actor_threads, inference
from adaland.launch.acting import channel as channel_lib
from adaland.launch.config import overrides, presets


class _Batch:
  """Where three meet; its seats are their numbers."""

  def __init__(self):
    self.barrier = threading.Barrier(3)
    self.abort = self.barrier.abort
    self.seats = range(3)


class _Loop:
  """Meets the others of its batch at every step."""

  def __init__(self, batch):
    self.batch = batch
    self.steps = self.looks = 0
    self.closed = False
    self.failing: Exception | None = None

  def has_params(self):
    self.looks += 1
    return self.looks > 2

  def step(self):
    if self.failing is not None:
      raise self.failing
    self.batch.barrier.wait(20.0)
    self.steps += 1
    time.sleep(0.001)

  def close(self):
    self.closed = True


class ActorThreadsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(
      absltest.mock.patch.object(actor_threads, "_FIRST_PARAMS_SECONDS", 0.001)
    )
    batch: Any = _Batch()
    self.loops = [_Loop(batch) for _ in batch.seats]
    self.actor = actor_threads.ActorThreads(
      batch, lambda index, seat: self.loop(seat)
    )
    self.stop = threading.Event()
    self.error: Exception | None = None
    self.running = threading.Thread(target=self.run_actor, daemon=True)

  def loop(self, index) -> Any:
    return self.loops[index]

  def run_actor(self):
    try:
      self.actor.run(self.stop)
    except Exception as error:
      self.error = error

  def start(self, steps=3):
    self.running.start()
    deadline = time.monotonic() + 20.0
    while any(loop.steps < steps for loop in self.loops):
      self.assertLess(time.monotonic(), deadline)
      time.sleep(0.001)

  def join(self):
    self.running.join(20.0)
    self.assertFalse(self.running.is_alive())

  def test_all_play_until_they_are_stopped(self):
    self.start()
    self.stop.set()
    self.join()
    self.assertIsNone(self.error)
    self.assertEqual([loop.closed for loop in self.loops], [True] * 3)
    self.assertEqual([loop.looks for loop in self.loops], [3] * 3)

  def test_the_first_fault_ends_all_and_is_raised(self):
    self.start()
    self.loops[1].failing = ConnectionError("gone")
    self.join()
    self.assertIs(self.error, self.loops[1].failing)
    closed = [loop.closed for loop in self.loops]
    self.assertEqual(closed, [True, False, True])

  def test_a_loop_that_can_t_be_made_ends_all(self):
    error = ValueError("no room")
    with absltest.mock.patch.object(
      self, "loop", lambda i: self.loops[i] if i else self.fail_with(error)
    ):
      self.running.start()
      self.join()
    self.assertIs(self.error, error)

  def fail_with(self, error):
    raise error

  def test_one_that_hangs_does_not_hold_up_the_end(self):
    error = ConnectionError("gone")
    hangs, released = threading.Event(), threading.Event()
    self.addCleanup(released.set)

    def hang():
      hangs.set()
      released.wait()

    def fail_then():
      hangs.wait(20.0)
      raise error

    with (
      absltest.mock.patch.object(actor_threads, "_END_SECONDS", 0.05),
      absltest.mock.patch.object(self.loops[0], "step", hang),
      absltest.mock.patch.object(self.loops[1], "step", fail_then),
    ):
      self.running.start()
      self.join()
    self.assertTrue(hangs.is_set())
    self.assertIs(self.error, error)


class _Channel:
  """Always the same task, so that it doesn't matter who asks first."""

  def __init__(self, config, params):
    self._task = sampler.TaskSampler(config.tasks).task(0)
    self._params = [channel_lib.Versioned(3, params)]

  def next_task(self):
    return base.Assignment(0, self._task, True)

  def report(self, record):
    pass

  def count_steps(self, steps):
    pass

  def new_params(self):
    return self._params.pop() if self._params else None


class _Writer:
  """Keeps unrolls."""

  def __init__(self):
    self.unrolls = []

  def insert(self, unroll, priority=1.0):
    self.unrolls.append(unroll)


class RealLoopsTest(absltest.TestCase):
  """The smoke preset, cut so that unrolls carry memory."""

  def setUp(self):
    super().setUp()
    self.config = overrides.apply(
      presets.smoke(), ["actor.envs_per_actor=2", "actor.unroll_length=10"]
    )
    self.made = builder.agent(self.config)
    params = jax.jit(self.made.network.init)(jax.random.PRNGKey(0))
    self.params = jax.device_get(params)

  def play(self, together, num_steps=25):
    """Two loops, together or one after the other; returns their unrolls."""
    config, made = self.config, self.made
    channel = _Channel(config, self.params)
    seats: list[Any] = [None, None]
    if together:
      batch = inference.Batch(made.actor, channel, 2, 2, inference.host())
      seats = list(batch.seats)
    writers: list[Any] = [_Writer(), _Writer()]
    seeds = np.random.SeedSequence(5).spawn(2)

    def work(i):
      loop = builder.actor_loop(
        config,
        made,
        channel if together else _Channel(config, self.params),
        writers[i],
        seeds[i],
        seats[i],
      )
      for _ in range(num_steps):
        loop.step()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
      thread.start()
      if not together:
        thread.join()
    for thread in threads:
      thread.join()
    return [writer.unrolls for writer in writers]

  def test_threads_play_what_their_loops_play_alone(self):
    together, alone = self.play(True), self.play(False)
    for mine, theirs in zip(together, alone, strict=True):
      self.assertLen(mine, 4)  # Two of each environment.
      # A product of more rows may round another way.
      jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5),
        mine,
        theirs,
      )
    self.assertFalse(
      np.array_equal(together[0][0].action, together[1][0].action)
    )


if __name__ == "__main__":
  absltest.main()
