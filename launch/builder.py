"""Makes the components of a run from its config.

This module builds the components; launchers connect them.
"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from adaland.agent import acting, sizes, types
from adaland.agent.config import NetworkConfig
from adaland.agent.learner_config import LearnerConfig, ProxyConfig
from adaland.agent.network.network import make_network
from adaland.agent.replay.base import ReplayWriter
from adaland.agent.replay.spec import UnrollSpec
from adaland.curriculum import base, factory, paired
from adaland.envs import constants, land, land_types
from adaland.envs.expert import players
from adaland.envs.stepping import task_rows
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.acting import coplaying, cutting, loop, teaching
from adaland.launch.acting.actor import Actor
from adaland.launch.acting.channel import Channel
from adaland.launch.agents import saved_agent
from adaland.launch.config import experiment
from adaland.launch.recipes import extensions, task_source
from adaland.launch.run import snapshots

if TYPE_CHECKING:
  from adaland.agent.learner import Learner


# Number of agents, and of learners, that are kept in a process.
_MAX_KEPT = 4


class Agent(NamedTuple):
  """The functions of a run's agent.

  Attributes:
    network: Pure functions of the network.
    actor: Acting functions.
    observation_spec: Shape and dtype of each observation, without batch.
  """

  network: types.Network
  actor: acting.Actor
  observation_spec: dict[str, tuple[tuple[int, ...], Any]]


def agent(config: experiment.ExperimentConfig) -> Agent:
  """Makes the agent's functions.

  Equal configs get the same functions, which JAX traces and compiles once in a
  process, however often a program trains and evaluates.
  """
  return _agent(
    config.network,
    config.env,
    config.learner.muesli.value_range,
    extensions.find(config, "memory"),
  )


@functools.lru_cache(_MAX_KEPT)
def _agent(
  network_config: NetworkConfig,
  env_config: land_types.LandConfig,
  value_range: float,
  memory: Callable[..., Any] | None,
) -> Agent:
  spec = land.observation_spec(env_config)
  network = make_network(network_config, spec, memory)
  actor = acting.make_actor(network, network_config.action_sizes, value_range)
  return Agent(network, actor, spec)


def learner(
  config: experiment.ExperimentConfig,
  network: types.Network,
  devices: Sequence[jax.Device] | None = None,
) -> "Learner":
  """Makes the learner's functions; on all devices if none are named.

  As with `agent`, the same arguments get the same functions.
  """
  return _learner(
    network,
    config.learner,
    config.network.action_sizes,
    tuple(jax.devices() if devices is None else devices),
    _proxy(config.learner.proxy, config.network, config.env),
  )


@functools.lru_cache(_MAX_KEPT)
def _proxy(
  proxy_config: ProxyConfig,
  network_config: NetworkConfig,
  env_config: land_types.LandConfig,
) -> types.Network | None:
  """Makes the network of the small agent that chooses unrolls, if there is."""
  if not proxy_config.used:
    return None
  small = sizes.small_config(
    network_config, proxy_config.width, proxy_config.num_layers
  )
  return make_network(small, land.observation_spec(env_config))


@functools.lru_cache(_MAX_KEPT)
def _learner(
  network: types.Network,
  learner_config: LearnerConfig,
  action_sizes: tuple[int, ...],
  devices: tuple[jax.Device, ...],
  proxy: types.Network | None,
) -> "Learner":
  # Imported where used: most processes of a run never learn, and it brings
  # half a second of other packages.
  from adaland.agent.learner import make_learner

  return make_learner(network, learner_config, action_sizes, devices, proxy)


def first_state(
  config: experiment.ExperimentConfig,
  made: Agent,
  learns: "Learner",
  resumes: bool = False,
) -> Any:
  """Returns the learner's state before a run's first update.

  Args:
    config: The run's config.
    made: The agent.
    learns: The learner's functions.
    resumes: True if a checkpoint replaces the state, so that the agent from
      which the run started is not needed any more.

  Raises:
    UserError: If the run can't start from the agent that its config names.
  """
  state = learns.init(jax.random.PRNGKey(config.run.seed))
  if resumes or not config.run.start_from:
    return state
  params = starting_params(config, made)
  return learns.load(state._replace(params=params, target_params=params))


def starting_params(
  config: experiment.ExperimentConfig, made: Agent
) -> types.Params:
  """Reads the parameters from which a run starts.

  Args:
    config: The run's config, which names an agent.
    made: The run's own agent.

  Raises:
    UserError: If there is no such agent, it is broken, or has a network of
      another form.
  """
  with errors.user_input(f"run.start_from={config.run.start_from}"):
    place = saved_agent.place(config.run.start_from)
    saved = saved_agent.load(place, False, agent, learner)
    shapes = jax.eval_shape(made.network.init, jax.random.PRNGKey(0))
    saved_agent.check_start(saved.params, shapes)
  return saved.params


def unroll_spec(config: experiment.ExperimentConfig, made: Agent) -> UnrollSpec:
  """Returns names, shapes and dtypes of the run's unrolls."""
  memory = {}
  if not config.whole_episodes:
    shapes = jax.eval_shape(lambda: made.network.initial_memory(1))
    memory = jax.tree.map(lambda x: np.zeros(x.shape[1:], x.dtype), shapes)
  example = cutting.example_unroll(
    made.observation_spec,
    config.network.action_sizes,
    config.actor.unroll_length,
    memory,
    labels=config.teaching.labels,
    rules=_rules_shape(config),
  )
  return UnrollSpec.from_unroll(example)


def _rules_shape(
  config: experiment.ExperimentConfig,
) -> tuple[int, int] | None:
  """Returns the shape of the true rules in an unroll; None if there are none.

  Args:
    config: The run's config.
  """
  if not config.learner.privileged.needs_rules:
    return None
  return config.env.max_rules, constants.RULE_WIDTH


def batch_template(
  config: experiment.ExperimentConfig, spec: UnrollSpec
) -> types.Unroll:
  """Returns a learner batch of zeros."""
  n = config.replay.batch_size
  return spec.unflatten(
    [np.zeros((n, *c.shape), c.wire_dtype) for c in spec.columns]
  )


def checkpoint_template(
  config: experiment.ExperimentConfig, state: Any, spec: UnrollSpec
) -> dict[str, Any]:
  """Returns structure, shapes and dtypes of a checkpoint's arrays.

  Args:
    config: The run's config.
    state: The learner's state, or its shapes.
    spec: Columns of the run's unrolls.
  """
  return {
    "train": jax.eval_shape(lambda x: x, state),
    "batch": batch_template(config, spec),
  }


def snapshot_pool(
  config: experiment.ExperimentConfig, folder: str
) -> snapshots.SnapshotPool | None:
  """Makes the pool of co-players; None if all tasks are of one player.

  Args:
    config: The run's config.
    folder: The run's directory.
  """
  if config.env.num_players == 1:
    return None
  init = agent(config).network.init
  template = jax.eval_shape(init, jax.random.PRNGKey(0))
  return snapshots.SnapshotPool(config.coplayers, folder, template)


def environment(
  config: experiment.ExperimentConfig,
  num_envs: int,
  seed: int,
  next_task: Callable[[int], Task | task_rows.PreparedTask],
) -> land.Land:
  """Makes a batch of environments.

  Raises:
    UserError: If this machine can't run them.
  """
  with errors.user_input("env"):
    return extensions.environment(config)(num_envs, config.env, next_task, seed)


def actor(
  config: experiment.ExperimentConfig,
  made: Agent,
  channel: Channel,
  make_writer: Callable[[], ReplayWriter],
  seed: np.random.SeedSequence,
) -> loop.ActingLoop:
  """Makes the loop of an actor's process.

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
  made: Agent,
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
    emit: Takes unrolls, as `acting.actor.Actor` gives them.
    snapshot: Returns the parameters of a co-player that is a snapshot.
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
  made: Agent,
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
    next_task=next_task,
    report=report,
    emit=emit,
    seed=action_seed,
    device=device,
    guide=_teaching(config, action_seed) if config.teaching.used else None,
    rules=_rules_shape(config),
    num_players=config.env.num_players,
    seats=seats,
  )


def teacher(config: experiment.ExperimentConfig) -> saved_agent.SavedAgent:
  """Reads the agent that teaches.

  Args:
    config: The run's config, which names one.

  Raises:
    UserError: If there is no such agent, it is broken, or has other heads or
      observations than this run.
  """
  with errors.user_input(f"teaching.teacher={config.teaching.teacher}"):
    place = saved_agent.place(config.teaching.agent)
    saved = saved_agent.load(place, False, agent, learner)
    saved_agent.check_teacher(saved.config, config)
  return saved


def _teaching(
  config: experiment.ExperimentConfig, seed: int
) -> teaching.Teaching:
  """Makes the players beside an actor's agent."""
  num_envs, sizes = config.actor.envs_per_actor, config.network.action_sizes
  teacher_agent = None
  if config.teaching.agent:
    saved = teacher(config)
    teacher_agent = teaching.TeachingAgent(
      agent(saved.config).actor, saved.params, num_envs, sizes, seed
    )
  return teaching.Teaching(
    config.teaching,
    lambda name: players.make(name, num_envs, seed),
    num_envs,
    len(sizes),
    seed,
    teacher_agent,
  )


def curriculum(
  config: experiment.ExperimentConfig, by_index: bool = False
) -> base.Curriculum:
  """Makes the curriculum over the training half of the tasks.

  Args:
    config: The run's config.
    by_index: Whether assignments carry indices, whose tasks are drawn later.
  """
  source = task_source.TaskSource(config)
  draw = (lambda i: i) if by_index else source.task
  own, seed = extensions.find(config, "curriculum"), config.run.seed

  def make(
    sample: Callable[[int], Any],
    draw_coplayer: base.DrawCoplayer | None = None,
  ) -> base.Curriculum:
    if own is not None:
      return own(sample, seed)
    return factory.make_curriculum(
      config.curriculum, sample, seed, source.num_tasks, draw_coplayer
    )

  if config.env.num_players == 1:
    return make(draw)
  return paired.PairedCurriculum(
    make, draw, config.coplayers, seed, chooses_pairs=own is None
  )
