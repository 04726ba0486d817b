"""Speed of replay, actor, learner, and of the whole training."""

import dataclasses
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from agent.replay import factory
from curriculum import base
from envs import sampler
from launch import builder, errors, timing
from launch import config as config_lib
from launch.device import setup
from launch.roles import channel


class Alone:
  """A channel and writer without anybody at the other end."""

  def __init__(self, config: config_lib.ExperimentConfig, params: Any):
    self._draw = sampler.TaskSampler(config.tasks).task
    # Not a generator, which one thread at a time may use.
    self._keys = itertools.count()
    self._params: channel.Versioned | None = channel.Versioned(0, params)

  def next_task(self) -> base.Assignment:
    """The next task."""
    key = next(self._keys)
    return base.Assignment(key, self._draw(key), True)

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """The next tasks."""
    return [self.next_task() for _ in range(n)]

  def report(self, record: base.EpisodeRecord) -> None:
    """Forgets it."""

  def count_steps(self, steps: int) -> None:
    """Forgets it."""

  def new_params(self) -> channel.Versioned | None:
    """The only ones, once."""
    params, self._params = self._params, None
    return params

  def insert(self, unroll: Any, priority: float = 1.0) -> None:
    """Forgets it."""

  def close(self) -> None:
    """Nothing to close."""


def actor(
  config: config_lib.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Environment steps a second of one actor, nobody else at work."""
  made = builder.agent(config)
  params = jax.device_get(made.network.init(jax.random.PRNGKey(0)))
  alone = Alone(config, params)
  loop = builder.actor_loop(
    config, made, alone, alone, np.random.SeedSequence(0)
  )
  (speed,) = timing.speeds([loop.step], seconds)
  return {
    "actor_steps_per_s": speed.per_second * config.actor.envs_per_actor,
    "actor_steps_per_cpu_s": speed.per_cpu_second * config.actor.envs_per_actor,
  }


def player(
  config: config_lib.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """The same of one process on one device; its unrolls go nowhere."""
  setup.prepare(config)
  made = builder.agent(config)
  playing = builder.player(
    config, made, Alone(config, None), lambda unrolls, num: None
  )
  params = jax.device_put(
    made.network.init(jax.random.PRNGKey(0)), jax.local_devices()[0]
  )
  (speed,) = timing.speeds([lambda: playing.step(params, 0)], seconds)
  return {
    "actor_steps_per_s": speed.per_second * config.actor.envs_per_actor,
    "actor_steps_per_cpu_s": speed.per_cpu_second * config.actor.envs_per_actor,
  }


def learner(
  config: config_lib.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Steps a second that the learner learns from, batches at hand."""
  made = builder.agent(config)
  functions = builder.learner(config, made.network)
  state = functions.init(jax.random.PRNGKey(0))
  batch = builder.batch_template(config, builder.unroll_spec(config, made))
  batch = batch._replace(
    mask=np.ones_like(batch.mask), discount=np.ones_like(batch.discount)
  )

  def update() -> None:
    nonlocal state
    state, metrics = functions.update(state, batch)
    jax.block_until_ready(metrics)

  (speed,) = timing.speeds([update], seconds)
  return {
    "learner_updates_per_s": speed.per_second,
    "learner_steps_per_s": speed.per_second * batch.mask.size,
    "learner_steps_per_cpu_s": speed.per_cpu_second * batch.mask.size,
  }


def replay(
  config: config_lib.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Steps a second in and out of each kind of store that is installed."""
  made = builder.agent(config)
  spec = builder.unroll_spec(config, made)
  template = builder.batch_template(config, spec)
  unroll = jax.tree.map(lambda x: x[0], template)
  steps = config.actor.unroll_length
  result: dict[str, float] = {"replay_unroll_bytes": float(spec.num_bytes)}
  kinds = ["memory"]
  if factory.resolve_kind("auto") == "reverb":
    kinds.append("reverb")
  for kind in kinds:
    settings = dataclasses.replace(
      config.replay,
      kind=kind,
      sampling="uniform",
      samples_per_insert=None,
      error_buffer=None,
      min_size=1,
    )
    store = factory.make_replay(settings, spec)
    writer, source = store.writer(), store.sampler()
    try:
      writer.insert(unroll)
      inserts, samples = timing.rates(
        [lambda w=writer: w.insert(unroll), lambda s=source: s.sample(10.0)],
        seconds,
      )
    finally:
      writer.close()
      source.close()
      store.close()
    batch = settings.batch_size
    result[f"replay_{kind}_insert_steps_per_s"] = inserts * steps
    result[f"replay_{kind}_sample_steps_per_s"] = samples * batch * steps
  return result


def predicted_steps_per_s(
  config: config_lib.ExperimentConfig, stages: Mapping[str, float], cores: int
) -> float:
  """Environment steps a second that the stages' speeds allow.

  Actors and learner work at the same time, so the slowest of three bounds
  holds, with r = samples_per_insert learned steps for each step played:

      actors     num_actors * actor_steps_per_s
      learner    learner_steps_per_s / r
      all cores  cores / (1 / actor_steps_per_cpu_s
                          + r / learner_steps_per_cpu_s)

  The last says that a step's processor seconds, summed over the processes,
  can't be had faster than the cores give them. Replay, parameters on their
  way and waiting for one another cost extra: that is what `train_ratio` shows.

  Args:
    config: Of the run.
    stages: What `actor` and `learner` measured, each alone on the machine.
    cores: That the run may use.
  """
  ratio = config.replay.samples_per_insert or 1.0
  cpu_seconds = (
    1 / stages["actor_steps_per_cpu_s"]
    + ratio / stages["learner_steps_per_cpu_s"]
  )
  return min(
    config.actor.num_actors * stages["actor_steps_per_s"],
    stages["learner_steps_per_s"] / ratio,
    cores / cpu_seconds,
  )


def train(
  config: config_lib.ExperimentConfig,
  preset: str,
  seconds: float,
  launcher: str,
  settings: Sequence[str] = (),
) -> dict[str, float]:
  """The whole training, against what its stages' speeds predict.

  `train_ratio` is the steps a second of a run over `predicted_steps_per_s`.
  Each stage is measured in a process of its own, as in training.

  Args:
    config: Of the run.
    preset: What it came from.
    seconds: For each stage; the run takes three times that and a minute.
    launcher: As for --launcher.
    settings: What was changed of the preset, as for --set.
  """
  changed = ("--set", *settings) if settings else ()
  sizes = (f"--preset={preset}", f"--seconds={seconds}", *changed)
  how = f"--launcher={launcher}"
  stages = in_process("launch.bench", "actor", how, *sizes)
  stages |= in_process("launch.bench", "learner", *sizes)
  predicted = predicted_steps_per_s(config, stages, num_cores())
  with tempfile.TemporaryDirectory() as folder:
    workdir = os.path.join(folder, "run")
    in_process(
      "launch.train",
      f"--workdir={workdir}",
      f"--preset={preset}",
      how,
      "--set",
      *settings,
      f"run.max_minutes={(3 * seconds + 60) / 60}",
      "run.max_steps=0",
      "run.log_seconds=2",
      "run.eval_tasks=0",
    )
    lines = pathlib.Path(workdir, "metrics.jsonl").read_text().splitlines()
  rows = [json.loads(line) for line in lines]
  measured = steady_rate(rows)
  return {
    **stages,
    "train_predicted_steps_per_s": predicted,
    "train_steps_per_s": measured,
    "train_ratio": measured / predicted,
  }


def steady_rate(rows: Sequence[Mapping[str, float]]) -> float:
  """Environment steps a second in the last two thirds of a run.

  Args:
    rows: Of its metrics.

  Raises:
    RunError: If there are too few of them.
  """
  # Until the learner has compiled its update, it holds up the actors.
  busy = [row for row in rows if row["updates"] > 2 and "loss/total" in row]
  steady = busy[len(busy) // 3 :]
  if len(steady) < 2:
    raise errors.RunError(
      "training was too slow to measure; give it more --seconds"
    )
  first, last = steady[0], steady[-1]
  return (last["env_steps"] - first["env_steps"]) / (
    last["seconds"] - first["seconds"]
  )


def num_cores() -> int:
  """Processor cores that this process may use."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def in_process(module: str, *args: str) -> dict[str, float]:
  """Runs a command in a process of its own; returns its JSON.

  Raises:
    RunError: If it fails.
  """
  done = subprocess.run(
    [sys.executable, "-m", module, *args, "--json=-"],
    stdout=subprocess.PIPE,
    check=False,
    text=True,
  )
  if done.returncode:
    raise errors.RunError(f"python -m {module} {' '.join(args)} failed")
  return json.loads(done.stdout)
