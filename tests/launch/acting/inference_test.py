"""Tests of inference: batches of made-up and of real networks."""

import os
import pathlib
import subprocess
import sys
import threading
import types
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import acting
from adaland.launch import errors
from adaland.launch.acting import actor_loop, actor_threads, inference, unrolls
from adaland.launch.acting import channel as channel_lib
from tests.agent import fakes
from tests.launch.acting import actor_loop_test

_NUM_ENVS = 3


class _Channel:
  """Gives the parameters that are put into it."""

  def __init__(self, *pending: channel_lib.Versioned):
    self.pending = list(pending)

  def new_params(self):
    return self.pending.pop(0) if self.pending else None


def _in_threads(*works):
  """Runs all at once; returns what each returned or raised."""
  found: list[Any] = [None] * len(works)

  def run(i):
    try:
      found[i] = works[i]()
    except Exception as error:
      found[i] = error

  threads = [threading.Thread(target=run, args=(i,)) for i in range(len(works))]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join(30.0)
    assert not thread.is_alive(), "a loop waits for ever"
  return found


class _Network:
  """Counts its calls; the action is the row's own number, memory its age."""

  def __init__(self):
    self.calls: list[Any] = []
    self.failing = False
    self.actor = acting.Actor(self.init, self.act)

  def init(self, batch_size):
    nothing = jnp.zeros(0)
    return acting.ActorState({"age": np.zeros(batch_size)}, nothing, nothing)

  def act(self, params, state, observation, first, rng_key):
    if self.failing:
      raise ValueError("no network")
    self.calls.append((params, observation["x"], first, rng_key))
    output = acting.ActorOutput(observation["x"] + params["w"], *4 * [first])
    return output, state._replace(memory={"age": state.memory["age"] + 1})


def _observation(start):
  return {"x": np.arange(start, start + _NUM_ENVS)}


def _act(seat, start):
  first = np.full(_NUM_ENVS, start == 0)
  return lambda: seat.act(
    _observation(start), first, np.array([start, 7], np.uint32)
  )


class BatchTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.network = _Network()
    self.channel = _Channel(channel_lib.Versioned(4, {"w": np.array(100)}))

  def seats(self, num_loops):
    channel: Any = self.channel
    self.batch = inference.Batch(
      self.network.actor, channel, num_loops, _NUM_ENVS, inference.host()
    )
    return self.batch.seats

  def test_all_loops_act_in_one_call(self):
    one, two = self.seats(2)
    for _ in range(2):
      acted = _in_threads(_act(one, 0), _act(two, 10))
      self.assertEqual([a.version for a in acted], [4, 4])
      np.testing.assert_array_equal(acted[0].output.action, [100, 101, 102])
      np.testing.assert_array_equal(acted[1].output.action, [110, 111, 112])
    self.assertLen(self.network.calls, 2)
    _, x, first, keys = self.network.calls[0]
    np.testing.assert_array_equal(x, [0, 1, 2, 10, 11, 12])
    np.testing.assert_array_equal(first, [1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(keys, [[0, 7], [10, 7]])
    self.assertEqual(two.memory(2), {"age": 2})

  def test_newer_parameters_are_put_on_the_device_once(self):
    seats = self.seats(2)
    self.channel.pending.append(channel_lib.Versioned(5, {"w": np.array(0)}))
    versions = []
    for _ in range(3):
      acted = _in_threads(*(_act(seat, 1) for seat in seats))
      versions.append([a.version for a in acted])
    self.assertEqual(versions, [[4, 4], [5, 5], [5, 5]])
    given = [params["w"] for params, *_ in self.network.calls]
    self.assertIsInstance(given[0], jax.Array)
    self.assertIs(given[2], given[1])

  def test_does_not_start_without_parameters(self):
    self.channel.pending.clear()
    (seat,) = self.seats(1)
    self.assertFalse(seat.has_params())
    with self.assertRaisesRegex(RuntimeError, "needs parameters"):
      _act(seat, 0)()

  def test_who_waits_is_told_when_another_ends(self):
    one, _ = self.seats(2)
    one.check()
    (error, _) = _in_threads(_act(one, 0), self.batch.abort)
    self.assertIsInstance(error, threading.BrokenBarrierError)
    with self.assertRaises(threading.BrokenBarrierError):
      one.check()

  def test_a_fault_of_the_network_reaches_one_and_ends_all(self):
    self.network.failing = True
    found = _in_threads(*(_act(seat, 0) for seat in self.seats(2)))
    kinds = {type(error) for error in found}
    self.assertEqual(kinds, {ValueError, threading.BrokenBarrierError})


class NetworkTest(absltest.TestCase):
  """With a small network; actor_threads_test has the real one."""

  def setUp(self):
    super().setUp()
    network = fakes.make_network(3)
    self.actor = acting.make_actor(network, fakes.SIZES, 10.0)
    self.params = network.init(jax.random.PRNGKey(0))
    self.rng = np.random.default_rng(0)

  def _observation(self):
    x = self.rng.normal(size=(_NUM_ENVS, 3))
    return {"x": x.astype(np.float32)}

  def _compare(self, num_loops, compare):
    """Of batches of loops and of the plain function, alone for each loop."""
    channel: Any = _Channel(channel_lib.Versioned(0, self.params))
    batch = inference.Batch(
      self.actor, channel, num_loops, _NUM_ENVS, inference.host()
    )
    seats = batch.seats
    states = [self.actor.init(_NUM_ENVS) for _ in seats]
    for t in range(4):
      asked = [
        (
          self._observation(),
          np.full(_NUM_ENVS, t == 0),
          self.rng.integers(2**32, size=2, dtype=np.uint32),
        )
        for _ in seats
      ]
      acted = _in_threads(
        *(lambda s=s, a=a: s.act(*a) for s, a in zip(seats, asked, strict=True))
      )
      for i, question in enumerate(asked):
        alone, states[i] = self.actor.act(self.params, states[i], *question)
        np.testing.assert_array_equal(acted[i].output.action, alone.action)
        jax.tree.map(compare, acted[i].output, jax.device_get(alone))
        memory = jax.tree.map(lambda x: np.array(x[1]), states[i].memory)
        jax.tree.map(compare, seats[i].memory(1), memory)

  def test_one_loop_is_the_plain_function_to_the_bit(self):
    self._compare(1, np.testing.assert_array_equal)

  def test_each_of_four_acts_as_it_would_alone(self):
    # A product of more rows may round another way.
    self._compare(
      4, lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    )


class DeviceTest(absltest.TestCase):
  def test_the_processor_is_always_there(self):
    self.assertEqual(inference.device("cpu").platform, "cpu")

  def test_an_accelerator_is_taken_where_there_is_one(self):
    gpu = types.SimpleNamespace(platform="gpu")
    with absltest.mock.patch.object(
      inference.jax, "local_devices", lambda: [gpu]
    ):
      self.assertIs(inference.device("accelerator"), gpu)

  def test_without_one_a_line_says_so(self):
    with self.assertRaisesRegex(
      errors.UserError, "actor.inference is 'accelerator', but .* allowed.*cpu"
    ):
      inference.device("accelerator")

  def test_the_network_runs_there_and_the_environments_do_not(self):
    root = pathlib.Path(__file__).resolve().parents[3]
    program = "import tests.launch.acting.inference_test as t; t.play_apart()"
    subprocess.run(
      [sys.executable, "-c", program],
      cwd=root,
      env=os.environ
      | {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "PYTHONPATH": str(root),
      },
      check=True,
    )


class _Land(actor_loop_test._Counting):
  """Keeps which device a computation of its own was made on."""

  def __init__(self, next_task):
    super().__init__(next_task, _NUM_ENVS)
    self.devices = set()

  def step(self, actions):
    self.devices |= jnp.add(actions, 1).devices()
    return super().step(actions)


def play_apart() -> None:
  """Runs in a process that has two CPU devices: the second infers."""
  near, far = jax.local_devices()
  act: Any = jax.jit(actor_loop_test._act, donate_argnums=1)
  channel = actor_loop_test._Channel()
  batch = inference.Batch(
    acting.Actor(actor_loop_test._ACTOR.init, act), channel, 2, _NUM_ENVS, far
  )
  lands: list[_Land] = []
  stop = threading.Event()

  class Loop(actor_loop.ActorLoop):
    """Ends the actor after some steps."""

    steps = 0

    def step(self):
      super().step()
      self.steps += 1
      if self.steps == 5:
        stop.set()

  def make_loop(index, seat):
    writer: Any = actor_loop_test._Writer()
    cutter = unrolls.UnrollCutter(
      _NUM_ENVS, 4, {"at": ((), np.float32)}, 2, 5, True
    )

    def make_land(next_task):
      lands.append(_Land(next_task))
      return lands[-1]

    seed = np.random.SeedSequence(index)
    return Loop(make_land, seat, cutter, _NUM_ENVS, 0.9, channel, writer, seed)

  actor_threads.ActorThreads(batch, make_loop).run(stop)
  params = batch.newest_params()
  assert params is not None
  for leaf in jax.tree.leaves((batch._state, params.params)):
    assert leaf.devices() == {far}, leaf.devices()
  assert [land.devices for land in lands] == [{near}] * 2
  # One program, whoever asked last.
  assert act._cache_size() == 1


if __name__ == "__main__":
  absltest.main()
