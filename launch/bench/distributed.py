"""The cost of sending unrolls through Reverb.

The same actor processes play in turns: their unrolls are either dropped, or go
through Reverb to a sampler that drops them in place of a learner.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from multiprocessing import connection
from typing import Any, NamedTuple

import jax
import numpy as np

from adaland.agent import types
from adaland.agent.replay import base, factory
from adaland.launch import builder, errors
from adaland.launch.bench import actor
from adaland.launch.config import experiment
from adaland.launch.run import dispatch, process_tree
from adaland.launch.runtimes import env_vars

_TURN_SECONDS = 1.0
_START_SECONDS = 300.0
_SINK_SECONDS = 0.2
NUM_ACTORS = (1, 2)


class _Switch:
  """A writer that drops unrolls unless it has a target."""

  def __init__(self):
    self.target: base.ReplayWriter | None = None

  def insert(self, unroll: types.Unroll) -> None:
    """Stores or drops an unroll."""
    if self.target is not None:
      self.target.insert(unroll)

  def close(self) -> None:
    """Does nothing."""


class _Played(NamedTuple):
  """Result of an actor's turn.

  Attributes:
    steps: Environment steps.
    seconds: Length of the turn.
    cpu_seconds: Processor time of its process's threads.
  """

  steps: int
  seconds: float
  cpu_seconds: float


def _play(
  config: experiment.ExperimentConfig,
  index: int,
  address: str,
  pipe: connection.Connection,
) -> None:
  """Plays a turn for each message, in an actor process.

  A message is True for a turn with replay.
  """
  from adaland.agent.replay.reverb import client

  dispatch.run_inline()  # As in an actor process.
  made = builder.agent(config)
  params = jax.device_get(made.network.init(jax.random.PRNGKey(0)))
  switch = _Switch()
  loop = builder.actor(
    config,
    made,
    actor.Alone(config, params),
    lambda: switch,
    np.random.SeedSequence(index),
  )
  writer = client.ReverbWriter(
    address, builder.unroll_spec(config, made), config.replay.insert_timeout
  )
  # Skips the start, when all episodes begin at once.
  for _ in range(config.longest_episode + 1):
    loop.step()
  pipe.send(None)
  with contextlib.suppress(EOFError):
    while True:
      switch.target = writer if pipe.recv() else None
      cpu, start, steps = time.process_time(), time.perf_counter(), 0
      while time.perf_counter() < start + _TURN_SECONDS:
        loop.step()
        steps += config.actor.envs_per_actor
      seconds = time.perf_counter() - start
      pipe.send(_Played(steps, seconds, time.process_time() - cpu))


class _Turn(NamedTuple):
  """Speed of all actors in a turn.

  Attributes:
    per_second: Environment steps per second, summed over the actors.
    per_cpu_second: Environment steps per second of processor time, summed over
      all processes.
  """

  per_second: float
  per_cpu_second: float


@contextlib.contextmanager
def _actors(
  config: experiment.ExperimentConfig, num_actors: int, address: str
) -> Iterator[list[connection.Connection]]:
  """Starts actor processes; yields a pipe to each."""
  # No forks: they hang once gRPC has started threads.
  spawn = multiprocessing.get_context("spawn")
  pipes, processes = [], []
  before = dict(os.environ)
  os.environ.update(env_vars.actor())
  try:
    for index in range(num_actors):
      mine, theirs = spawn.Pipe()
      process = spawn.Process(
        target=_play, args=(config, index, address, theirs), daemon=True
      )
      process.start()
      theirs.close()
      pipes.append(mine)
      processes.append(process)
    os.environ.clear()
    os.environ.update(before)
    for pipe in pipes:
      _answer(pipe, _START_SECONDS)
    yield pipes
  finally:
    for pipe in pipes:
      pipe.close()
    for process in processes:
      process.join(5.0)
      process.kill()


def _answer(pipe: connection.Connection, seconds: float) -> Any:
  if not pipe.poll(seconds):
    raise errors.RunError(f"an actor did not answer for {seconds:g} s")
  try:
    return pipe.recv()
  except EOFError as error:
    raise errors.RunError("an actor process ended") from error


@contextlib.contextmanager
def _sink(store: Any) -> Iterator[None]:
  """Draws batches and drops them, as fast as they arrive."""
  sampler, stop = store.sampler(), threading.Event()

  def draw() -> None:
    while not stop.is_set():
      with contextlib.suppress(TimeoutError):
        sampler.sample(_SINK_SECONDS)

  thread = threading.Thread(target=draw)
  thread.start()
  try:
    yield
  finally:
    stop.set()
    thread.join()
    sampler.close()


def sink(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Compares actors that write to Reverb with actors that drop unrolls.

  `distributed_N_actors_ratio` compares times. `_cpu_ratio` compares the
  processor time of a step, the server's and the sampler's included, which other
  work on the machine disturbs less. Names with `bare` stand for dropped
  unrolls. All are medians over turns.

  Args:
    config: Config of the run; its rate limits apply.
    seconds: Time for each kind of turn and number of actors.
  """
  if factory.resolve_kind("auto") != "reverb":
    raise errors.UserError(
      "bench distributed measures Reverb, which is not installed here "
      "(its wheels are for Python 3.11)"
    )
  result: dict[str, float] = {}
  for num_actors in NUM_ACTORS:
    dropped, replayed = _compare(config, num_actors, seconds)
    name = f"distributed_{num_actors}_actor" + "s" * (num_actors > 1)
    result |= {
      f"{name}_bare_steps_per_s": dropped.per_second,
      f"{name}_steps_per_s": replayed.per_second,
      f"{name}_ratio": replayed.per_second / dropped.per_second,
      f"{name}_cpu_ratio": replayed.per_cpu_second / dropped.per_cpu_second,
    }
  return result


def _compare(
  config: experiment.ExperimentConfig, num_actors: int, seconds: float
) -> tuple[_Turn, _Turn]:
  """Returns median speeds of turns without and with replay."""
  from adaland.agent.replay.reverb import owner

  spec = builder.unroll_spec(config, builder.agent(config))
  settings = dataclasses.replace(config.replay, kind="reverb")
  with contextlib.ExitStack() as stack:
    store = owner.start_server(settings, spec)
    stack.callback(store.close)
    pipes = stack.enter_context(_actors(config, num_actors, store.address))
    stack.enter_context(_sink(store))
    turns: dict[bool, list[_Turn]] = {False: [], True: []}
    # The first pair is for warming up.
    for number in range(-1, max(3, round(seconds / _TURN_SECONDS))):
      for with_replay, measured in turns.items():
        turn = _turn(pipes, with_replay, store.pid)
        if number >= 0:
          measured.append(turn)
  dropped, replayed = (
    _Turn(*np.median(measured, axis=0).tolist()) for measured in turns.values()
  )
  return dropped, replayed


def _turn(
  pipes: list[connection.Connection], with_replay: bool, server: int
) -> _Turn:
  """Lets all actors play a turn; `server` is the replay server's process."""
  here = time.process_time() + process_tree.cpu_seconds(server)
  for pipe in pipes:
    pipe.send(with_replay)
  played = [_answer(pipe, _START_SECONDS) for pipe in pipes]
  here = time.process_time() + process_tree.cpu_seconds(server) - here
  steps = sum(each.steps for each in played)
  return _Turn(
    sum(each.steps / each.seconds for each in played),
    steps / (here + sum(each.cpu_seconds for each in played)),
  )
