"""Environments, the actors that act in them, and their co-players."""

from collections.abc import Callable, Sequence

import jax
import numpy as np

from adaland.agent import types
from adaland.agent.replay.base import ReplayWriter
from adaland.curriculum import base
from adaland.envs import land
from adaland.envs.expert import players
from adaland.launch import errors
from adaland.launch.acting import coplaying, loop, starts, teaching
from adaland.launch.acting.actor import Actor
from adaland.launch.acting.channel import Channel
from adaland.launch.builder import agents, unrolls
from adaland.launch.config import experiment
from adaland.launch.recipes import extensions, task_source
from adaland.launch.run import snapshots


def snapshot_pool(
  config: experiment.ExperimentConfig, folder: str
) -> snapshots.SnapshotPool | None:
  """Makes the pool of co-players; returns None if all tasks have one player.

  Args:
    config: The run's config.
    folder: The run's directory.
  """
  if config.env.num_players == 1:
    return None
  init = agents.agent(config).network.init
  template = jax.eval_shape(init, jax.random.PRNGKey(0))
  return snapshots.SnapshotPool(config.coplayers, folder, template)


def environment(
  config: experiment.ExperimentConfig,
  num_envs: int,
  seed: int,
  next_task: land.NextTask,
) -> land.Land:
  """Makes a batch of environments.

  Raises:
    UserError: If this machine can't run them, or the user's own environment
      raises an error.
  """
  make_land = extensions.environment(config)
  if config.factories.environment:
    return make_land(num_envs, config.env, next_task, seed)
  with errors.user_input("env"):
    return make_land(num_envs, config.env, next_task, seed)


def environments(config: experiment.ExperimentConfig) -> land.MakeLand:
  """Returns a function that makes a run's environments, physics on the host.

  Raises:
    UserError: If the user's own environment can't be imported.
  """
  make_land, env = extensions.environment(config), config.env.on_cpu()

  def make(
    num_envs: int, next_task: land.NextTask, seed: int | Sequence[int] = 0
  ) -> land.Land:
    return make_land(num_envs, env, next_task, seed)

  return make


def actor(
  config: experiment.ExperimentConfig,
  made: agents.Agent,
  channel: Channel,
  make_writer: Callable[[], ReplayWriter],
  seed: np.random.SeedSequence,
) -> loop.ActingLoop:
  """Makes the loop of an actor process.

  Args:
    config: The run's config.
    made: The agent.
    channel: Connection to the curriculum and to the newest parameters.
    make_writer: Makes the writer that takes unrolls; called once.
    seed: Seed of the environments and actions.

  Raises:
    UserError: If this machine can't run the environments.
  """
  device = jax.local_devices()[0]
  first_seed, action_seed = (int(x >> 1) for x in seed.generate_state(2))
  return loop.ActingLoop(
    lambda emit: _actor(
      config,
      made,
      channel.next_task,
      channel.report,
      emit,
      channel.snapshot,
      first_seed,
      action_seed,
      device,
    ),
    channel,
    make_writer(),
    device,
  )


def device_actor(
  config: experiment.ExperimentConfig,
  made: agents.Agent,
  next_task: Callable[[], base.Assignment],
  report: Callable[[base.EpisodeRecord], None],
  emit: Callable[[types.Unroll, int], None],
  snapshot: Callable[[int], types.Params],
) -> Actor:
  """Makes the actor of a run in one process; its unrolls stay on the device.

  Args:
    config: The run's config.
    made: The agent.
    next_task: Returns a task to act in.
    report: Takes the record of a finished episode.
    emit: Takes unrolls, as in `acting.actor.Actor`.
    snapshot: Returns the parameters of a snapshot that is a co-player.
  """
  seed = config.run.seed
  # Far from the environments' seeds of other runs.
  first_seed = int(np.random.SeedSequence((seed, 0)).generate_state(1)[0] >> 1)
  return _actor(
    config,
    made,
    next_task,
    report,
    emit,
    snapshot,
    first_seed,
    seed,
    jax.local_devices()[0],
  )


def _actor(
  config: experiment.ExperimentConfig,
  made: agents.Agent,
  next_task: Callable[[], base.Assignment],
  report: Callable[[base.EpisodeRecord], None],
  emit: Callable[[types.Unroll, int], None],
  snapshot: Callable[[int], types.Params],
  first_seed: int,
  action_seed: int,
  device: jax.Device,
) -> Actor:
  """Makes an actor; see `acting.actor.Actor`."""
  num_envs = config.actor.envs_per_actor
  seats = None
  if config.env.num_players > 1:
    seats = coplaying.CoplayerSeats(
      made.actor,
      snapshot,
      num_envs,
      config.coplayers.pool_size,
      config.network.action_sizes,
      action_seed,
      device,
    )
  return Actor(
    make_environment=lambda row_task: environment(
      config, num_envs, first_seed, row_task
    ),
    functions=made.actor,
    observation_spec=made.observation_spec,
    action_sizes=config.network.action_sizes,
    num_envs=num_envs,
    length=config.actor.unroll_length,
    gamma=config.learner.muesli.gamma,
    store_memory=not config.whole_episodes,
    next_task=within_unrolls(config, next_task),
    report=report,
    emit=emit,
    seed=action_seed,
    device=device,
    guide=_teaching(config, action_seed) if config.teaching.used else None,
    rules=unrolls.rules_shape(config),
    num_players=config.env.num_players,
    seats=seats,
  )


def within_unrolls(
  config: experiment.ExperimentConfig, next_task: Callable[[], base.Assignment]
) -> Callable[[], base.Assignment]:
  """Wraps `next_task` with a check that episodes fit into unrolls.

  A curriculum may set an episode's trials. Unrolls that are whole episodes
  carry no memory, so the rest of a longer episode would be learned from
  wrongly.

  Args:
    config: The run's config.
    next_task: Returns a task to act in.

  Raises:
    UserError: Raised by the returned function, if an episode is too long.
  """

  def checked() -> base.Assignment:
    assignment = next_task()
    with errors.user_input("curriculum"):
      played = starts.with_trials(assignment).task
      task_source.check_length(starts.bare(played), config)
    return assignment

  return checked


def _teaching(
  config: experiment.ExperimentConfig, seed: int
) -> teaching.Teaching:
  """Makes the other players of an actor's episodes."""
  num_envs, sizes = config.actor.envs_per_actor, config.network.action_sizes
  teacher_agent = None
  if config.teaching.agent:
    saved = agents.teacher(config)
    teacher_agent = teaching.TeachingAgent(
      agents.agent(saved.config).actor, saved.params, num_envs, sizes, seed
    )
  return teaching.Teaching(
    config.teaching,
    lambda name: players.make(name, num_envs, seed),
    num_envs,
    len(sizes),
    seed,
    teacher_agent,
  )
