"""Ways to infer against each other, at equal numbers of environments.

    loop       one process, one thread, all environments in one batch
    threads    one process, several threads, which infer in one batch
    processes  as many processes, each inferring for itself

The threads infer on the accelerator where there is one; the others never do.
All processes are there all the time and play in turns, one way at a time.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import threading
import time
from multiprocessing import connection
from typing import Any, NamedTuple

import jax
import numpy as np

from adaland.launch import builder, cli, errors
from adaland.launch.bench import actor as bench_agent
from adaland.launch.config import experiment
from adaland.launch.roles import env_vars

_TURN_SECONDS = 1.0
# Steps that are under way when a turn ends are done by then.
_REST_SECONDS = 0.2
_START_SECONDS = 600.0
_NUM_THREADS = 2  # If the config has one.


class Turn(NamedTuple):
  """What was done in a turn.

  Attributes:
    per_second: Environment steps a second.
    per_cpu_second: For each second of processor time.
  """

  per_second: float
  per_cpu_second: float


class Meter(bench_agent.Alone):
  """Counts the steps of threads, and holds them up between turns."""

  def __init__(self, config: experiment.ExperimentConfig, params: Any):
    super().__init__(config, params)
    self._lock = threading.Lock()
    self._steps = 0
    self._going = threading.Event()
    self._going.set()

  def count_steps(self, steps: int) -> None:
    """Adds them up; returns in a turn."""
    with self._lock:
      self._steps += steps
    self._going.wait()

  def warm_up(self, steps: int) -> None:
    """Has threads play until so many steps were made."""
    while self._steps < steps:
      time.sleep(0.01)
    self._rest()

  def turn(self) -> Turn:
    """Has threads play for a turn."""
    cpu, start, steps = time.process_time(), time.perf_counter(), self._steps
    self._going.set()
    time.sleep(_TURN_SECONDS)
    per_second = (self._steps - steps) / (time.perf_counter() - start)
    self._rest()
    # With the steps that were under way, which have cost their time too.
    cpu = time.process_time() - cpu
    return Turn(per_second, (self._steps - steps) / cpu)

  def _rest(self) -> None:
    self._going.clear()
    time.sleep(_REST_SECONDS)


class _Worker(NamedTuple):
  """An actor's process."""

  process: Any
  pipe: connection.Connection


def _play(
  config: experiment.ExperimentConfig,
  on_accelerator: bool,
  pipe: connection.Connection,
) -> None:
  """An actor's process: plays a turn for each message."""
  platform = jax.local_devices()[0].platform if on_accelerator else "cpu"
  kind = "cpu" if platform == "cpu" else "accelerator"
  config = _with_actor(config, inference=kind)
  made = builder.agent(config)
  params = jax.device_get(made.network.init(jax.random.PRNGKey(0)))
  meter = Meter(config, params)
  actor = builder.actor(
    config, made, meter, lambda: meter, np.random.SeedSequence(os.getpid())
  )

  def serve() -> None:
    num_envs = config.actor.num_threads * config.actor.envs_per_actor
    # Past the start of all episodes at once, which no later step is like.
    meter.warm_up((config.longest_episode + 1) * num_envs)
    with contextlib.suppress(EOFError, OSError):
      pipe.send(platform)
      while True:
        pipe.recv()
        pipe.send(meter.turn())
    os._exit(0)

  threading.Thread(target=serve, daemon=True).start()
  actor.run(threading.Event())


def _with_actor(
  config: experiment.ExperimentConfig, **changes: Any
) -> experiment.ExperimentConfig:
  actor = dataclasses.replace(config.actor, **changes)
  return dataclasses.replace(config, actor=actor)


def _start(
  config: experiment.ExperimentConfig, on_accelerator: bool = False
) -> _Worker:
  # Not a fork: it would have this process's JAX, which is set up by now.
  spawn = multiprocessing.get_context("spawn")
  mine, theirs = spawn.Pipe()
  process = spawn.Process(
    target=_play, args=(config, on_accelerator, theirs), daemon=True
  )
  before = dict(os.environ)
  kind = "accelerator" if on_accelerator else "cpu"
  os.environ.update(env_vars.actor(kind))
  try:
    process.start()
  finally:
    os.environ.clear()
    os.environ.update(before)
  theirs.close()
  return _Worker(process, mine)


def _answer(worker: _Worker) -> Any:
  if not worker.pipe.poll(_START_SECONDS):
    raise errors.RunError(f"an actor said nothing for {_START_SECONDS:g} s")
  try:
    return worker.pipe.recv()
  except EOFError as error:
    raise errors.RunError("an actor's process ended") from error


def _turn(workers: list[_Worker]) -> Turn:
  """A turn of one way's processes, all at once."""
  for worker in workers:
    worker.pipe.send(None)
  turns = [_answer(worker) for worker in workers]
  per_second = sum(turn.per_second for turn in turns)
  # Each step's processor time, averaged over processes of equal speed.
  cpu_seconds = np.mean([1 / turn.per_cpu_second for turn in turns])
  return Turn(per_second, float(1 / cpu_seconds))


def compare(
  config: experiment.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Steps a second of each way, and the threads' over the others'.

  `_ratio` compares times, `_cpu_ratio` the processor time that a step costs,
  which other work on the machine disturbs less. Medians over turns.

  Args:
    config: Of the run; with one thread an actor, two are compared.
    seconds: Time for each way.
  """
  num_threads = config.actor.num_threads
  if num_threads == 1:
    num_threads = _NUM_THREADS
  num_envs = num_threads * config.actor.envs_per_actor
  threads = _with_actor(config, num_threads=num_threads)
  alone = _with_actor(config, num_threads=1, inference="cpu")
  loop = _with_actor(alone, envs_per_actor=num_envs)
  ways: dict[str, list[_Worker]] = {}
  try:
    ways["loop"] = [_start(loop)]
    ways["threads"] = [_start(threads, on_accelerator=True)]
    ways["processes"] = [_start(alone) for _ in range(num_threads)]
    platforms = {
      name: [_answer(worker) for worker in workers]
      for name, workers in ways.items()
    }
    (platform,) = platforms["threads"]
    cli.say(
      f"{num_envs} environments; {num_threads} threads that infer on "
      f"{platform}, against one loop and {num_threads} processes on cpu"
    )
    turns: dict[str, list[Turn]] = {name: [] for name in ways}
    for _ in range(max(3, round(seconds / _TURN_SECONDS))):
      for name, workers in ways.items():
        turns[name].append(_turn(workers))
  finally:
    for worker in (w for workers in ways.values() for w in workers):
      worker.process.kill()
      worker.process.join()
  speeds = {
    name: Turn(*np.median(measured, axis=0).tolist())
    for name, measured in turns.items()
  }
  mine = speeds["threads"]
  result = {
    "inference_num_envs_count": float(num_envs),
    "inference_num_threads_count": float(num_threads),
    f"inference_threads_on_{platform}_steps_per_s": mine.per_second,
  }
  for name in ("loop", "processes"):
    other = speeds[name]
    result |= {
      f"inference_{name}_steps_per_s": other.per_second,
      f"inference_threads_to_{name}_ratio": mine.per_second / other.per_second,
      f"inference_threads_to_{name}_cpu_ratio": (
        mine.per_cpu_second / other.per_cpu_second
      ),
    }
  return result
